"""The steps of one layer in PyTorch operations: any device, any float type (names: `sequence.py`)."""

import torch
from torch import Tensor


def forward(layer: dict, limit: float | None) -> None:
    """Fill `gates`, `h` and `c`; with a window also `kappa`, `w` and `shape` (alpha, beta, step of kappa)."""
    a, h, c, gates, peephole = (layer[name] for name in ("a", "h", "c", "gates", "peephole"))
    weight, windowed = recurrent(layer).T.contiguous(), "w" in layer  # read T times: in reading order
    if windowed:
        w, kappa, shape, text, u = layer["w"], layer["kappa"], layer["shape"], *reading(layer)
    for t in range(len(a)):
        before = torch.cat([h[t], w[t]], -1) if windowed else h[t]
        z = torch.addmm(a[t] + layer["bias"], before, weight)
        h[t + 1], c[t + 1] = cell_forward(z, c[t], peephole)
        gates[t] = z
        if windowed:
            shape[t] = torch.addmm(layer["bias_p"], h[t + 1], layer["weight_p"].T).exp_()  # eqs (48) to (50)
            alpha, beta, step = shape[t].chunk(3, -1)
            kappa[t + 1] = kappa[t] + step  # eq. (51)
            phi = window_terms(alpha, beta, kappa[t + 1], u)[0].sum(1)  # (B, U)
            w[t + 1] = torch.bmm(phi.unsqueeze(1), text).squeeze(1)  # eq. (47)


def backward(layer: dict, limit: float | None) -> Tensor:
    """Fill `dz`, with a window also `dp`, from `dh` and `dw`; return the sums of bias and peepholes (7, H)."""
    backward_steps(layer, limit, first_carry(layer))
    return small_sums(layer["dz"], layer["c"])


def first_carry(layer: dict) -> list[Tensor]:
    """Return what the last step hears from the steps after it, of h (and w), of c (and kappa): nothing."""
    h, width = layer["h"], sum(layer[name].shape[-1] for name in ("h", "w") if name in layer)
    states = [layer[name][0] for name in ("c", "kappa") if name in layer]
    return [h.new_zeros(h.shape[1], width), *map(torch.zeros_like, states)]


def backward_steps(layer: dict, limit: float | None, carry: list[Tensor]) -> list[Tensor]:
    """Go back through all steps; return what the step before them hears."""
    h, c, gates, dz, peephole = (layer[name] for name in ("h", "c", "gates", "dz", "peephole"))
    H, weight, windowed = h.shape[-1], recurrent(layer), "w" in layer
    back, dc, *dkappa = carry
    if windowed:
        kappa, shape, dp, text, u = layer["kappa"], layer["shape"], layer["dp"], *reading(layer)
    for t in reversed(range(len(gates))):
        dh = layer["dh"][t] + back[:, :H]
        if windowed:
            dw = layer["dw"][t] + back[:, H:]
            dp[t], dkappa[0] = window_backward(dw, dkappa[0], *shape[t].chunk(3, -1), kappa[t + 1], text, u)
            dh = dh + dp[t] @ layer["weight_p"]
        dc = cell_backward(dh, dc, gates[t], c[t], c[t + 1], peephole, limit, dz[t])
        back = dz[t].to(weight.dtype) @ weight
    return [back, dc, *dkappa]


def recurrent(layer: dict) -> Tensor:
    """Return [W_h, W_w] (4H, H + V), or W_h alone where there is no window."""
    return torch.cat([layer["weight_h"], layer["weight_w"]], 1) if "w" in layer else layer["weight_h"]


def reading(layer: dict) -> tuple[Tensor, Tensor]:
    """Return the text as one-hot (B, U, V), and the places u of its characters (U,)."""
    codes, like = layer["codes"].long(), layer["h"]
    text = like.new_zeros(*codes.shape, layer["w"].shape[-1])
    text.scatter_(-1, codes.clamp(min=0).unsqueeze(-1), (codes >= 0).to(like.dtype).unsqueeze(-1))
    return text, torch.arange(1, codes.shape[1] + 1, dtype=like.dtype, device=like.device)


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


def small_sums(dz: Tensor, c: Tensor) -> Tensor:
    """Sum what the bias saw, and the peepholes: the gates i and f the old cell, the gate o the new one."""
    dz_i, dz_f, _, dz_o = parts = dz.to(c.dtype).chunk(4, dim=-1)
    seen = (*parts, dz_i * c[:-1], dz_f * c[:-1], dz_o * c[1:])
    return torch.stack([s.flatten(0, 1).sum(0) for s in seen])


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
