"""Whole lines at once, with the backward pass written by hand.

The loop in `models.py` is the one to read first. This one computes the same numbers, but lets
each weight meet all time steps in one large product: the inputs before the loop, the gradients
after it. Only what must go step by step stays in the loop.

In both functions below `dz` (T, B, 4H) is the derivative with respect to the cells' inputs,
clipped at each step; `gates` (T, B, 4H) keeps i, f, tanh(c input) and o; `h` and `c` start with
the state before the first step and so have T + 1 rows.
"""

import torch
from torch import Tensor
from torch.autograd import Function

from .lstm import LSTMState, PeepholeLSTMCell
from .window import SoftWindow, WindowState


def cell_forward(z: Tensor, c: Tensor, peephole: Tensor) -> tuple[Tensor, Tensor]:
    """Turn inputs `z` (B, 4H), in place, into gates; return the new h and c (eqs 7-11)."""
    i, f, g, o = z.chunk(4, dim=-1)
    i.addcmul_(peephole[0], c).sigmoid_()
    f.addcmul_(peephole[1], c).sigmoid_()
    g.tanh_()
    c = f * c + i * g
    o.addcmul_(peephole[2], c).sigmoid_()
    return o * torch.tanh(c), c


def cell_backward(dh, dc, gates, c_before, c, peephole, limit, dz) -> Tensor:
    """Fill `dz` (B, 4H) from `dh` and `dc` (B, H), and return the derivative for the cell before."""
    i, f, g, o = gates.chunk(4, dim=-1)
    dz_i, dz_f, dz_g, dz_o = dz.chunk(4, dim=-1)
    tanh_c = torch.tanh(c)
    torch.mul(dh * tanh_c, o * (1 - o), out=dz_o)
    clip_(dz_o, limit)
    dc = dc + dh * o * (1 - tanh_c * tanh_c) + peephole[2] * dz_o
    torch.mul(dc * g, i * (1 - i), out=dz_i)
    torch.mul(dc * c_before, f * (1 - f), out=dz_f)
    torch.mul(dc * i, 1 - g * g, out=dz_g)
    clip_(dz[:, : -dz_o.shape[-1]], limit)
    return dc * f + peephole[0] * dz_i + peephole[1] * dz_f


def clip_(x: Tensor, limit: float | None) -> None:
    """Clip in place, unless there is no limit."""
    if limit is not None:
        x.clamp_(-limit, limit)


def peephole_gradient(dz: Tensor, c: Tensor) -> Tensor:
    """Sum what the three peepholes saw: the gates i and f the old cell, the gate o the new one."""
    dz_i, dz_f, _, dz_o = dz.chunk(4, dim=-1)
    seen = (dz_i * c[:-1], dz_f * c[:-1], dz_o * c[1:])
    return torch.stack([s.flatten(0, 1).sum(0) for s in seen])


def outer_sum(dz: Tensor, x: Tensor) -> Tensor:
    """Sum the outer products over time and lines: one large matrix product."""
    return dz.flatten(0, 1).T @ x.flatten(0, 1)


class LSTMSequence(Function):
    """h = LSTM(a): all steps of one layer; `a` (T, B, 4H) already holds W_x x + b."""

    @staticmethod
    def forward(ctx, a, weight_h, peephole, h0, c0, limit):
        weight = weight_h.T.contiguous()  # read T times: in the order it is read
        gates, h, c = [], [h0], [c0]
        for a_t in a:
            z = torch.addmm(a_t, h[-1], weight)
            h_t, c_t = cell_forward(z, c[-1], peephole)
            gates.append(z), h.append(h_t), c.append(c_t)
        gates, h, c = torch.stack(gates), torch.stack(h), torch.stack(c)
        ctx.save_for_backward(gates, h, c, weight_h, peephole)
        ctx.limit = limit
        ctx.mark_non_differentiable(c)
        return h[1:].clone(), c

    @staticmethod
    def backward(ctx, dh_out, _):
        gates, h, c, weight_h, peephole = ctx.saved_tensors
        dz = torch.empty_like(gates)
        dh = dc = torch.zeros_like(c[0])
        for t in reversed(range(len(gates))):
            dc = cell_backward(dh + dh_out[t], dc, gates[t], c[t], c[t + 1], peephole, ctx.limit, dz[t])
            dh = dz[t] @ weight_h
        return dz, outer_sum(dz, h[:-1]), peephole_gradient(dz, c), None, None, None


class WindowedLSTMSequence(Function):
    """h, w = the first layer and the window that it moves: w_{t-1} comes back as its input.

    `a` (T, B, 4H) holds W_x x + b; `weight` (4H, H + V) is [W_h, W_w]; `weight_p` (3K, H) and
    `bias_p` are those of eq. (48). The window's derivatives are the paper's own (eqs 56-60).
    """

    @staticmethod
    def forward(ctx, a, weight, peephole, weight_p, bias_p, text, h0, c0, kappa0, w0, limit):
        weight_t = weight.T.contiguous()
        u = torch.arange(1, text.shape[1] + 1, dtype=a.dtype, device=a.device)
        gates, hw, c, kappa, shapes = [], [torch.cat([h0, w0], -1)], [c0], [kappa0], []
        for a_t in a:
            z = torch.addmm(a_t, hw[-1], weight_t)
            h_t, c_t = cell_forward(z, c[-1], peephole)
            alpha, beta, step = torch.addmm(bias_p, h_t, weight_p.T).exp_().chunk(3, -1)
            kappa_t = kappa[-1] + step
            phi = window_terms(alpha, beta, kappa_t, u)[0].sum(1)  # (B, U)
            w_t = torch.bmm(phi.unsqueeze(1), text).squeeze(1)
            gates.append(z), hw.append(torch.cat([h_t, w_t], -1)), c.append(c_t)
            kappa.append(kappa_t), shapes.append(torch.stack([alpha, beta, step]))
        gates, hw, c, kappa, shapes = map(torch.stack, (gates, hw, c, kappa, shapes))
        ctx.save_for_backward(gates, hw, c, kappa, shapes, weight, peephole, weight_p, text, u)
        ctx.limit = limit
        ctx.mark_non_differentiable(c, kappa)
        H = c0.shape[-1]
        return hw[1:, :, :H].contiguous(), hw[1:, :, H:].contiguous(), c, kappa

    @staticmethod
    def backward(ctx, dh_out, dw_out, _, __):
        gates, hw, c, kappa, shapes, weight, peephole, weight_p, text, u = ctx.saved_tensors
        H = c.shape[-1]
        dz, dp = torch.empty_like(gates), torch.empty_like(shapes).transpose(1, 2).flatten(2)
        dc, dhw, dkappa = torch.zeros_like(c[0]), torch.zeros_like(hw[0]), torch.zeros_like(kappa[0])
        for t in reversed(range(len(gates))):
            dw = dw_out[t] + dhw[:, H:]
            dp[t], dkappa = window_backward(dw, dkappa, *shapes[t], kappa[t + 1], text, u)
            dh = dh_out[t] + dhw[:, :H] + dp[t] @ weight_p
            dc = cell_backward(dh, dc, gates[t], c[t], c[t + 1], peephole, ctx.limit, dz[t])
            dhw = dz[t] @ weight
        h = hw[1:, :, :H]
        return (dz, outer_sum(dz, hw[:-1]), peephole_gradient(dz, c), outer_sum(dp, h),
                dp.sum((0, 1)), None, None, None, None, None, None)


def window_terms(alpha, beta, kappa, u) -> tuple[Tensor, Tensor]:
    """Return alpha exp(-beta (kappa - u)^2) and kappa - u, (B, K, U) each (eq. 46)."""
    distance = kappa.unsqueeze(-1) - u
    return alpha.unsqueeze(-1) * torch.exp(-beta.unsqueeze(-1) * distance**2), distance


def window_backward(dw, dkappa, alpha, beta, step, kappa, text, u) -> tuple[Tensor, Tensor]:
    """Return the derivatives of the three "hats", (B, 3K), and that of kappa (eqs 56-60)."""
    terms, distance = window_terms(alpha, beta, kappa, u)
    eps = terms * torch.bmm(text, dw.unsqueeze(-1)).transpose(1, 2)  # eq. (56), (B, K, U)
    d_alpha = eps.sum(-1)  # eq. (57)
    d_beta = -beta * (eps * distance**2).sum(-1)  # eq. (58)
    dkappa = dkappa - 2 * beta * (eps * distance).sum(-1)  # eq. (59)
    return torch.cat([d_alpha, d_beta, step * dkappa], -1), dkappa  # eq. (60)


def can_run_whole(model) -> bool:
    """Say whether the parts are the book's own: with others only the loop is right."""
    return type(model.window) is SoftWindow and all(type(c) is PeepholeLSTMCell for c in model.layers)


def run_whole(model, x: Tensor, text: Tensor, state) -> tuple[Tensor, tuple]:
    """Do what the loop in `HandwritingSynthesizer.forward` does: all layers' outputs and the last state."""
    first, *rest = model.layers
    h1, w, state1, window = first_layer(first, model.window, x, text, state)
    outputs, states = [h1], [state1]
    for cell, (h0, c0) in zip(rest, state.layers[1:]):
        a = torch.cat([x, w, outputs[-1]], -1) @ cell.weight_x.T + cell.bias
        h, c = LSTMSequence.apply(a, cell.weight_h, cell.peephole, h0, c0, cell.clip)
        outputs.append(h), states.append(LSTMState(h[-1].detach(), c[-1]))
    return torch.cat(outputs, -1), type(state)(tuple(states), window)


def first_layer(cell, window, x, text, state):
    """Run the layer that moves the window; return h (T, B, H), w (T, B, V) and both last states."""
    (h0, c0), (kappa0, w0) = state.layers[0], state.window
    n = x.shape[-1]
    a = x @ cell.weight_x[:, :n].T + cell.bias
    weight = torch.cat([cell.weight_h, cell.weight_x[:, n:]], 1)
    h, w, c, kappa = WindowedLSTMSequence.apply(
        a, weight, cell.peephole, window.linear.weight, window.linear.bias,
        text, h0, c0, kappa0, w0, cell.clip)
    return h, w, LSTMState(h[-1].detach(), c[-1]), WindowState(kappa[-1], w[-1].detach())
