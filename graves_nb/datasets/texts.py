"""Texts to learn from: the plays that ship, or any file of your own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..paths import data_path
from ..text import Vocabulary

SPLITS = {"train": (0, 0.9), "validation": (0.9, 0.95), "test": (0.95, 1)}  # of your own file


@dataclass
class Text:
    """A text as labels, with what its scores are divided by: characters (or bytes), and words if they count."""

    name: str
    split: str
    vocabulary: Vocabulary
    labels: np.ndarray
    characters: int
    words: int | None = None  # with each line's end as one more

    def __post_init__(self):
        self.labels = np.asarray(self.labels, np.uint8 if len(self.vocabulary.symbols) <= 256 else np.int32)

    def head(self, n: int) -> "Text":
        """Return its first n symbols."""
        if n >= len(self.labels):
            return self
        labels = self.labels[:n]
        text = self.vocabulary.decode(labels)
        characters = len(text) if self.vocabulary.kind == "words" else n
        words = None if self.words is None else len(text.split()) + text.count("\n")
        return Text(self.name, self.split, self.vocabulary, labels, characters, words)

    def sha256(self) -> str:
        """Return a digest of labels and symbols: texts with the same one are the same."""
        symbols = "\0".join(self.vocabulary.symbols).encode()
        return hashlib.sha256(symbols + b"\0" + self.labels.astype("<i4").tobytes()).hexdigest()


def plays(split: str) -> Text:
    """Return a split of ten plays by Shakespeare: eight to train on, one each to validate and to test."""
    if split not in SPLITS:
        raise ValueError(f"The plays have no split {split!r}. Choose {', '.join(SPLITS)}.")
    texts = {name: data_path(f"text/plays.{name}.txt").read_text("ascii") for name in SPLITS}
    return characters("plays", split, texts[split], symbols="".join(texts.values()))


def own(path: str | Path, split: str) -> Text:
    """Return a split of a file of your own, as characters: 90 % to train on, then 5 % and 5 %."""
    if split not in SPLITS:
        raise ValueError(f"Your text has no split {split!r}. Choose {', '.join(SPLITS)}.")
    text = read_utf8(Path(path).read_bytes(), path)
    first, last = (round(len(text) * share) for share in SPLITS[split])
    if last == first:
        raise ValueError(f"{path} is empty, or too short to be split. Choose a longer text.")
    return characters(Path(path).name, split, text[first:last], symbols=text)


def characters(name: str, split: str, text: str, symbols: str) -> Text:
    """Return a text whose symbols are its characters."""
    vocabulary = Vocabulary("characters", tuple(sorted(set(symbols))))
    return Text(name, split, vocabulary, vocabulary.encode(text), characters=len(text))


def read_utf8(data: bytes, name) -> str:
    """Return the text that the bytes hold; ValueError where they hold none."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8 (byte {error.start}). Save it as UTF-8 and try again.") from error
    if not text.strip():
        raise ValueError(f"{name} is empty. Choose a file with text in it.")
    return text
