"""Whole sequences at once, with the backward pass written out.

The loops in `lstm.py` and `models.py` are the ones to read first. This module computes the same
numbers, but lets each weight meet all time steps in one large product: the inputs before the loop,
the gradients after it. What must go step by step is left to one of the modules in `kernels/`.

Names, everywhere: `a` (T, B, 4H) is W_x x; `gates` (T, B, 4H) keeps i, f, tanh(c input) and o; `dz`
(T, B, 4H) is the derivative with respect to what the sigmoids and tanhs take in, clipped at each
step; `sums` (7, H) are derivatives of the bias (4 rows) and the peepholes (3).
`h`, `c`, `kappa` and `w` start with the state before the first step and so have T + 1 rows.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from .kernels import cpu, cuda, cuda_graph, steps
from .lstm import LSTMState, PeepholeLSTMCell
from .window import SoftWindow, WindowState

PATHS = {"steps": steps, "native": cpu, "graph": cuda_graph}


class WholeLayer(Function):
    """h, c, w, kappa = one layer over whole sequences, with the window if it moves one (else None for both).

    `a` (T, B, 4H) is what the inputs add to the gates, but for the window's; its type, float32 or
    bfloat16, is that of the large products. Cells and sums are float32. `weight_w` (4H, V) is the part
    of W_x that meets w_{t-1}; `codes` (B, U) are the text's labels, -1 past a line's end. The states'
    own derivatives are not computed: a sequence starts from them, it is not trained through them.
    """

    @staticmethod
    def forward(ctx, loops, limit, a, bias, weight_h, peephole, h0, c0,
                weight_w=None, weight_p=None, bias_p=None, codes=None, kappa0=None, w0=None):
        T, B, H = len(a), *h0.shape
        layer = dict(a=a, bias=bias, weight_h=weight_h, peephole=peephole,
                     gates=h0.new_empty(T, B, 4 * H), h=states(h0, T), c=states(c0, T))
        if codes is not None:
            layer |= dict(weight_w=weight_w, weight_p=weight_p, bias_p=bias_p, codes=codes, kappa=states(kappa0, T),
                          w=states(w0, T), shape=h0.new_empty(T, B, len(bias_p)))
        loops.forward(layer, limit)
        del layer["a"]
        ctx.loops, ctx.limit, ctx.layer, ctx.kind = loops, limit, layer, a.dtype
        ctx.set_materialize_grads(False)
        h, c, w, kappa = (layer.get(name) for name in ("h", "c", "w", "kappa"))
        ctx.mark_non_differentiable(*(state for state in (c, kappa) if state is not None))
        return h[1:], c, None if w is None else w[1:], kappa

    @staticmethod
    def backward(ctx, dh, _, dw, __):
        layer, h = ctx.layer, ctx.layer["h"]
        made = dict(dh=torch.zeros_like(h[1:]) if dh is None else dh,
                    dz=torch.empty(layer["gates"].shape, dtype=ctx.kind, device=h.device))
        if "w" in layer:
            w = layer["w"]
            made |= dict(dw=torch.zeros_like(w[1:]) if dw is None else dw, dp=torch.empty_like(layer["shape"]))
        sums = ctx.loops.backward(layer | made, ctx.limit)
        dz = made["dz"]
        grads = [dz, sums[:4].flatten(), outer_sum(dz, h[:-1]), sums[4:], None, None]
        if "w" in layer:
            dp = made["dp"]
            grads += [outer_sum(dz, w[:-1]), outer_sum(dp, h[1:]), dp.sum((0, 1))]
        return None, None, *grads, *[None] * (14 - 2 - len(grads))


def states(first: Tensor, T: int) -> Tensor:
    """Make room for the states of T steps after the first one."""
    room = first.new_empty(T + 1, *first.shape)
    room[0] = first
    return room


def outer_sum(dz: Tensor, x: Tensor) -> Tensor:
    """Sum the outer products over time and lines: one large matrix product, which likes its rows to lie together."""
    rows = x.flatten(0, -2).to(dz.dtype).T.contiguous()
    return (rows @ dz.flatten(0, 1)).T.to(torch.promote_types(dz.dtype, torch.float32))


def best_path(model, x: Tensor) -> str:
    """Choose how to run: "fused" or "graph" on a GPU, "native" or "steps" on a processor, "plain" for other parts."""
    own = type(getattr(model, "window", None)) in (SoftWindow, type(None))
    if not own or any(type(cell) is not PeepholeLSTMCell for cell in model.layers):
        return "plain"
    kind = x.dtype if x.is_floating_point() else model.output.weight.dtype
    if x.device.type == "cuda":
        return cuda.best_path(x.device, kind)
    return "native" if x.device.type == "cpu" and kind == torch.float32 and cpu.available() else "steps"


def run_whole(model, x: Tensor, text: Tensor | None, state, path: str) -> tuple[Tensor, tuple]:
    """Do what the loop of a model does: all layers' outputs (T, B, N * H), and the last state."""
    if path == "fused":
        return cuda.run_model(model, x, None if text is None else labels(text), state)
    kind, read, outputs, last = model.operands or model.output.weight.dtype, [], [], []
    for cell, (h0, c0) in zip(model.layers, state if text is None else state.layers):
        window = window_of(model, x, text, state.window) if text is not None and not outputs else {}
        a = project(cell.weight_x[:, : x.shape[-1]] if window else cell.weight_x, [x, *read, *outputs[-1:]], kind)
        h, c, w, kappa = WholeLayer.apply(PATHS[path], cell.clip, a, cell.bias, cell.weight_h, cell.peephole,
                                          h0, c0, *window.values())
        if window:
            read, moved = [w], WindowState(kappa[-1], w[-1].detach())
        outputs.append(h), last.append(LSTMState(h[-1].detach(), c[-1]))
    return torch.cat(outputs, -1), tuple(last) if text is None else type(state)(tuple(last), moved)


def window_of(model, x, text, state) -> dict:
    """Return what the first layer needs to move a window, by the names of `WholeLayer`."""
    p = model.window.linear
    return dict(weight_w=model.layers[0].weight_x[:, x.shape[-1] :], weight_p=p.weight, bias_p=p.bias,
                codes=labels(text), kappa0=state.kappa, w0=state.w)


def project(weight: Tensor, below: list[Tensor], kind) -> Tensor:
    """Return W_x x (T, B, 4H) for an x that lies in parts; the first may be labels (T, B) of one-hot rows."""
    x, *rest = below
    if x.is_floating_point():
        return F.linear(together(below, kind), weight.to(kind))
    if not rest:
        return Pick.apply(weight, x).to(kind)
    n = sum(part.shape[-1] for part in rest)
    picks, dense = weight.split([weight.shape[1] - n, n], 1)
    return Pick.apply(picks, x).to(kind) + F.linear(together(rest, kind), dense.to(kind))


def together(parts: list[Tensor], kind) -> Tensor:
    """Lay parts side by side as operands; they are narrowed first, so that less is copied."""
    return torch.cat([part.to(kind) for part in parts], -1)


class Pick(Function):
    """The columns (T, B, R) of a matrix (R, V) that labels (T, B) name; zeros for the label -1.

    Only columns that are named are touched: with 10,000 words most are not.
    """

    @staticmethod
    def forward(ctx, weight, x):
        names, ctx.places = x.unique(return_inverse=True)
        ctx.found, ctx.shape = names >= 0, weight.shape
        ctx.names = names[ctx.found]
        columns = weight.new_zeros(len(names), len(weight))
        columns[ctx.found] = weight[:, ctx.names].T
        return columns[ctx.places]

    @staticmethod
    def backward(ctx, da):
        sums = da.new_zeros(len(ctx.found), ctx.shape[0]).index_add_(0, ctx.places.flatten(), da.flatten(0, 1))
        dw = da.new_zeros(ctx.shape)
        dw[:, ctx.names] = sums[ctx.found].T
        return dw, None


def labels(text: Tensor) -> Tensor:
    """Turn one-hot text (B, U, V) back into labels (B, U), -1 past a line's end."""
    return torch.where(text.sum(-1) > 0, text.argmax(-1), -1).to(torch.int32)
