"""Noise in the weights while they learn: of one fixed width, or of a width that each weight learns (Graves 2011)."""

from contextlib import contextmanager

import torch
from torch import Tensor


def gaussian_prior(means: list[Tensor], stds: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean and variance of the prior P with the least KL(Q || P), a Gaussian."""
    n = sum(mu.numel() for mu in means)
    mu_p = sum(mu.sum() for mu in means) / n
    var_p = sum((s**2 + (mu - mu_p) ** 2).sum() for mu, s in zip(means, stds)) / n
    return mu_p, var_p


def kl_to_prior(means: list[Tensor], stds: list[Tensor]) -> Tensor:
    """Return KL(Q || P) in nats: what it costs to tell the weights, each to its own precision."""
    mu_p, var_p = gaussian_prior(means, stds)
    pairs = list(zip(means, stds))
    far = sum(((s**2 + (mu - mu_p) ** 2) / (2 * var_p) - 0.5).sum() for mu, s in pairs)
    return far + sum((var_p.log() / 2 - s.log()).sum() for s in stds)


class WeightNoise:
    """w + eps, eps ~ N(0, std^2): each minibatch meets other weights.

    The noise-free ones learn from it. With `std` 0 there is no noise.
    """

    name = "weight-noise"

    def __init__(self, weights, std: float = 0.075):
        self.weights, self.std, self.stds = list(weights), std, []

    def parameters(self) -> list[Tensor]:
        """Return all that learns."""
        return self.weights + self.stds

    def width(self, i: int) -> Tensor | float:
        """Return the standard deviation of the noise on the i-th tensor of weights."""
        return self.std

    @contextmanager
    def drawn(self, seed: int):
        """Lend the network a draw of its weights; on leaving, it has its own ones back.

        The gradients stay.
        """
        if not self.std:
            yield
            return
        clean = [w.detach().clone() for w in self.weights]
        self.eps = normal_like(self.weights, seed)
        for i, (w, eps) in enumerate(zip(self.weights, self.eps)):
            w.data.add_(self.width(i) * eps)
        try:
            yield
        finally:
            for w, value in zip(self.weights, clean):
                w.data.copy_(value)

    def finish_gradients(self, sequences: int) -> None:
        """Turn the mean gradient over `sequences`, at the drawn weights, into that of all that learns."""

    def settle(self) -> None:
        """Put in order what a step of the optimiser may have left."""


class AdaptiveWeightNoise(WeightNoise):
    """w_i ~ N(mu_i, s_i^2): each weight learns its mean and its width, at a cost of KL(Q || P) nats in all.

    The loss of one training sequence is L(x; w ~ Q) + KL(Q || P) / S, where S is the number of
    training sequences: summed over all of them it is the description length of the data,
    together with the weights. `curvature` chooses the gradient of the widths: "squared" is that
    of Graves (2011), "reparameterised" that of Kingma and Welling (2014).
    """

    name = "adaptive-weight-noise"

    def __init__(self, weights, S: int, std=0.075, curvature="squared", least=1e-5):
        super().__init__(weights, std)
        self.S, self.curvature, self.least = S, curvature, least
        self.stds = [torch.full_like(w, std) for w in self.weights]

    def width(self, i: int) -> Tensor:
        return self.stds[i]

    def kl(self) -> float:
        """Return KL(Q || P) in nats."""
        return kl_to_prior([mu.detach() for mu in self.weights], self.stds).item()

    @torch.no_grad()
    def finish_gradients(self, sequences: int) -> None:
        """Add the prior's pull to the gradients of the means, and make those of the widths.

        The square of a mean over B sequences is about 1/B of the mean square that the theory
        asks for, if their gradients are independent: hence the factor B.
        """
        mu_p, var_p = gaussian_prior(self.weights, self.stds)
        for mu, s, eps in zip(self.weights, self.stds, self.eps):
            g = mu.grad
            exact = self.curvature == "reparameterised"
            slope = eps * g if exact else sequences * s * g**2  # dL/ds
            s.grad = slope + (s / var_p - 1 / s) / self.S
            mu.grad = g + (mu - mu_p) / (self.S * var_p)

    def settle(self) -> None:
        for s in self.stds:
            s.clamp_(min=self.least)  # a step may have led past zero


class WeightDrop(WeightNoise):
    """w m / (1 - share), m being 0 for a share of some weights: each minibatch lacks others (Merity and others 2018).

    It is meant for the weights from cells to cells, where dropping outputs would make a cell forget.
    """

    name = "weight-drop"

    def __init__(self, weights, dropped, share: float):
        super().__init__(weights, 0.0)
        self.dropped, self.share = list(dropped), share

    @contextmanager
    def drawn(self, seed: int):
        g = torch.Generator(self.dropped[0].device).manual_seed(seed)
        clean = [w.detach().clone() for w in self.dropped]
        chance = [torch.rand(w.shape, generator=g, device=w.device, dtype=w.dtype) for w in clean]
        self.kept = [(c >= self.share) / (1 - self.share) for c in chance]
        for w, kept in zip(self.dropped, self.kept):
            w.data.mul_(kept)
        try:
            yield
        finally:
            for w, value in zip(self.dropped, clean):
                w.data.copy_(value)

    def finish_gradients(self, sequences: int) -> None:
        for w, kept in zip(self.dropped, self.kept):
            w.grad.mul_(kept)


def normal_like(weights: list[Tensor], seed: int) -> list[Tensor]:
    """Draw standard normal numbers in the shape of the weights, the same for the same seed."""
    g = torch.Generator(weights[0].device).manual_seed(seed)
    return [torch.randn(w.shape, generator=g, dtype=w.dtype, device=w.device) for w in weights]

