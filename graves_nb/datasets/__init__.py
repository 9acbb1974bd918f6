"""Ink to learn from: `load("synthetic", "train")` needs nothing; `load("iam-ondb", ...)` needs the real data."""

import os
from pathlib import Path

from ..strokes import Line


def load(name: str, split: str) -> list[Line]:
    """Return the lines of a data set's split.

    `name` is "synthetic", "synthetic-small" or "iam-ondb"; `split` is "train" or "validation"
    (for IAM-OnDB also "validation2", and "train-without-2", which leaves that one out).
    """
    if name == "iam-ondb":
        from . import iam_ondb

        return iam_ondb.load(real_data(), split)
    if name in ("synthetic", "synthetic-small"):
        from . import synthetic

        return synthetic.load(split, small=name.endswith("small"))
    raise ValueError(f"There is no data set {name!r}. Choose synthetic, synthetic-small or iam-ondb.")


def real_data() -> Path:
    """Return the packed file of real ink in the folder that GRAVES_NB_DATA names."""
    path = Path(os.environ.get("GRAVES_NB_DATA", ".")) / "iam_ondb_lines.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no real ink at {path}. Register for IAM-OnDB, run `python -m graves_nb pack FOLDER`, and "
            "set GRAVES_NB_DATA to the folder of the packed file; or use `--data synthetic`, which needs none of this.")
    return path
