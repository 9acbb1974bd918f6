"""What there is to learn from: ink by `load(name, split)`, text by `load_text(name, split)`."""

import os
from pathlib import Path

from ..strokes import Line

TEXTS = ("plays", "grammar", "ptb-char", "ptb-word", "enwik8", "enwik8-prefix")


def load(name: str, split: str) -> list[Line]:
    """Return the lines of ink of a data set's split.

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


def load_text(name: str, split: str):
    """Return a `Text`: the split of a data set in TEXTS, or of a text file of your own.

    `split` is "train", "validation" or "test". The plays ship with the book, the grammar makes its
    sentences; for the others GRAVES_NB_DATA names the folder that holds them.
    """
    from . import enwik8, grammar, penn_treebank, texts

    if name in ("plays", "grammar"):
        return texts.plays(split) if name == "plays" else grammar.load(split)
    if name in ("ptb-char", "ptb-word"):
        return penn_treebank.load(folder(), split, "characters" if name == "ptb-char" else "words")
    if name in enwik8.TRAIN:
        return enwik8.load(folder(), split, name)
    if Path(name).is_file():
        return texts.own(name, split)
    raise ValueError(f"There is no text {name!r}. Choose {', '.join(TEXTS)}, or name a file.")


def folder() -> Path:
    """Return the folder of data that is not shipped."""
    return Path(os.environ.get("GRAVES_NB_DATA", "."))


def real_data() -> Path:
    """Return the packed file of real ink in the folder that GRAVES_NB_DATA names."""
    path = folder() / "iam_ondb_lines.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no real ink at {path}. Register for IAM-OnDB, run `python -m graves_nb pack FOLDER`, and "
            "set GRAVES_NB_DATA to the folder of the packed file; or use `--data synthetic`, which needs none of this.")
    return path
