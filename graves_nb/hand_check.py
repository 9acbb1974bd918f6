"""Do the six numbers of `hand.py` tell writers apart? `python -m graves_nb.hand_check` measures it on ink.

It writes data/results/hand.json: for each data set the usual hand (medians of the training lines), how
much each measure varies over them, and how often two validation lines of one writer are nearer to each
other than two of different writers. Real ink is measured where GRAVES_NB_DATA names it; only these
numbers leave it.
"""

import json
import os

import numpy as np

from . import datasets
from .hand import Hand, measure
from .paths import data_path

SHORTEST = 10  # characters: less is too little ink to measure
PAIRS = 100_000


def measured(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Measure the lines of a split: hands (L, 6), and who wrote them (L,), -1 where nobody knows."""
    lines = [line for line in datasets.load(name, split) if len(line.text.strip()) >= SHORTEST]
    hands = np.array([measure(line.offsets_raw[1:], line.text) for line in lines])
    return hands, np.array([line.writer for line in lines])


def nearer_share(hands, writers, spread, seed=0) -> float:
    """Return how often a pair of lines by one writer is nearer than a pair by two; chance is 0.5."""
    z = hands / spread
    distance = np.sqrt(((z[:, None] - z[None]) ** 2).mean(-1))
    alike = writers[:, None] == writers[None]
    rng = np.random.default_rng(seed)
    own = rng.choice(distance[alike & ~np.eye(len(z), dtype=bool)], PAIRS)
    other = rng.choice(distance[~alike], PAIRS)
    return float((own < other).mean() + 0.5 * (own == other).mean())


def check(name: str) -> dict:
    """Measure one data set."""
    hands, _ = measured(name, "train")
    test, writers = measured(name, "validation")
    test, writers, spread = test[writers >= 0], writers[writers >= 0], hands.std(0)
    numbers = {field: nearer_share(test[:, [i]], writers, spread[[i]]) for i, field in enumerate(Hand._fields)}
    return dict(
        usual=dict(zip(Hand._fields, np.median(hands, 0).round(3).tolist())),
        spread=dict(zip(Hand._fields, spread.round(3).tolist())),
        nearer=round(nearer_share(test, writers, spread), 3),
        nearer_by_one_measure={field: round(share, 3) for field, share in numbers.items()},
        lines=len(test), writers=len(set(writers.tolist())), training_lines=len(hands),
    )


def main() -> None:
    """Measure what there is; keep what an earlier run measured of the rest."""
    path = data_path() / "results" / "hand.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    for name in ("synthetic", "iam-ondb") if os.environ.get("GRAVES_NB_DATA") else ("synthetic",):
        result[name] = check(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
