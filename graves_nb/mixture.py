"""The mixture density output (eqs 18-26), its bias (eqs 61-62) and a draw from it."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Mixture(NamedTuple):
    """What the network believes of the next point: M Gaussians, and e, the pen's chance to lift.

    `e` has shape (...); the others have shape (..., M).
    """

    e: Tensor
    pi: Tensor
    mu1: Tensor
    mu2: Tensor
    sigma1: Tensor
    sigma2: Tensor
    rho: Tensor


def split_outputs(y_hat: Tensor) -> list[Tensor]:
    """Cut the network's 1 + 6M raw outputs into e, pi, mu1, mu2, sigma1, sigma2 and rho "hats"."""
    M = (y_hat.shape[-1] - 1) // 6
    e_hat, *rest = y_hat.split([1] + 6 * [M], dim=-1)
    return [e_hat.squeeze(-1), *rest]


def mixture_parameters(y_hat: Tensor, bias: float | Tensor = 0.0) -> Mixture:
    """Turn raw outputs (..., 1 + 6M) into a mixture (eqs 18-22), biased by `bias` >= 0 (eqs 61-62)."""
    e, pi, mu1, mu2, sigma1, sigma2, rho = split_outputs(y_hat)
    return Mixture(
        e=torch.sigmoid(-e),  # eq. (18): minus, as printed
        pi=torch.softmax(pi * (1 + bias), dim=-1),  # eqs (19) and (62)
        mu1=mu1,  # eq. (20)
        mu2=mu2,
        sigma1=torch.exp(sigma1 - bias),  # eqs (21) and (61)
        sigma2=torch.exp(sigma2 - bias),
        rho=torch.tanh(rho),  # eq. (22)
    )


def log_normal(y_hat: Tensor, x: Tensor) -> Tensor:
    """Return log N(x | mu_j, sigma_j, rho_j) of offsets `x` (..., 2) for each component, (..., M).

    It is eqs (24) and (25) in logarithms, written so that rho may come as near to 1 as it likes:
    Z / (1 - rho^2) = (d1 - rho d2)^2 / (1 - rho^2) + d2^2, and log(1 - rho^2) needs no difference.
    """
    _, _, mu1, mu2, sigma1, sigma2, rho_hat = split_outputs(y_hat)
    d1 = (x[..., 0:1] - mu1) * torch.exp(-sigma1)
    d2 = (x[..., 1:2] - mu2) * torch.exp(-sigma2)
    r = rho_hat.abs()
    log_q = 2 * (math.log(2) - r - F.softplus(-2 * r))  # log(1 - tanh(r)^2)
    log_q = log_q.clamp(min=-40)  # nearer to 1 than any float that is not 1
    z = (d1 - torch.tanh(rho_hat) * d2) ** 2 * torch.exp(-log_q) + d2**2  # eq. (25)
    return -0.5 * (z + log_q) - sigma1 - sigma2 - math.log(2 * math.pi)  # eq. (24)


def mixture_loss(y_hat: Tensor, x: Tensor) -> Tensor:
    """Return -log Pr(x | y) of each next point, in nats (eqs 23 and 26).

    `y_hat` (..., 1 + 6M) are raw outputs, `x` (..., 3) the points that came; the result is (...).
    It is the logarithm of a density: it may be negative, and it moves with the units of `x`.
    """
    e_hat, pi_hat = split_outputs(y_hat)[:2]
    log_pi = torch.log_softmax(pi_hat, dim=-1)
    log_offset = torch.logsumexp(log_pi + log_normal(y_hat, x), dim=-1)
    pen_up = x[..., 2]
    log_pen = -pen_up * F.softplus(e_hat) - (1 - pen_up) * F.softplus(-e_hat)
    return -(log_offset + log_pen)


def sample_mixture(mixture: Mixture, draws: Tensor) -> Tensor:
    """Draw the next point (..., 3) from a mixture.

    `draws` (..., 4) is the chance it takes: two uniform numbers, which choose the component and
    the pen, and two standard normal ones, which choose the place.
    """
    u_component, u_pen, n1, n2 = draws.unbind(-1)
    j = (mixture.pi.cumsum(-1) <= u_component.unsqueeze(-1)).sum(-1, keepdim=True)
    j = j.clamp(max=mixture.pi.shape[-1] - 1)  # the sum may end a hair below 1
    mu1, mu2, sigma1, sigma2, rho = (p.gather(-1, j).squeeze(-1) for p in mixture[2:])
    dx = mu1 + sigma1 * n1
    dy = mu2 + sigma2 * (rho * n1 + torch.sqrt(1 - rho**2) * n2)
    return torch.stack([dx, dy, (u_pen < mixture.e).to(dx.dtype)], dim=-1)
