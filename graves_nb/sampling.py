"""Writing: unbiased, biased and primed samples, and the rule that ends them (sections 5.3 to 5.5)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .alphabet import one_hot
from .checks import check_bias, check_prime, check_text
from .kernels.writer import quick
from .mixture import mixture_parameters, sample_mixture
from .window import WindowShape

STEPS_PER_CHARACTER = 60  # a line this long has lost its way


def mix(x: np.ndarray) -> np.ndarray:
    """Scramble 32-bit whole numbers, as the page does."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def draws(seed: int, T: int) -> Tensor:
    """Return the chance of `T` points, (T, 4): two uniform numbers and two normal ones.

    The first choose the component and the pen, the others the place. Point t of a seed
    is the same whatever `T` is, on every machine, and in the page.
    """
    golden = np.uint32(0x9E3779B9)
    key = mix(np.array([seed % 2**32], np.uint32) + golden)
    words = mix(key + np.arange(4 * T, dtype=np.uint32) * golden)
    u = ((words + 0.5) / 2**32).reshape(T, 4)
    radius, angle = np.sqrt(-2 * np.log(u[:, 2])), 2 * math.pi * u[:, 3]
    columns = [u[:, 0], u[:, 1], radius * np.cos(angle), radius * np.sin(angle)]
    return torch.from_numpy(np.stack(columns, 1))


@dataclass
class Sample:
    """A written line: its offsets (T, 3), and what ended it: "rule" or "length"."""

    text: str
    offsets: Tensor
    stopped: str
    phi: Tensor | None = None  # (T, U + 1), where it was asked for


@dataclass
class Prime:
    """Ink to go on from: its transcript and its offsets (T, 3), normalised."""

    text: str
    offsets: Tensor


def past_the_end(shape: WindowShape, lengths: Tensor) -> Tensor:
    """Say for which lines phi(t, U+1) > phi(t, u) for all u, (B,): the stop rule.

    It compares logarithms: phi itself underflows to zero, and 0 > 0 never stops.
    """
    u = torch.arange(1, int(lengths.max()) + 2, device=lengths.device)
    log_phi = shape.log_phi(u)  # (B, U + 1)
    inside = log_phi.masked_fill(u > lengths.unsqueeze(-1), -math.inf).amax(1)
    return log_phi.gather(1, lengths.unsqueeze(-1)).squeeze(-1) > inside


@torch.no_grad()
def sample(
    model, texts: list[str], *, bias=0.0, seeds=None, chance=None,
    prime: Prime | None = None, keep_phi=False,
) -> list[Sample]:
    """Write each of `texts` as one line, all at once.

    `bias` >= 0 trades variety for neatness (eqs 61-62). `seeds` gives each line its
    own draws; `chance` (B, T, 4) is the draws themselves. `prime` is ink to go on from.
    """
    bias = check_bias(bias)
    texts = [check_text(text) for text in texts]
    limit = STEPS_PER_CHARACTER * max(map(len, texts))
    if chance is None:
        seeds = seeds or range(len(texts))
        chance = torch.stack([draws(seed, limit) for seed in seeds])
    writer = quick(Writer, model)(model, texts, prime)
    return writer.write(bias, chance[:, :limit].to(writer.x), keep_phi)


class Writer:
    """The network in the middle of some lines: its state, and the last points."""

    def __init__(self, model, texts: list[str], prime: Prime | None = None):
        before = "" if prime is None else check_prime(prime).text
        whole = [before + text for text in texts]  # c' = c + s
        weight = model.output.weight
        self.model, self.texts = model, texts
        self.code = one_hot(whole).to(weight)
        self.lengths = torch.tensor([*map(len, whole)], device=weight.device)
        self.state = model.initial_state(len(texts))
        self.x = weight.new_zeros(len(texts), 3)
        if prime is not None:
            self.clamp(prime.offsets.to(weight))

    def clamp(self, ink: Tensor) -> None:
        """Read ink (T, 3) whatever the network would have drawn; its last point comes next."""
        seen = torch.cat([self.x[:1], ink[:-1]])  # the null vector, then all but the last
        seen = seen.unsqueeze(1).expand(-1, len(self.texts), -1)  # (T, B, 3)
        _, self.state = self.model(seen, self.code)
        self.x = ink[-1].expand(len(self.texts), 3)

    def read(self) -> WindowShape:
        """Let the network see the last points; return where its window stands."""
        kappa = self.state.window.kappa
        self.h, self.state = self.model.step(self.x, self.code, self.state)
        return self.model.window.shape(self.state.layers[0].h, kappa)

    def draw(self, bias, chance: Tensor) -> Tensor:
        """Draw the next points (B, 3) with the chance (B, 4)."""
        mixture = mixture_parameters(self.model.readout(self.h), bias)
        self.x = sample_mixture(mixture, chance)
        return self.x

    def write(self, bias, chance, keep_phi=False) -> list[Sample]:
        """Draw until each line has met the stop rule or its limit."""
        B, limit = chance.shape[:2]
        points, seen, end = [], [], torch.full((B,), limit + 1)
        u = torch.arange(1, self.code.shape[1] + 2, device=self.x.device)
        for t in range(limit + 1):
            shape = self.read()
            if keep_phi:
                seen.append(shape.phi(u))
            over = past_the_end(shape, self.lengths).cpu() & (end > limit)
            end[over] = t
            if t == limit or (end <= limit).all():
                break
            points.append(self.draw(bias, chance[:, t]))
        return self.collect(points, seen, end, limit)

    def collect(self, points, seen, end, limit) -> list[Sample]:
        """Cut each line at its end, and lift the pen there."""
        first = torch.zeros_like(self.x)  # so that there may be no point at all
        points = torch.stack([first, *points], 1)[:, 1:]
        samples = []
        for b, text in enumerate(self.texts):
            n = int(end[b])  # past the limit if the rule never held
            offsets = points[b, :n].clone()
            offsets[-1:, 2] = 1
            phi = torch.stack([s[b] for s in seen[: n + 1]]) if seen else None
            stopped = "rule" if n <= limit else "length"
            samples.append(Sample(text, offsets, stopped, phi))
        return samples


@torch.no_grad()
def sample_freely(model, T: int, *, bias=0.0, seeds=(0,), ink: Tensor | None = None) -> Tensor:
    """Let a network without a text write T points, (B, T, 3), one line for each seed; nothing stops it (section 4.3).

    All lines go on from the points `ink` (T0, 3), if there are any.
    """
    bias, state = check_bias(bias), model.initial_state(len(seeds))
    x = model.output.weight.new_zeros(len(seeds), 3)  # the null vector comes first
    chance = torch.stack([draws(seed, T) for seed in seeds]).to(x)
    for row in () if ink is None else ink.to(x):
        _, state = model.step(x, state)
        x = row.expand_as(x)
    points = []
    for t in range(T):
        h, state = model.step(x, state)
        x = sample_mixture(mixture_parameters(model.readout(h), bias), chance[:, t])
        points.append(x)
    return torch.stack(points, 1)
