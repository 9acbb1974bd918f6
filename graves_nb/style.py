"""Does a primed pen keep to the hand of its prime, and does a pen without a prime have many hands?

A reader of hands judges (`embedding.py`). It met neither the writers of the primes nor any line of the pen.
"""

from collections import Counter

import numpy as np

from . import datasets
from .checkpoints import load_weights
from .embedding import embed, equal_error_rate, pairs
from .legibility import can_be_written, name_of
from .pen import Pen
from .results import commit, device_name
from .sampling import Prime
from .strokes import Normalisation, targets

BIASES = (0.0, 0.5, 1.0, 2.0)


def measure(pen, reader, data="iam-ondb", splits=("validation2", "validation"), bias=0.0, device="cpu", *, primes=60,
            seed=0) -> dict:
    """Return, for the writers of each split, how like its prime a primed line is; and how unlike unprimed lines are."""
    writer, (network, info) = Pen.load(pen), load_weights(reader)
    network, unit = network.to(device), Normalisation(**info["normalisation"])

    def place(inks):
        return embed(network, inks, unit)

    known = {split: [line for line in datasets.load(data, split) if line.writer >= 0] for split in splits}
    sets = {split: primed(writer, place, lines, bias, primes, seed) for split, lines in known.items()}
    starts = chosen(known[splits[-1]], primes, seed)
    spread = {str(b): variance(place([written(writer, line.text, b, seed + i) for i, line in enumerate(starts)]))
              for b in BIASES}
    spread["real"] = variance(place([line.offsets_raw for line in starts]))
    return dict(name="style", task="style", pen=writer.name, reader=name_of(reader), data=dict(name=data), bias=bias,
                seed=seed, sets=sets, variance=spread, device=device_name(device), commit=commit())


def primed(pen: Pen, place, lines: list, bias: float, count: int, seed: int) -> dict:
    """Let the pen go on from real lines, and compare prime and continuation as pairs of real lines are compared."""
    real = real_pairs(place([line.offsets_raw for line in lines]), lines)
    starts, inks = chosen(lines, count, seed), dict(primed=[], unprimed=[])
    for i, (line, other) in enumerate(zip(starts, starts[1:] + starts[:1])):  # each goes on with another's text
        prime = prime_of(pen, line)
        inks["primed"].append(written(pen, other.text, bias, seed + i, prime))
        inks["unprimed"].append(written(pen, other.text, bias, seed + i))
    places = place([line.offsets_raw for line in starts])
    alike = real | {name: (place(ink) * places).sum(1) for name, ink in inks.items()}
    one, two = alike["one_writer"].mean(), alike["two_writers"].mean()
    kept = {f"{name}_kept": float((alike[name].mean() - two) / (one - two)) for name in inks}  # 0 a stranger, 1 oneself
    error = equal_error_rate(alike["one_writer"], alike["two_writers"])
    return {name: summary(cosines) for name, cosines in alike.items()} | kept | dict(
        equal_error_rate=error, writers=len({line.writer for line in lines}), primes=len(starts))


def real_pairs(places: np.ndarray, lines: list) -> dict:
    """Return the cosines of all pairs of real lines; pairs of one page stand in where no writer has two."""
    pages = [line.line_id.rpartition("-")[0] for line in lines]  # a01-000u-03 is the third line of page a01-000u
    found = pairs(places, [line.writer for line in lines], pages)
    return found if len(found["one_writer"]) else found | dict(one_writer=found["one_page"])


def chosen(lines: list, count: int, seed: int) -> list:
    """Choose lines that the pen can write: each writer's first, then each one's second, and so on, in a drawn order."""
    order = np.random.default_rng(seed).permutation(len(lines))
    drawn, turns, turn = [lines[i] for i in order if can_be_written(lines[i].text)], Counter(), []
    for line in drawn:
        turn.append(turns[line.writer])
        turns[line.writer] += 1
    return [drawn[i] for i in np.argsort(turn, kind="stable")[:count]]


def prime_of(pen: Pen, line) -> Prime:
    """Return a real line to go on from; a space parts it from what follows."""
    return Prime(line.text + " ", pen.normalisation.apply(targets(line.offsets_raw, pen.normalisation.threshold)))


def written(pen: Pen, text: str, bias: float, seed: int, prime: Prime | None = None) -> np.ndarray:
    """Let the pen write a line, as a tablet would have recorded it: in whole units, row one included."""
    rows = pen.normalisation.invert(pen.write([text], bias, [seed], prime)[0].offsets).round().numpy()
    return np.concatenate([np.zeros((1, 3), rows.dtype), rows])


def variance(places: np.ndarray) -> float:
    """Return how far places on the unit sphere lie from their mean: 0 if all are one, about 1 if everywhere."""
    return float(1 - (places.mean(0) ** 2).sum())


def summary(cosines: np.ndarray) -> dict:
    """Return mean, spread and number."""
    return dict(mean=float(cosines.mean()), sd=float(cosines.std()), n=len(cosines)) if len(cosines) else dict(n=0)
