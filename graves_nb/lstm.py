"""The LSTM cell with peepholes (eqs 7-11), the clip of its derivatives, and deep stacks of it (eqs 1-3)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
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


def detached(state):
    """Return a state whose past is forgotten: no derivative goes further back."""
    if isinstance(state, Tensor):
        return state.detach()
    parts = [detached(part) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


class PeepholeLSTMCell(nn.Module):
    """h, c = H(x, h, c): one step of an LSTM whose gates look at the cell (eqs 7-11).

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


class OneHot(NamedTuple):
    """One-hot rows (B, V), kept as `labels` (B,), with dense columns `rest` (B, n) beside them, if any.

    A product with a matrix multiplies nothing: the label picks a row. The label -1 stands for the
    null vector, which picks none.
    """

    labels: Tensor
    rest: Tensor | None = None

    def __matmul__(self, matrix: Tensor) -> Tensor:
        """Return x W for W (V + n, m), as (B, m)."""
        V = len(matrix) - (0 if self.rest is None else self.rest.shape[-1])
        picked = F.embedding(self.labels.clamp(min=0), matrix[:V])
        picked = picked * (self.labels >= 0).unsqueeze(-1)
        return picked if self.rest is None else picked + self.rest @ matrix[V:]


class DeepLSTM(nn.Module):
    """h^n = H(x, h^{n-1}, h^n before), y_hat = b + sum_n W h^n: a deep network with skip connections (eqs 1-3).

    The input reaches every layer, and every layer reaches the output. `cell` is what the layers
    are made of: pass your own to see what it does.
    """

    def __init__(self, input_size, hidden_size, layers, *, cell=PeepholeLSTMCell, clip: float | None = 10.0):
        super().__init__()
        sizes = [input_size] + (layers - 1) * [input_size + hidden_size]  # the input, and the layer below
        self.layers = nn.ModuleList(cell(size, hidden_size, clip) for size in sizes)

    def join_output(self, size: int, clip: float | None = None) -> None:
        """Join every layer to `size` outputs, whose derivatives are clipped too."""
        width = sum(cell.hidden_size for cell in self.layers)
        self.output, self.clip_output = nn.Linear(width, size), clip
        nn.init.normal_(self.output.weight, std=width**-0.5)
        nn.init.zeros_(self.output.bias)

    def initial_state(self, batch: int) -> tuple[LSTMState, ...]:
        """Return the state before the first step."""
        return tuple(cell.initial_state(batch) for cell in self.layers)

    def step(self, x: Tensor, state: tuple[LSTMState, ...]) -> tuple[Tensor, tuple[LSTMState, ...]]:
        """Read one input and return the outputs (B, N * H) of all N layers.

        `x` is (B, I), or labels (B,) of one-hot inputs, where -1 is the null vector.
        """
        states, h = [], None
        for cell, before in zip(self.layers, state):
            states.append(cell(self.joined(x, h), before))  # eqs (1) and (2)
            h = states[-1].h
        return torch.cat([layer.h for layer in states], -1), tuple(states)

    def joined(self, x: Tensor, h: Tensor | None):
        """Set the input and the output of the layer below, if there is one, side by side."""
        if not x.is_floating_point():
            return OneHot(x, h)
        return x if h is None else torch.cat([x, h], -1)

    def readout(self, h: Tensor) -> Tensor:
        """Turn all layers' outputs (..., N * H) into raw outputs (eq. 3)."""
        return clip_gradient(self.output(h), self.clip_output)

    def forward(self, x: Tensor, state=None) -> tuple[Tensor, tuple]:
        """Predict all along: `x` (T, B, I) or labels (T, B) give raw outputs (T, B, O), and the last state."""
        state = state or self.initial_state(x.shape[1])
        outputs = []
        for x_t in x:
            h, state = self.step(x_t, state)
            outputs.append(h)
        return self.readout(torch.stack(outputs)), state
