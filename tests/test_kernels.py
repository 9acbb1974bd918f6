"""The fast paths against the loop that the book teaches, run in float64."""

import copy

import pytest
import torch
from torch import nn

from conftest import missing
from graves_nb.kernels import cpu
from graves_nb.mixture import mixture_loss
from graves_nb.models import HandwritingSynthesizer
from graves_nb.sequence import best_path

LIMITS = {torch.float32: 1e-3, torch.bfloat16: 2e-2}  # of the norm of the error over that of the gradient
CLIPS = {torch.float32: 0.5, torch.bfloat16: 10.0}  # the first acts often: a rounded derivative would cross it


@pytest.fixture(scope="module", autouse=True)
def compiler():
    if not cpu.available():
        missing("no C++ compiler: the native path cannot be tested here")


def batch(B, T=40, U=19, V=76):
    """Random lines of unequal texts: (x, y, text)."""
    x = torch.randn(T, B, 3)
    y = torch.cat([torch.randn(T, B, 2), (torch.rand(T, B, 1) > 0.9).float()], -1)
    text = nn.functional.one_hot(torch.randint(0, V, (B, U)), V).float()
    for b in range(1, B):
        text[b, U - b :] = 0
    return x, y, text


def gradients(model, x, y, text, path):
    model.zero_grad()
    y_hat, state = model(x, text, path=path)
    mixture_loss(y_hat, y).sum().backward()
    return y_hat.detach(), state, [w.grad.double() for w in model.parameters()]


def poison():
    """Leave numbers in freed memory that would show if an output were not written."""
    [torch.full((300_000,), float("nan")) for _ in range(8)].clear()


def errors(found, exact):
    """The norm of the error over that of the gradient: of all weights together, and of the worst tensor."""
    together = sum(((a - b) ** 2).sum() for a, b in zip(found, exact)) / sum((b**2).sum() for b in exact)
    return together.sqrt().item(), max(((a - b).norm() / b.norm()).item() for a, b in zip(found, exact))


@pytest.mark.parametrize("operands", LIMITS)
@pytest.mark.parametrize("hidden, B", [(64, 1), (50, 5), (64, 13), (50, 37)])
def test_native_gradients_are_those_of_the_loop(operands, hidden, B):
    """On fresh random lines each time; the middle one of three, since a far point can carry a whole gradient."""
    if operands == torch.bfloat16 and not cpu.has_bfloat16():
        pytest.skip("this processor has no products of bfloat16 pairs")
    seen = []
    for _ in range(3):
        model, (x, y, text) = HandwritingSynthesizer(hidden=hidden, clip_lstm=CLIPS[operands]), batch(B)
        exact = gradients(copy.deepcopy(model).double(), x.double(), y.double(), text.double(), "plain")
        model.operands = operands
        poison()
        found = gradients(model, x, y, text, "native")
        seen.append(errors(found[2], exact[2]))
    together, worst = (sorted(column)[1] for column in zip(*seen))
    assert together < LIMITS[operands] and worst < 2.5 * LIMITS[operands]
    if operands == torch.float32:
        for mine, theirs in zip(flat(found[1]), flat(exact[1])):
            torch.testing.assert_close(mine.double(), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("path", ["steps", "graph"])
def test_narrow_operands_go_along_every_path(path):
    """Products of bfloat16 pairs, sums in float32: near the loop, and not the same."""
    model, (x, y, text) = HandwritingSynthesizer(hidden=50), batch(5)
    exact = gradients(copy.deepcopy(model).double(), x.double(), y.double(), text.double(), "plain")
    model.operands = torch.bfloat16
    found = gradients(model, x, y, text, path)
    assert 1e-5 < errors(found[2], exact[2])[0] < 5 * LIMITS[torch.bfloat16]


def flat(state):
    """Every tensor of a state."""
    return [state] if isinstance(state, torch.Tensor) else [t for part in state for t in flat(part)]


def test_the_clip_acts_in_the_native_path():
    x, y, text = batch(3)
    model = HandwritingSynthesizer(hidden=32, clip_lstm=None)
    free = gradients(model, x, y, text, "native")[2]
    for cell in model.layers:
        cell.clip = 0.01
    clipped = gradients(model, x, y, text, "native")[2]
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(free[:4], clipped[:4]))


def test_any_number_of_threads_gives_the_same_line():
    model, (x, _, text) = HandwritingSynthesizer(hidden=32), batch(5)
    outputs, before = [], torch.get_num_threads()
    for threads in (1, 2, 7):
        torch.set_num_threads(threads)
        outputs.append(model(x, text, path="native")[0])
    torch.set_num_threads(before)
    for other in outputs[1:]:
        torch.testing.assert_close(other, outputs[0], atol=1e-5, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:lstm.cpp could not be compiled")
@pytest.mark.parametrize("name", ["no-such-compiler", "false"])
def test_without_a_compiler_that_manages_the_steps_are_taken(monkeypatch, tmp_path, name):
    model, (x, _, text) = HandwritingSynthesizer(hidden=16), batch(2)
    assert best_path(model, x) == "native" and best_path(model, x.double()) == "steps"
    monkeypatch.setenv("CXX", name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cpu.library.cache_clear(), cpu.compiled.cache_clear()
    try:
        assert not cpu.available() and best_path(model, x) == "steps"
    finally:
        monkeypatch.undo()
        cpu.library.cache_clear(), cpu.compiled.cache_clear()
    torch.testing.assert_close(model(x, text, path="steps")[0], model(x, text, path="native")[0], atol=1e-5, rtol=1e-4)
