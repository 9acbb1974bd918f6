"""The characters that the pen knows, and what to say of the others."""

import string

import torch
from torch import Tensor

ALPHABET = " " + string.ascii_lowercase + string.ascii_uppercase + string.digits + ".,'\"-?!:;()#"
OTHER = len(ALPHABET)  # one label for every other character: for training and scoring only
V = OTHER + 1
MAX_CHARACTERS = 200

_INDEX = {character: i for i, character in enumerate(ALPHABET)}

# What a writer can use instead; the page knows the same table.
INSTEAD = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
    "\u2026": "...", "&": "and", "%": "per cent", "+": "plus", "=": "equals", "/": "or",
    "[": "(", "]": ")", "{": "(", "}": ")", "@": "at", "\t": "a space", "\n": "a line of its own",
    "\u00a0": "a space", "\u20ac": "euros", "$": "dollars", "\u00a3": "pounds",
    "\u00e9": "e", "\u00e8": "e", "\u00e0": "a", "\u00e7": "c", "\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00df": "ss",
}


def encode(text: str) -> Tensor:
    """Return the labels (U,) of a text; every unknown character becomes OTHER."""
    return torch.tensor([_INDEX.get(character, OTHER) for character in text], dtype=torch.long)


def one_hot(texts: list[str]) -> Tensor:
    """Return texts as (B, U, V), zero past each one's end."""
    rows = torch.zeros(len(texts), max([1, *map(len, texts)]), V)
    for row, text in zip(rows, texts):
        row[torch.arange(len(text)), encode(text)] = 1
    return rows


def check_text(text: str) -> str:
    """Return a text that the pen can write, or raise ValueError that says what to change."""
    if not text.strip():
        raise ValueError("There is nothing to write: the text is empty. Type a few words.")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"The text has {len(text)} characters; a line takes at most {MAX_CHARACTERS}. "
                         "Write it as several lines.")
    unknown = sorted({character for character in text if character not in _INDEX})
    if unknown:
        advice = ", ".join(f"{c!r} ({'use ' + INSTEAD[c] if c in INSTEAD else 'leave it out'})" for c in unknown)
        raise ValueError(f"The pen never learnt to write {advice}. It knows letters, digits, space and .,'\"-?!:;()#")
    return text
