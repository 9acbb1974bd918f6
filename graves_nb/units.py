"""The units of a loss: what the offsets were divided by, a line or a step, nats or bits, loss or log-likelihood."""

import math
from typing import NamedTuple


class Convention(NamedTuple):
    """How a loss is quoted. `std` is what each coordinate was divided by, in tablet units."""

    std: tuple[float, float] = (1.0, 1.0)
    per_step: bool = False
    bits: bool = False
    likelihood: bool = False  # the higher the better: the loss with its sign changed


RAW = Convention()  # tablet units: the loss that no normalisation moves
VRNN = Convention((56.0, 56.0), likelihood=True)  # one std for both, as in the code of Chung et al. (2015)


def convert_loss(value: float, source: Convention, target: Convention, steps: float) -> float:
    """Tell a loss in another convention; `steps` is T, the mean number of points a line.

    L_raw = L_norm + T (ln s1 + ln s2), so L_target = L_source + T ln(s1 s2 of source / s1 s2 of target).
    """
    nats = value * nats_per_line(source, steps)
    nats += steps * (math.log(math.prod(source.std)) - math.log(math.prod(target.std)))
    return nats / nats_per_line(target, steps)


def nats_per_line(convention: Convention, steps: float) -> float:
    """Return what 1 in this convention is in nats a line, the stds aside."""
    sign = -1 if convention.likelihood else 1
    return sign * (steps if convention.per_step else 1) * (math.log(2) if convention.bits else 1)
