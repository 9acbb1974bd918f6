"""Whole networks on a GPU: the persistent kernels of `cuda_kernels.py`, and the layers as a wavefront.

Time is cut into stretches. While a layer works on one stretch, the layer below is already at the next,
each in a queue of its own; what lies between two layers is a large product. The names are those of
`sequence.py`; sizes are padded as `cuda_kernels.py` asks.
"""

import warnings
from contextlib import nullcontext
from functools import cache
from itertools import product
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

OLDEST = (8, 0)  # the compute capability that Triton's products need
STRETCHES = 12  # more of them: the layers start sooner after one another, but Python must launch more
BK, BW, BU = 64, 16, 64  # numbers in a block; columns for K window components; characters that are read at once
ACCURATE = hasattr(torch.ops.aten.mm, "dtype")  # can PyTorch give a product of bfloat16 as float32?


@cache
def available() -> bool:
    """Say whether Triton is installed (PyTorch's builds for CUDA bring it along)."""
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def best_path(device, kind=torch.float32) -> str:
    """Choose "fused" where the GPU and Triton allow it; else say what is missing and choose "graph"."""
    if kind == torch.float64:
        return "steps"
    capability = torch.cuda.get_device_capability(device)
    if capability >= OLDEST and available():
        return "fused"
    old = capability < OLDEST
    why = "compute capability {}.{}".format(*capability) if old else "no Triton beside it"
    warnings.warn(f"This GPU has {why}; the fused kernels need Triton and 8.0. A CUDA graph of the loop runs instead.",
                  stacklevel=2)
    return "graph"


class Plan(NamedTuple):
    """How the work is split: lines and units of a program, lines of a window's program, warps, layers at once."""

    BB: int
    BH: int
    LW: int
    warps: tuple[int, int]  # forward, backward
    resident: bool
    lanes: int


def up(n: int, unit: int) -> int:
    """Round up to a multiple."""
    return -(-n // unit) * unit


def power(n: int) -> int:
    """Round up to a power of two."""
    return 1 << max(0, n - 1).bit_length()


def programs(B: int, H: int, window: bool, BB: int, BH: int, LW: int) -> int:
    """Count the programs of one layer."""
    return up(B, BB) // BB * (up(H, BH) // BH + window * BB // LW)


def make_plan(B: int, H: int, V: int, layers: int, kind, processors: int, shared: int) -> Plan | None:
    """Split B lines and H units over a GPU; None where its multiprocessors cannot hold so many lines at once.

    Programs that wait for one another must all be running. So there are never more of them, in all layers
    that work at the same time, than multiprocessors; layers side by side leave some for the products between.
    """
    room, width, size = processors * 7 // 8, up(H, BK) + (power(max(V, BK)) if V else 0), kind.itemsize
    lines = [BB for BB in (64, 32, 16) if BB == 16 or (BB < 2 * B and (BB < 64 or H <= 512))]
    for BH, LW, BB in product((16, 32, 64), (2, 4, 8, 16), lines):
        resident = size == 2 and (4 * BH + BB) * width * size + 8192 <= shared
        fits = resident or (B <= 16 if size == 2 else (128 + BB) * 16 * BH + 16384 <= shared)
        first, other = (programs(B, H, window, BB, BH, LW) for window in (V > 0, False))
        if first <= processors and fits:
            lanes = 1 + min(layers - 1, max(0, room - first) // other)
            return Plan(BB, BH, LW, (4 if BB == 64 else 8, 8), resident, lanes)
    return None


class Lanes:
    """Queues of work that go on side by side on a GPU, and one after the other on a processor."""

    def __init__(self, device, count: int):
        self.streams = lane_streams(device.index, count) if device.type == "cuda" else None

    def __enter__(self):
        for stream in self.streams or ():
            stream.wait_stream(torch.cuda.current_stream())
        return self

    def __exit__(self, *_):
        for stream in self.streams or ():
            torch.cuda.current_stream().wait_stream(stream)

    def of(self, layer: int):
        """Enter the queue of a layer."""
        return torch.cuda.stream(self.streams[layer % len(self.streams)]) if self.streams else nullcontext()

    def mark(self):
        """Mark the present end of the present queue."""
        return torch.cuda.current_stream().record_event() if self.streams else None

    def wait(self, mark) -> None:
        """Let the present queue wait for a mark in another."""
        if mark is not None:
            torch.cuda.current_stream().wait_event(mark)


@cache
def lane_streams(device: int, count: int) -> list:
    """Return the same streams each time: what PyTorch keeps for them is used again."""
    return [torch.cuda.Stream(device) for _ in range(count)]


class Layer(NamedTuple):
    """What autograd sees of a layer, in the order of the arguments; the last four are None without a window."""

    weight_x: Tensor
    bias: Tensor
    weight_h: Tensor
    peephole: Tensor
    h0: Tensor
    c0: Tensor
    weight_p: Tensor | None = None
    bias_p: Tensor | None = None
    kappa0: Tensor | None = None
    w0: Tensor | None = None


class Network(Function):
    """h (T, B, L H) of all layers, then each layer's last h and c, and the window's last kappa and w.

    `x` (T, B, I), `codes` (B, U) or None, and the fields of one `Layer` after the other. The first layer
    has the window, if there is one; each layer sees x, what the window read, and the layer below.
    """

    @staticmethod
    def forward(ctx, plan: Plan, kind, limits, x, codes, *fields):
        layers = [Layer(*fields[i : i + 10]) for i in range(0, len(fields), 10)]
        run = Run(plan, kind, limits, x, codes, layers)
        run.forward()
        ctx.run = run
        ctx.set_materialize_grads(False)
        states = run.last_states()
        ctx.mark_non_differentiable(*states)
        return run.outputs(), *states

    @staticmethod
    def backward(ctx, dh, *_):
        if dh is None:
            return (None,) * len(ctx.needs_input_grad)
        dx, grads = ctx.run.backward(dh, ctx.needs_input_grad[3])
        return None, None, None, dx, None, *grads


class Run:
    """One pass through all layers: its padded weights and arrays, and the way back."""

    def __init__(self, plan: Plan, kind, limits, x, codes, layers):
        (self.T, self.B, self.I), self.H = x.shape, layers[0].h0.shape[1]
        self.plan, self.kind, self.limits, self.codes, self.layers = plan, kind, limits, codes, layers
        self.K, self.V = (0, 0) if codes is None else (layers[0].kappa0.shape[1], layers[0].w0.shape[1])
        self.BP, self.HU, self.HP = up(self.B, plan.BB), up(self.H, plan.BH), up(self.H, BK)
        self.VP = power(max(self.V, BK)) if self.V else 0
        most = 2**30 // (self.BP * max(4, len(layers)) * self.HU)  # within a stretch, places have 32 bits
        stretch = max(16, min(most, self.T if plan.lanes == 1 else -(-self.T // STRETCHES)))
        self.stretches = [(s, min(s + stretch, self.T)) for s in range(0, self.T, stretch)]
        self.parts = [self.prepare(n, layer, x) for n, layer in enumerate(layers)]
        self.h = x.new_empty(self.T + 1, self.BP, len(layers) * self.HU, dtype=torch.float32)

    # ---- Arrays and weights, padded with zeros ----

    def units(self, weight: Tensor) -> Tensor:
        """Pad the rows (n H, ...) of n gates to (n HU, ...)."""
        rows = weight.detach().unflatten(0, (-1, self.H))
        room = rows.new_zeros(len(rows), self.HU, *rows.shape[2:])
        room[:, : self.H] = rows
        return room.flatten(0, 1)

    def padded(self, array: Tensor, *shape, dtype=torch.float32, value=0) -> Tensor:
        """Put an array into the corner of a larger one."""
        room = array.new_full(shape, value, dtype=dtype)
        room[tuple(slice(n) for n in array.shape)] = array.detach()
        return room

    def prepare(self, n: int, layer: Layer, x: Tensor) -> dict:
        """Lay out a layer. Its input has the columns h of the layer below, w, x: the long ones are aligned."""
        T, B, HU, HP, window = self.T, self.BP, self.HU, self.HP, n == 0 and self.V > 0
        like = dict(device=x.device, dtype=self.kind)
        size, H, V = self.I, HU * (n > 0), self.V * (n > 0)
        from_x, from_w, from_h = layer.weight_x.detach().split([size, self.V, self.H * (n > 0)], 1)
        columns = [F.pad(from_h, (0, HU - self.H)), from_w, from_x] if n else [from_x]
        width = up(H + V + size, 8)
        part = dict(
            window=window, x=slice(H + V, H + V + size), width=width, R=HP + self.VP * window,
            weight_x=self.padded(self.units(torch.cat(columns, 1)), 4 * HU, width, dtype=self.kind),
            bias=self.units(layer.bias), peephole=self.units(layer.peephole.flatten()).contiguous(),
            below=torch.zeros(T, B, width, **like), a=torch.empty(T, B, 4 * HU, **like),
            row=torch.zeros(T + 1, B, HP + self.VP * window, **like),
            gates=x.new_empty(T, B, 4 * HU, dtype=torch.float32), c=x.new_empty(T + 1, B, HU, dtype=torch.float32))
        part["below"][:, : self.B, part["x"]] = x.detach()
        part["weight"] = torch.zeros(4 * HU, part["R"], **like)
        part["weight"][:, : self.H] = self.units(layer.weight_h)
        part["row"][0, : self.B, : self.H] = layer.h0.detach()
        part["c"][0] = self.padded(layer.c0, B, HU)
        if window:
            part["weight"][:, HP : HP + self.V] = self.units(from_w)
            part["row"][0, : self.B, HP : HP + self.V] = layer.w0.detach()
            part |= self.prepare_window(layer)
        return part | dict(sizes=self.sizes(part))

    def prepare_window(self, layer: Layer) -> dict:
        """Lay out the window: its three "hats" in blocks of BW rows."""
        T, B, K = self.T, self.BP, self.K
        weight = layer.weight_p.new_zeros(4, BW, self.HU)
        weight[:3, :K, : self.H] = layer.weight_p.detach().unflatten(0, (3, K))
        bias = layer.bias_p.new_full((4, BW), -torch.inf)  # the exponential of nothing is 0
        bias[:3, :K] = layer.bias_p.detach().unflatten(0, (3, K))
        look = weight.flatten(0, 1).T.contiguous()
        coarse = look.to(self.kind)
        kappa = layer.kappa0.new_empty(T + 1, B, BW)
        kappa[0] = self.padded(layer.kappa0, B, BW)
        return dict(weight_p=weight.flatten(0, 1), bias_p=bias.flatten(), look=coarse,
                    rest=(look - coarse.float()).to(self.kind), kappa=kappa, shape=kappa.new_empty(T, B, 4 * BW),
                    codes=self.padded(self.codes, B, self.codes.shape[1], dtype=torch.int32, value=-1))

    def sizes(self, part: dict) -> dict:
        """Name the constants of both kernels."""
        plan, U = self.plan, part["codes"].shape[1] if part["window"] else 1
        return dict(H=self.HU, HP=self.HP, R=part["R"], WINDOWS=part["window"] * plan.BB // plan.LW, BB=plan.BB,
                    BH=plan.BH, BK=BK, BW=BW, LW=plan.LW, BU=BU, NU=up(U, BU) // BU, BP=power(self.HU // plan.BH),
                    RESIDENT=plan.resident, PRECISION="tf32x3", num_stages=1, launch_cooperative_grid=plan.lanes == 1)

    def grid(self, part: dict) -> tuple[int, int]:
        """Count programs: of units and windows, and of lines."""
        plan = self.plan
        return self.HU // plan.BH + part["window"] * plan.BB // plan.LW, self.BP // plan.BB

    def counters(self) -> Tensor:
        """Make the barriers of every layer and stretch: two counters for each group of lines."""
        return torch.zeros(len(self.parts), len(self.stretches), self.BP // self.plan.BB, 2, dtype=torch.int32,
                           device=self.h.device)

    # ---- Forward ----

    def forward(self) -> None:
        """Let the layers follow one another from stretch to stretch."""
        counters, marks = self.counters(), {}
        told = self.h.new_empty(2 * self.HU // self.plan.BH * self.BP * 4 * BW if self.V else 1)
        with Lanes(self.h.device, self.plan.lanes) as lanes:
            for n, k in self.diagonals():
                with lanes.of(n):
                    lanes.wait(marks.get((n - 1, k)))
                    self.stretch_forward(n, *self.stretches[k], counters[n, k], told)
                    marks[n, k] = lanes.mark()

    def diagonals(self) -> list[tuple[int, int]]:
        """Order layers and stretches so that what may go on at the same time stands side by side in the queues."""
        L, S = len(self.parts), len(self.stretches)
        return [(n, d - n) for d in range(L + S - 1) for n in range(L) if 0 <= d - n < S]

    def stretch_forward(self, n: int, s: int, e: int, counters: Tensor, told: Tensor) -> None:
        """Take layer n through the steps s to e."""
        from .cuda_kernels import forward_kernel

        part, first, HU = self.parts[n], self.parts[0], self.HU
        if n:
            part["below"][s:e, :, :HU] = self.parts[n - 1]["row"][s + 1 : e + 1, :, :HU]
            if self.V:
                part["below"][s:e, :, HU : HU + self.V] = first["row"][s + 1 : e + 1, :, self.HP : self.HP + self.V]
        torch.mm(part["below"][s:e].flatten(0, 1), part["weight_x"].T, out=part["a"][s:e].flatten(0, 1))
        window = {name: part.get(name, part["row"]) for name in ("look", "rest", "bias_p", "codes")}
        window |= {name: part[name][s:] if part["window"] else part["row"] for name in ("kappa", "shape")}
        forward_kernel[self.grid(part)](
            a=part["a"][s:], bias=part["bias"], weight=part["weight"], peephole=part["peephole"], row=part["row"][s:],
            gates=part["gates"][s:], h=self.h[s:, :, n * self.HU :], c=part["c"][s:], partial=told, counters=counters,
            T=e - s, B=self.BP, U=window["codes"].shape[1], SH=self.h.shape[2], num_warps=self.plan.warps[0],
            **window, **part["sizes"])

    def outputs(self) -> Tensor:
        """Return h of all layers, without what was padded."""
        h = self.h[1:, : self.B].unflatten(2, (-1, self.HU))[..., : self.H]
        return h.flatten(2)

    def last_states(self) -> list[Tensor]:
        """Return h and c of each layer after the last step, then kappa and w."""
        h, first = self.outputs()[-1].unflatten(1, (-1, self.H)), self.parts[0]
        states = []
        for n, part in enumerate(self.parts):
            states += [h[:, n].clone(), part["c"][-1, : self.B, : self.H].clone()]
        if self.V:
            states += [first["kappa"][-1, : self.B, : self.K].clone(),
                       first["row"][-1, : self.B, self.HP : self.HP + self.V].to(torch.float32, copy=True)]
        return states

    # ---- Backward ----

    def backward(self, dh: Tensor, needs_dx: bool) -> tuple[Tensor | None, list]:
        """Follow the layers from the last to the first; return the derivatives of x and of all fields."""
        counters, marks, T, B, HU = self.counters(), {}, self.T, self.BP, self.HU
        dh = self.spread(dh)
        for part in self.parts:
            part |= dict(dz=part["a"], dbelow=torch.empty_like(part["below"]), dc=dh.new_zeros(B, HU),
                         sums=dh.new_zeros(B // self.plan.BB, 7, HU),
                         told=part["row"].new_zeros(2 * part["R"] * (HU // self.plan.BH + part["window"]) * B))
            if part["window"]:
                part |= dict(dp=dh.new_zeros(T, B, 4 * BW), dkappa=dh.new_zeros(B, BW), dw=dh.new_zeros(T, B, self.VP))
        with Lanes(dh.device, self.plan.lanes) as lanes:
            for n, k in reversed(self.diagonals()):
                with lanes.of(n):
                    lanes.wait(marks.get((n + 1, k)))
                    self.stretch_backward(n, *self.stretches[k], dh, counters[n, k])
                    marks[n, k] = lanes.mark()
        dx = self.input_gradient() if needs_dx else None
        return dx, [grad for n in range(len(self.parts)) for grad in self.gradients(n)]

    def spread(self, dh: Tensor) -> Tensor:
        """Pad the derivatives (T, B, L H) as `h` is."""
        if dh.shape[1:] == self.h.shape[1:]:
            return dh.float().contiguous()
        room = self.h.new_zeros(self.T, self.BP, len(self.parts), self.HU)
        room[:, : self.B, :, : self.H] = dh.unflatten(2, (-1, self.H))
        return room.flatten(2)

    def stretch_backward(self, n: int, s: int, e: int, dh: Tensor, counters: Tensor) -> None:
        """Take layer n back through the steps e to s, and find what it asks of the layers below."""
        from .cuda_kernels import backward_kernel

        part, above, plain = self.parts[n], self.parts[n + 1 :], self.parts[n]["sums"]
        if part["window"] and above:
            w = slice(self.HU, self.HU + self.V)
            part["dw"][s:e, :, : self.V] = sum(other["dbelow"][s:e, :, w].float() for other in above)
        window = {name: part[name][s:] if part["window"] else plain for name in ("kappa", "shape", "dw", "dp")}
        window |= {name: part.get(name, plain) for name in ("codes", "dkappa")}
        backward_kernel[self.grid(part)](
            weight=part["weight"], peephole=part["peephole"], gates=part["gates"][s:], c=part["c"][s:],
            dh=dh[s:, :, n * self.HU :], below=above[0]["dbelow"][s:] if above else dh, dz=part["dz"][s:],
            dc=part["dc"], sums=part["sums"], partial=part["told"], look=part.get("weight_p", plain), counters=counters,
            T=e - s, B=self.BP, U=window["codes"].shape[1], start=s, SD=dh.shape[2],
            limit=float("inf") if self.limits[n] is None else float(self.limits[n]),
            SB=above[0]["width"] if above else 0, WH=power(self.HU), num_warps=self.plan.warps[1], **window,
            **part["sizes"])
        if n:
            torch.mm(part["dz"][s:e].flatten(0, 1), part["weight_x"], out=part["dbelow"][s:e].flatten(0, 1))

    def gradients(self, n: int) -> list:
        """Sum over time and lines what the weights of layer n are asked: large products."""
        part, H, HP, V, K, first = self.parts[n], self.H, self.HP, self.V, self.K, n == 0
        dz, row = part["dz"].flatten(0, 1), part["row"]
        met = row[:-1].flatten(0, 1)

        def unit_rows(grad):
            return grad.unflatten(0, (4, self.HU))[:, :H].flatten(0, 1)

        of_x = unit_rows(matrix(dz.T, part["below"].flatten(0, 1)))
        columns = [of_x[:, part["x"]]]
        if V:
            columns += [unit_rows(matrix(dz.T, met[:, HP : HP + V])) if first else of_x[:, self.HU : self.HU + V]]
        columns += [] if first else [of_x[:, :H]]
        sums = part["sums"].sum(0)[:, :H]
        grads = [torch.cat(columns, 1), sums[:4].flatten(), unit_rows(matrix(dz.T, met[:, :H])), sums[4:], None, None]
        if not part["window"]:
            return grads + [None] * 4
        dp, h = part["dp"].flatten(0, 1), row[1:].flatten(0, 1)[:, :H]
        of_p, of_bias = matrix(dp.to(self.kind).T, h), dp.sum(0)
        of_p, of_bias = (grad.unflatten(0, (4, BW))[:3, :K].flatten(0, 1) for grad in (of_p, of_bias))
        return grads + [of_p, of_bias, None, None]

    def input_gradient(self) -> Tensor:
        """Sum what all layers ask of x."""
        total = 0
        for n, part in enumerate(self.parts):
            below = part["dbelow"] if n else (part["dz"].flatten(0, 1) @ part["weight_x"]).view_as(part["dbelow"])
            total = total + below[:, : self.B, part["x"]].float()
        return total


def matrix(a: Tensor, b: Tensor) -> Tensor:
    """Return a b in float32."""
    if ACCURATE and a.is_cuda and a.dtype == torch.bfloat16:
        return torch.mm(a, b, out_dtype=torch.float32)
    return (a @ b).float()


def device_room(device) -> tuple[int, int]:
    """Return the number of multiprocessors and the shared memory that one program may have, in bytes."""
    properties = torch.cuda.get_device_properties(device)
    known = {(8, 0): 163, (9, 0): 227}.get((properties.major, properties.minor), 99) * 1024  # older PyTorch cannot tell
    return properties.multi_processor_count, getattr(properties, "shared_memory_per_block_optin", known)


def run_network(layers: list[Layer], limits: list, x: Tensor, codes: Tensor | None, kind, plan: Plan | None = None):
    """Run whole lines through all layers; return h (T, B, L H) and the last states as a flat list.

    Where the lines are too many for the GPU to hold at once, they go through in parts.
    """
    T, B, _ = x.shape
    H, V = layers[0].h0.shape[1], 0 if codes is None else layers[0].w0.shape[1]
    plan = plan or make_plan(B, H, V, len(layers), kind, *device_room(x.device))
    if plan is not None:
        with torch.cuda.device(x.device) if x.is_cuda else nullcontext():
            h, *states = Network.apply(plan, kind, limits, x, codes, *(field for layer in layers for field in layer))
        return h, states
    if B == 1:
        raise ValueError(f"Layers of {H} units are too wide for this GPU. Choose another path than \"fused\".")
    halves = [run_network([part_of(layer, lines) for layer in layers], limits, x[:, lines],
                          None if codes is None else codes[lines], kind)
              for lines in (slice(B // 2), slice(B // 2, B))]
    return torch.cat([h for h, _ in halves], 1), [torch.cat(pair) for pair in zip(*(states for _, states in halves))]


def run_model(model, x: Tensor, codes: Tensor | None, state, plan: Plan | None = None) -> tuple[Tensor, tuple]:
    """Do what the loop of a model does: all layers' outputs, and the last state.

    `x` are points (T, B, I) or labels (T, B) of one-hot rows, -1 for none; `codes` (B, U) are labels of the text.
    """
    if not x.is_floating_point():
        x = F.one_hot(x + 1, model.layers[0].input_size + 1)[..., 1:].to(model.output.weight.dtype)
    layers = [Layer(cell.weight_x, cell.bias, cell.weight_h, cell.peephole, *before)
              for cell, before in zip(model.layers, state if codes is None else state.layers)]
    if codes is not None:
        p, (kappa0, w0) = model.window.linear, state.window
        layers[0] = layers[0]._replace(weight_p=p.weight, bias_p=p.bias, kappa0=kappa0, w0=w0)
    kind = model.operands or torch.bfloat16
    h, states = run_network(layers, [cell.clip for cell in model.layers], x, codes, kind, plan)
    kind_of_state = type((state if codes is None else state.layers)[0])
    last = tuple(kind_of_state(*states[i : i + 2]) for i in range(0, 2 * len(layers), 2))
    return h, last if codes is None else type(state)(last, type(state.window)(*states[-2:]))


def part_of(layer: Layer, lines: slice) -> Layer:
    """Take some lines of a layer's states."""
    states = {name: getattr(layer, name) for name in ("h0", "c0", "kappa0", "w0")}
    return layer._replace(**{name: None if state is None else state[lines] for name, state in states.items()})
