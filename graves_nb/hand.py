"""How a hand looks, in six numbers, and how far apart two hands are. Offsets are in tablet units."""

from typing import NamedTuple

import numpy as np


class Hand(NamedTuple):
    """Six measures of a line of ink."""

    slant: float  # of the downstrokes, in degrees; positive leans to the right
    size: float  # height of the letters, in tablet units
    width: float  # of a character and the room around it, in tablet units
    pace: float  # tablet units from point to point: how fast the pen went
    turning: float  # change of direction from point to point, in degrees
    strokes: float  # for each character: few if letters join


def drawn(offsets_raw) -> np.ndarray:
    """Return the steps that left ink, (T, 2), zero where the pen was in the air."""
    rows = np.asarray(offsets_raw, dtype=np.float64)
    down = np.r_[False, rows[:-1, 2] < 0.5]  # no stroke had ended a point before
    return rows[:, :2] * down[:, None]


def slant(steps: np.ndarray) -> float:
    """Return the direction of the downstrokes, which go more down than sideways."""
    x, y = steps[steps[:, 1] > np.abs(steps[:, 0])].sum(0)
    return float(np.degrees(np.arctan2(-x, y)))  # y points down


def size(steps: np.ndarray) -> float:
    """Return the height that half of the pen's way up and down is made of.

    A run is a piece of a stroke that goes only up or only down. The median run would
    be some tremble of the hand, so each run counts as often as it is high.
    """
    y = steps[:, 1]
    turns = np.flatnonzero(np.diff(np.sign(y)) != 0) + 1
    runs = np.sort([abs(run.sum()) for run in np.split(y, turns)])
    way = np.cumsum(runs)
    return float(runs[np.searchsorted(way, way[-1] / 2)])


def turning(steps: np.ndarray) -> float:
    """Return the mean angle between a step and the next, weighted by the shorter one."""
    length, heading = np.hypot(*steps.T), np.arctan2(steps[:, 1], steps[:, 0])
    weight = np.minimum(length[1:], length[:-1])  # zero across a gap
    turn = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)
    return float(np.degrees((weight * turn).sum() / max(weight.sum(), 1e-9)))


def measure(offsets_raw, text: str) -> Hand:
    """Measure ink (T, 3) that reads `text`, at whole places as on a tablet."""
    rows = np.array(offsets_raw, dtype=np.float64)
    places = np.floor(rows[:, :2].cumsum(0) + 0.5)
    rows[:, :2] = np.diff(places, axis=0, prepend=0)
    steps = drawn(rows)
    length = np.hypot(*steps.T)
    return Hand(
        slant=slant(steps),
        size=size(steps),
        width=float(np.ptp(places[:, 0])) / len(text.strip()),
        pace=float(length[length > 0].mean()) if length.any() else 0.0,
        turning=turning(steps),
        strokes=float(rows[:, 2].sum()) / len(text.strip()),
    )


def apart(one: Hand, other: Hand, spread) -> float:
    """Return the root mean square of the differences, each in units of its `spread`.

    `spread` (6,) is the standard deviation of each measure over many hands.
    """
    differences = (np.array(one) - np.array(other)) / spread
    return float(np.sqrt(np.mean(differences**2)))
