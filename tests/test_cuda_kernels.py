"""The GPU path without a GPU: its kernels in Triton's interpreter, in float32, and the choice of a path.

The programs of one launch take turns: at each look at a barrier the next program, drawn by chance, goes on.
So what one program reads before another has written it shows, and so does a barrier that nobody passes.
"""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from test_kernels import batch, errors, flat, gradients, poison

from graves_nb.kernels import cuda, cuda_graph
from graves_nb.lstm import PeepholeLSTMCell
from graves_nb.mixture import mixture_loss
from graves_nb.models import HandwritingPredictor, HandwritingSynthesizer, TextPredictor
from graves_nb.sequence import best_path, labels

torch.set_num_threads(1)
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # Triton looks at it once, when it is first imported


@pytest.fixture(scope="module")
def interpreter():
    """Triton's interpreter, with the programs of a launch in turn."""
    if torch.cuda.is_available():
        pytest.skip("a GPU is at hand: `python -m graves_nb bench --check` tests its kernels for real")
    if not cuda.available():
        pytest.skip("Triton is not installed: the GPU's kernels cannot be interpreted here")
    from triton.runtime import interpreter

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreter.GridExecutor, "__call__", in_turn)
        yield


def in_turn(executor, *args, **kwargs):
    """Run a launch as the interpreter does, but with all its programs under way."""
    from triton.runtime import interpreter

    builder, names = interpreter.interpreter_builder, executor.arg_names
    kwargs = {name: value for name, value in kwargs.items() if name in names}
    host_args, host_kwargs = executor._init_args_hst(args, kwargs)
    scope = interpreter._patch_lang(executor.fn)
    builder.set_grid_dim(*executor.grid, *[1] * (3 - len(executor.grid)))
    values = dict(zip(names, host_args)) | host_kwargs
    plain = {*executor.constexprs, "T"}  # the interpreter cannot count to a number that comes at run time
    values = {name: value if name in plain else interpreter._implicit_cvt(value) for name, value in values.items()}
    Turns(builder, executor.grid, lambda: executor.fn(**values)).run()
    scope.restore()
    executor._restore_args_dev(args, host_args, kwargs, host_kwargs)


class Turns:
    """Programs of one launch: one goes on until it looks at a barrier, then another."""

    def __init__(self, builder, grid, program, patience=20_000):
        self.builder, self.program, self.patience = builder, program, patience
        self.waiting = [(x, y, 0) for x in range(grid[0]) for y in range(grid[1])]
        self.free, self.now, self.failed = threading.Condition(), None, []

    def run(self):
        rmw = self.builder.create_atomic_rmw

        def look(*args):
            result = rmw(*args)
            self.pass_on()
            return result

        self.builder.create_atomic_rmw = look
        threads = [threading.Thread(target=self.go, args=(place,)) for place in self.waiting]
        [thread.start() for thread in threads]
        self.choose()
        [thread.join() for thread in threads]
        del self.builder.create_atomic_rmw
        if self.failed:
            raise self.failed[0]

    def go(self, place):
        """Be the program at one place of the grid."""
        self.wait_for(place)
        try:
            if not self.failed:
                self.program()
        except BaseException as error:
            self.failed.append(error)
        self.waiting.remove(place)
        self.choose()

    def pass_on(self):
        place, self.patience = self.now, self.patience - 1
        if self.failed or self.patience < 0:
            raise self.failed[0] if self.failed else RuntimeError("a barrier that nobody passes")
        self.choose()
        self.wait_for(place)

    def choose(self):
        with self.free:
            self.now = random.choice(self.waiting) if self.waiting else None
            self.free.notify_all()

    def wait_for(self, place):
        with self.free:
            self.free.wait_for(lambda: self.now == place)
        self.builder.grid_idx = place


def fused(model, x, text, plan):
    """The whole network along the fused path, on a processor."""
    model.operands = x.dtype
    h, state = cuda.run_model(model, x, labels(text), model.initial_state(x.shape[1]), plan)
    return model.readout(h), state


PLANS = {
    "one program": cuda.Plan(16, 64, 16, (4, 8), True, 3),
    "many programs": cuda.Plan(16, 16, 4, (4, 8), True, 2),
    "weights read again": cuda.Plan(16, 32, 8, (4, 8), False, 1),
}


@pytest.mark.parametrize("name, hidden, B, layers", [("one program", 24, 3, 2), ("many programs", 40, 18, 2),
                                                     ("weights read again", 24, 3, 1)])
def test_fused_gradients_are_those_of_the_loop(interpreter, name, hidden, B, layers):
    """Two stretches of time, fresh random lines; the plain loop runs in float64."""
    model = HandwritingSynthesizer(hidden=hidden, layers=layers, V=20, clip_lstm=0.5)
    x, y, text = batch(B, T=20, U=7, V=20)
    exact = gradients(copy_of(model), x.double(), y.double(), text.double(), "plain")
    model.zero_grad()
    poison()
    y_hat, state = fused(model, x, text, PLANS[name])
    mixture_loss(y_hat, y).sum().backward()
    together, worst = errors([w.grad.double() for w in model.parameters()], exact[2])
    assert together < 1e-3 and worst < 2.5e-3
    torch.testing.assert_close(y_hat.double(), exact[0], atol=1e-4, rtol=1e-4)
    for mine, theirs in zip(flat(state), flat(exact[1])):
        torch.testing.assert_close(mine.double(), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", [HandwritingPredictor, TextPredictor])
def test_fused_gradients_without_a_window(interpreter, kind):
    """Points, and labels of symbols with the null vector in front."""
    sizes = dict(hidden=24, layers=2, clip_lstm=0.5)
    model = kind(V=20, **sizes) if kind is TextPredictor else kind(**sizes)
    x, y, _ = batch(3, T=20)
    if kind is TextPredictor:
        x = torch.randint(0, 20, (20, 3))
        x[0] = -1
    loss = lambda y_hat: (y_hat * torch.linspace(-1, 1, y_hat.shape[-1]).to(y_hat)).tanh().sum()
    twin = copy_of(model)
    exact, _ = twin(x if kind is TextPredictor else x.double(), path="plain")
    loss(exact).backward()
    poison()
    model.operands = torch.float32
    h, _ = cuda.run_model(model, x, None, model.initial_state(3), PLANS["many programs"])
    loss(model.readout(h)).backward()
    together, worst = errors(*([w.grad.double() for w in network.parameters()] for network in (model, twin)))
    assert together < 1e-3 and worst < 2.5e-3


@pytest.mark.parametrize("layers, stretches", [(1, 1), (3, 12), (5, 2)])
def test_the_order_of_the_queues_keeps_what_waits_behind_what_it_waits_for(layers, stretches):
    order = cuda.Run.diagonals(SimpleNamespace(parts=[0] * layers, stretches=[0] * stretches))
    assert len(order) == len(set(order)) == layers * stretches
    for turn in (order, [(layers - 1 - n, stretches - 1 - k) for n, k in reversed(order)]):
        for n, k in turn:
            assert {(n - 1, k), (n, k - 1)} & set(order) <= set(turn[: turn.index((n, k))])
    assert layers == 1 or stretches == 1 or order.index((0, 1)) < order.index((1, 1))


def test_texts_of_many_lengths_share_their_graphs():
    model, seen = HandwritingSynthesizer(hidden=12, layers=1, V=20), []
    for U in (7, 9, 64, 3):
        x, y, text = batch(2, T=5, U=U, V=20)
        gradients(model, x, y, text, "graph")
        seen.append(len(cuda_graph.graphs))
    assert len(set(seen)) == 1


def copy_of(model):
    twin = type(model)(**model.config, clip_lstm=model.layers[0].clip).double()
    twin.load_state_dict(model.state_dict())
    return twin


@pytest.mark.parametrize("capability, shared, B", [(90, 232448, 64), (80, 166912, 5)])
def test_the_kernels_compile_for_a_gpu_that_is_not_here(capability, shared, B):
    """Every launch of a training step, as it is made, and it fits the shared memory of a multiprocessor."""
    if not cuda.available():
        pytest.skip("Triton is not installed: its compiler cannot be tested here")
    command = [sys.executable, Path(__file__).with_name("compile_kernels.py"), *map(str, (capability, shared, B))]
    quiet = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(command, capture_output=True, text=True, env=quiet)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("forward_kernel") == 2 and done.stdout.count("backward_kernel") == 3


@pytest.mark.parametrize("capability, triton, path", [((9, 0), True, "fused"), ((8, 0), True, "fused"), ((7, 5), True, "graph"),
                                                      ((9, 0), False, "graph")])
def test_the_path_follows_the_gpu(monkeypatch, recwarn, capability, triton, path):
    """With a pretended capability. What is not the fastest is said."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(cuda, "available", lambda: triton)
    cuda.best_path.cache_clear()
    lines = SimpleNamespace(device=torch.device("cuda", 0), dtype=torch.float32, is_floating_point=lambda: True)
    assert best_path(HandwritingSynthesizer(hidden=8), lines) == path
    assert [("CUDA graph" in str(w.message)) for w in recwarn] == [True] * (path == "graph")
    cuda.best_path.cache_clear()


def test_parts_of_ones_own_take_the_plain_path():
    class Mine(PeepholeLSTMCell):
        pass

    lines = SimpleNamespace(device=torch.device("cuda", 0), dtype=torch.float32, is_floating_point=lambda: True)
    assert best_path(HandwritingSynthesizer(hidden=8, cell=Mine), lines) == "plain"


@pytest.mark.parametrize("T, lengths", [(1, [1]), (64, [64]), (73, [64, 8, 1]), (20, [8, 8, 1, 1, 1, 1])])
def test_any_length_is_a_sum_of_graphs(T, lengths):
    assert [n for _, n in cuda_graph.pieces(T)] == lengths
    assert [s for s, _ in cuda_graph.pieces(T)] == [sum(lengths[:i]) for i in range(len(lengths))]


@pytest.mark.parametrize("T", [1, 20])
def test_graph_gradients_are_those_of_the_loop(T):
    """On a processor nothing is recorded, but all else is as on a GPU."""
    model = HandwritingSynthesizer(hidden=12, layers=2, V=20, clip_lstm=0.5)
    for x, y, text in (batch(3, T=T, U=7, V=20), batch(3, T=T, U=7, V=20)):  # twice: the graphs are used again
        exact = gradients(copy_of(model), x.double(), y.double(), text.double(), "plain")
        found = gradients(model, x, y, text, "graph")
        together, worst = errors(found[2], exact[2])
        assert together < 1e-4 and worst < 2.5e-4
        for mine, theirs in zip(flat(found[1]), flat(exact[1])):
            torch.testing.assert_close(mine.double(), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("B", [1, 3, 16, 17, 64, 100, 256])
@pytest.mark.parametrize("H, V, layers", [(400, 76, 3), (900, 0, 1), (700, 0, 7), (1000, 0, 1), (400, 0, 3)])
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("processors, shared", [(132, 232448), (108, 166912), (46, 101376)])
def test_a_plan_fits_the_gpu(B, H, V, layers, kind, processors, shared):
    """All programs that may be alive together fit; lines that do not fit are halved until they do."""
    plan = cuda.make_plan(B, H, V, layers, kind, processors, shared)
    if plan is None:
        assert B > 1 and cuda.make_plan(1, H, V, layers, kind, processors, shared)
        return
    first, other = (cuda.programs(B, H, window, *plan[:3]) for window in (V > 0, False))
    assert first + (plan.lanes - 1) * other <= processors
    assert 1 <= plan.lanes <= layers and plan.BB % plan.LW == 0
