"""The LSTM cell with peepholes (eqs 7-11) and the clip of its derivatives (section 2.1)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class ClipGradient(torch.autograd.Function):
    """Do nothing on the way forward; keep every derivative within [-limit, limit] on the way back."""

    @staticmethod
    def forward(ctx, x, limit):
        ctx.limit = limit
        return x.view_as(x)

    @staticmethod
    def backward(ctx, dx):
        return dx.clamp(-ctx.limit, ctx.limit), None


def clip_gradient(x: Tensor, limit: float | None) -> Tensor:
    """Return `x` itself, with its derivative clipped element by element (section 2.1).

    The paper clips the derivative at each time step. It clips neither the norm of the
    weight gradient nor the weight gradient itself. `limit=None` leaves all as it is.
    """
    return x if limit is None else ClipGradient.apply(x, limit)


class LSTMState(NamedTuple):
    """What a cell carries from one step to the next: output `h` and cell `c`, both (B, H)."""

    h: Tensor
    c: Tensor


class PeepholeLSTMCell(nn.Module):
    """c, h = H(x, h, c): one step of an LSTM whose gates look at the cell (eqs 7-11).

    The rows of `weight_x` (4H, I), `weight_h` (4H, H) and `bias` (4H) are the blocks
    i, f, c, o; `peephole` (3, H) holds the diagonals of W_ci, W_cf and W_co.
    With `peephole` at zero this is `nn.LSTM`.
    """

    def __init__(self, input_size: int, hidden_size: int, clip: float | None = 10.0):
        super().__init__()
        self.input_size, self.hidden_size, self.clip = input_size, hidden_size, clip
        self.weight_x = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_h = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.peephole = nn.Parameter(torch.empty(3, hidden_size))
        self.bias = nn.Parameter(torch.empty(4 * hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights with variance 1 / fan-in, small peepholes, and forget gates that start open.

        The paper does not say how it starts; this is our choice.
        """
        nn.init.normal_(self.weight_x, std=self.input_size**-0.5)
        nn.init.normal_(self.weight_h, std=self.hidden_size**-0.5)
        nn.init.normal_(self.peephole, std=0.05)
        nn.init.zeros_(self.bias)
        self.bias.data[self.hidden_size : 2 * self.hidden_size] = 1.0

    def initial_state(self, batch: int) -> LSTMState:
        """Return the state before the first step: zeros, (B, H) each."""
        zeros = self.bias.new_zeros(batch, self.hidden_size)
        return LSTMState(zeros, zeros)

    def forward(self, x: Tensor, state: LSTMState) -> LSTMState:
        """Take one step: `x` (B, I) and the state before it give the state after it."""
        h, c = state
        a = x @ self.weight_x.T + h @ self.weight_h.T + self.bias  # (B, 4H)
        i, f, g, o = a.chunk(4, dim=-1)  # (B, H) each
        w_ci, w_cf, w_co = self.peephole
        i = torch.sigmoid(self.clipped(i + w_ci * c))  # eq. (7)
        f = torch.sigmoid(self.clipped(f + w_cf * c))  # eq. (8)
        c = f * c + i * torch.tanh(self.clipped(g))  # eq. (9)
        o = torch.sigmoid(self.clipped(o + w_co * c))  # eq. (10): the new cell
        return LSTMState(o * torch.tanh(c), c)  # eq. (11)

    def clipped(self, z: Tensor) -> Tensor:
        """Return an input to the sigmoids and tanhs; its derivative is what the paper clips."""
        return clip_gradient(z, self.clip)
