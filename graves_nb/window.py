"""The soft window that slides along the text (eqs 46-51)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class WindowState(NamedTuple):
    """Where the window stands: centres `kappa` (B, K) and what it reads, `w` (B, V)."""

    kappa: Tensor
    w: Tensor


class WindowShape(NamedTuple):
    """The window of one step: heights `alpha`, sharpness `beta`, centres `kappa`, (B, K) each."""

    alpha: Tensor
    beta: Tensor
    kappa: Tensor

    def phi(self, u: Tensor) -> Tensor:
        """Return the weight phi(t, u) of the characters at places `u` (U,), as (B, U)."""
        alpha, beta, kappa = (p.unsqueeze(-1) for p in self)  # (B, K, 1)
        return (alpha * torch.exp(-beta * (kappa - u) ** 2)).sum(1)  # eq. (46)

    def log_phi(self, u: Tensor) -> Tensor:
        """Return log phi(t, u), (B, U): finite where phi itself underflows to zero."""
        alpha, beta, kappa = (p.unsqueeze(-1) for p in self)  # (B, K, 1)
        return torch.logsumexp(alpha.log() - beta * (kappa - u) ** 2, dim=1)


class SoftWindow(nn.Module):
    """w_t = sum_u phi(t, u) c_u: read the text through K Gaussians that only move forward."""

    def __init__(self, hidden_size: int, K: int = 10):
        super().__init__()
        self.K = K
        self.linear = nn.Linear(hidden_size, 3 * K)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start slow: exp(-3.2) of a character a step, about the pace of a hand (our choice)."""
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)
        self.linear.bias.data[self.K : 2 * self.K] = -0.7
        self.linear.bias.data[2 * self.K :] = -3.2

    def initial_state(self, batch: int, V: int) -> WindowState:
        """Return the window before the first step: kappa = 0 and nothing read."""
        weight = self.linear.weight
        return WindowState(weight.new_zeros(batch, self.K), weight.new_zeros(batch, V))

    def shape(self, h: Tensor, kappa: Tensor) -> WindowShape:
        """Return the window that the first layer's output `h` (B, H) asks for."""
        alpha_hat, beta_hat, kappa_hat = self.linear(h).chunk(3, dim=-1)  # eq. (48)
        return WindowShape(
            torch.exp(alpha_hat),  # eq. (49)
            torch.exp(beta_hat),  # eq. (50)
            kappa + torch.exp(kappa_hat),  # eq. (51)
        )

    def forward(self, h: Tensor, text: Tensor, state: WindowState) -> WindowState:
        """Move on and read: `h` (B, H), one-hot `text` (B, U, V), the state before it."""
        shape = self.shape(h, state.kappa)
        u = torch.arange(1, text.shape[1] + 1, device=h.device, dtype=h.dtype)
        w = torch.einsum("bu,buv->bv", shape.phi(u), text)  # eq. (47)
        return WindowState(shape.kappa, w)
