"""Whole lines at once, with the backward pass written out.

The loop in `models.py` is the one to read first. This module computes the same numbers, but lets
each weight meet all time steps in one large product: the inputs before the loop, the gradients
after it. What must go step by step is left to one of the modules in `kernels/`.

Names, everywhere: `a` (T, B, 4H) is W_x x; `gates` (T, B, 4H) keeps i, f, tanh(c input) and o; `dz`
(T, B, 4H) is the derivative with respect to what the sigmoids and tanhs take in, clipped at each
step; `sums` (n, 7, H) are derivatives of the bias (4 rows) and the peepholes (3), to be summed over
n. `h`, `c`, `kappa` and `w` start with the state before the first step and so have T + 1 rows.
"""

import torch
from torch import Tensor
from torch.autograd import Function

from .kernels import cpu, cuda, cuda_graph, steps
from .lstm import LSTMState, PeepholeLSTMCell
from .window import SoftWindow, WindowState

PATHS = {"steps": steps, "native": cpu, "graph": cuda_graph}


class WholeLayer(Function):
    """h, w = one layer over whole lines, with the window if it moves one (else w is None).

    `x` (T, B, I) are all inputs but the window's; `weight_w` (4H, V) is the part of W_x that meets
    w_{t-1}; `codes` (B, U) are the text's labels, -1 past a line's end. Products take operands of
    type `kind`, float32 or bfloat16; cells and sums are float32. The states' own derivatives are not
    computed: a line starts from them, it is not trained through them.
    """

    @staticmethod
    def forward(ctx, loops, kind, limit, x, weight_x, bias, weight_h, peephole, h0, c0,
                weight_w=None, weight_p=None, bias_p=None, codes=None, kappa0=None, w0=None):
        T, B, H = len(x), *h0.shape
        x, weight_x = x.flatten(0, 1).to(kind), weight_x.to(kind)
        layer = dict(a=(x @ weight_x.T).view(T, B, -1), bias=bias, weight_h=weight_h, peephole=peephole,
                     gates=h0.new_empty(T, B, 4 * H), h=states(h0, T), c=states(c0, T))
        if codes is not None:
            layer |= dict(weight_w=weight_w, weight_p=weight_p, bias_p=bias_p, codes=codes, kappa=states(kappa0, T),
                          w=states(w0, T), shape=h0.new_empty(T, B, len(bias_p)))
        loops.forward(layer, limit)
        del layer["a"]
        ctx.loops, ctx.limit, ctx.layer, ctx.x, ctx.weight_x = loops, limit, layer, x, weight_x
        ctx.set_materialize_grads(False)
        h, c, w, kappa = (layer.get(name) for name in ("h", "c", "w", "kappa"))
        ctx.mark_non_differentiable(*(state for state in (c, kappa) if state is not None))
        return h[1:], c, None if w is None else w[1:], kappa

    @staticmethod
    def backward(ctx, dh, _, dw, __):
        layer, x, h = ctx.layer, ctx.x, ctx.layer["h"]
        made = dict(dh=torch.zeros_like(h[1:]) if dh is None else dh, dz=x.new_empty(layer["gates"].shape))
        if "w" in layer:
            w = layer["w"]
            made |= dict(dw=torch.zeros_like(w[1:]) if dw is None else dw, dp=torch.empty_like(layer["shape"]))
        sums = ctx.loops.backward(layer | made, ctx.limit)
        dz = made["dz"]
        dx = (dz.flatten(0, 1) @ ctx.weight_x).to(h.dtype).view(*dz.shape[:2], -1) if ctx.needs_input_grad[3] else None
        grads = [dx, outer_sum(dz, x), sums[:4].flatten(), outer_sum(dz, h[:-1]), sums[4:], None, None]
        if "w" in layer:
            dp = made["dp"]
            grads += [outer_sum(dz, w[:-1]), outer_sum(dp, h[1:]), dp.sum((0, 1))]
        return None, None, None, *grads, *[None] * (16 - 3 - len(grads))


def states(first: Tensor, T: int) -> Tensor:
    """Make room for the states of T steps after the first one."""
    room = first.new_empty(T + 1, *first.shape)
    room[0] = first
    return room


def outer_sum(dz: Tensor, x: Tensor) -> Tensor:
    """Sum the outer products over time and lines: one large matrix product."""
    x = x.flatten(0, -2).to(dz.dtype)
    return (dz.flatten(0, 1).T @ x).to(torch.promote_types(dz.dtype, torch.float32))


def best_path(model, x: Tensor) -> str:
    """Choose how to run: "fused" or "graph" on a GPU, "native" or "steps" on a processor, "plain" for other parts."""
    own = type(model.window) is SoftWindow and all(type(cell) is PeepholeLSTMCell for cell in model.layers)
    if not own:
        return "plain"
    if x.device.type == "cuda":
        return cuda.best_path(x.device, x.dtype)
    return "native" if x.device.type == "cpu" and x.dtype == torch.float32 and cpu.available() else "steps"


def run_whole(model, x: Tensor, text: Tensor, state, path: str) -> tuple[Tensor, tuple]:
    """Do what the loop in `HandwritingSynthesizer.forward` does: all layers' outputs and the last state."""
    if path == "fused":
        return cuda.run_model(model, x, labels(text), state)
    loops, kind, n = PATHS[path], model.operands or x.dtype, x.shape[-1]
    first, *rest = model.layers
    (h0, c0), (kappa0, w0), p = state.layers[0], state.window, model.window.linear
    h, c, w, kappa = WholeLayer.apply(
        loops, kind, first.clip, x, first.weight_x[:, :n], first.bias, first.weight_h, first.peephole, h0, c0,
        first.weight_x[:, n:], p.weight, p.bias, labels(text), kappa0, w0)
    outputs, last = [h], [LSTMState(h[-1].detach(), c[-1])]
    for cell, (h0, c0) in zip(rest, state.layers[1:]):
        below = torch.cat([x, w, h], -1)
        h, c, _, _ = WholeLayer.apply(loops, kind, cell.clip, below, cell.weight_x, cell.bias,
                                      cell.weight_h, cell.peephole, h0, c0)
        outputs.append(h), last.append(LSTMState(h[-1].detach(), c[-1]))
    return torch.cat(outputs, -1), type(state)(tuple(last), WindowState(kappa[-1], w[-1].detach()))


def labels(text: Tensor) -> Tensor:
    """Turn one-hot text (B, U, V) back into labels (B, U), -1 past a line's end."""
    return torch.where(text.sum(-1) > 0, text.argmax(-1), -1).to(torch.int32)
