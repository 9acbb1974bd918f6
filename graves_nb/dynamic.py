"""Dynamic evaluation: a network that goes on learning from the text it is tested on (section 3)."""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .lstm import detached

Pairs = Iterable[tuple[Tensor, Tensor]]


def read(model, sequences: Pairs, optimiser=None, stretch: int = 0) -> Iterator[tuple]:
    """Predict sequence after sequence; with an `optimiser`, learn: dynamic evaluation.

    A sequence is its inputs and targets, labels (T,) each. Yields the loss in nats of
    each symbol and whether the likeliest one came, (T,) each. Each symbol is predicted
    by weights that never met it: they learn from a stretch of `stretch` symbols (0: a
    whole sequence) after all of it was predicted.
    """
    for x, y in sequences:
        state, size = None, stretch or len(x)
        for t in range(0, len(x), size):
            part = slice(t, t + size)
            with torch.set_grad_enabled(optimiser is not None):
                logits, state = model(x[part, None], state)
                losses = F.cross_entropy(logits.squeeze(1), y[part], reduction="none")
            yield losses.detach(), logits.detach().squeeze(1).argmax(-1) == y[part]
            if optimiser is not None:
                optimiser.zero_grad()
                losses.sum().backward()
                optimiser.step()
                state = detached(state)


class DecayingRMS(torch.optim.Optimizer):
    """Krause's later rule (2017): steps scaled by training's gradients, a pull to old weights.

    w += lamb decay (w_0 - w) - lr g / (rms + eps), where `rms` are roots of mean squares
    of training gradients, one tensor for each of `params`, and decay is rms over its mean,
    at most 1 / lamb.
    """

    def __init__(self, params, rms: list[Tensor], lr=5e-5, lamb=0.002, eps=2e-5):
        super().__init__(params, dict(lr=lr, lamb=lamb, eps=eps))
        mean = sum(r.sum() for r in rms) / sum(r.numel() for r in rms)
        for w, r in zip(self.param_groups[0]["params"], rms):
            decay = (r / mean).clamp(max=1 / lamb)
            self.state[w] = dict(start=w.detach().clone(), rms=r, decay=decay)

    @torch.no_grad()
    def step(self, closure=None):
        """Move every weight once."""
        group = self.param_groups[0]
        for w in group["params"]:
            s = self.state[w]
            w.add_(group["lamb"] * s["decay"] * (s["start"] - w))
            w.addcdiv_(w.grad, s["rms"] + group["eps"], value=-group["lr"])


def training_rms(model, sequences: Pairs) -> list[Tensor]:
    """Return the root of the mean square of each weight's gradient over some training sequences."""
    squares, n = [torch.zeros_like(w) for w in model.parameters()], 0
    for x, y in sequences:
        logits, _ = model(x[:, None])
        loss = F.cross_entropy(logits.squeeze(1), y, reduction="sum")
        grads = torch.autograd.grad(loss, list(model.parameters()))
        for square, g in zip(squares, grads):
            square.addcmul_(g, g)
        n += 1
    return [(square / n).sqrt() for square in squares]
