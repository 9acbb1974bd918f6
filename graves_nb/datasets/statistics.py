"""What ink is like, in numbers: counts, pace and size, and what each threshold for long steps would drop.

`python -m graves_nb.datasets.statistics iam-ondb data/results/iam_ondb_ink.json` writes them down.
No stroke can be had back from them.
"""

import argparse
import math
from pathlib import Path

import numpy as np

from ..strokes import Line, Normalisation, targets, to_page, to_strokes

THRESHOLDS = (200, 300, 400, 500, 600, 700, 800, 900, 1000, 1500, None)  # tablet units; None drops nothing
CANONICAL = 1000.0


def describe(lines: list[Line], threshold: float = CANONICAL) -> dict:
    """Return the counts of a set of lines, and what a hand does in them: all points of all lines weigh alike."""
    rows = np.concatenate([line.offsets_raw for line in lines])
    kept = np.concatenate([targets(line.offsets_raw, threshold) for line in lines])
    units = Normalisation.fit(lines, threshold)
    read = [line for line in lines if line.text]
    return dict(
        lines=len(lines), writers=len({line.writer for line in lines} - {-1}), points=len(rows), targets=len(kept),
        targets_per_line=len(kept) / len(lines),
        points_per_character=sum(len(line.offsets_raw) for line in read) / sum(len(line.text) for line in read),
        stroke_ends=float(rows[:, 2].mean()), zero=(kept[:, :2] == 0).mean(0).tolist(),
        zero_both=float((kept[:, :2] == 0).all(1).mean()), mean=units.mean, std=units.std, **hand(read),
    )


def hand(lines: list[Line]) -> dict:
    """Return medians over lines, in tablet units: a step of the pen on the board, a character's width, a line's height.

    The height is what lies between the 10th and the 90th percentile of y, along the line's own slope.
    """
    strokes = [to_strokes(line.offsets_raw) for line in lines]
    steps = [np.hypot(*np.concatenate([np.diff(s, axis=0) for s in line]).T).mean() for line in strokes]
    widths = [np.ptp(to_page(line.offsets_raw)[:, 0]) / len(line.text) for line in lines]
    heights = []
    for x, y in (to_page(line.offsets_raw).T for line in lines):
        slope, start = np.polyfit(x, y, 1)
        heights.append(np.subtract(*np.percentile(y - slope * x - start, [90, 10])))
    return {name: float(np.median(values)) for name, values in
            (("step", steps), ("character_width", widths), ("line_height", heights))}


def threshold_table(training: list[Line], validation: list[Line], thresholds=THRESHOLDS) -> list[dict]:
    """Return a row a threshold: what it drops, the units it leaves, and how far they move the loss of a model.

    `nats_per_line` is T (ln s1 + ln s2) of no threshold less that of this one: what the same density
    of tablet offsets pays more for each validation line, for its units alone.
    """
    whole = math.prod(Normalisation.fit(training, math.inf).std)
    rows = []
    for threshold in thresholds:
        limit = math.inf if threshold is None else threshold
        std = Normalisation.fit(training, limit).std
        kept = sum(len(targets(line.offsets_raw, limit)) for line in training)
        steps = sum(len(targets(line.offsets_raw, limit)) for line in validation) / len(validation)
        dropped = sum(len(line.offsets_raw) - 1 for line in training) - kept
        rows.append(dict(threshold=threshold, dropped=dropped, std=std, steps=steps,
                         nats_per_line=steps * math.log(whole / math.prod(std))))
    return rows


def statistics(name: str) -> dict:
    """Return all of it for a data set, in the form of `data/results/`."""
    from ..evaluation import commit, digest
    from . import load

    training, validation = load(name, "train"), load(name, "validation")
    return dict(
        name=f"{name.replace('-', '_')}_ink", task="statistics", data=dict(name=name, sha256=digest(validation)),
        train=describe(training), validation=describe(validation),
        thresholds=threshold_table(training, validation), commit=commit(),
    )


def main() -> None:
    """Measure a data set and write the result."""
    from ..evaluation import write_result

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="iam-ondb or synthetic")
    parser.add_argument("out", type=Path, help="such as data/results/iam_ondb_ink.json")
    args = parser.parse_args()
    write_result(statistics(args.data), args.out)


if __name__ == "__main__":
    main()
