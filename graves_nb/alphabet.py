"""The characters that the pen knows."""

import string

import torch
from torch import Tensor

ALPHABET = " " + string.ascii_lowercase + string.ascii_uppercase + string.digits + ".,'\"-?!:;()#"
OTHER = len(ALPHABET)  # one label for every other character: for training and scoring only
V = OTHER + 1

_INDEX = {character: i for i, character in enumerate(ALPHABET)}


def encode(text: str) -> Tensor:
    """Return the labels (U,) of a text; every unknown character becomes OTHER."""
    return torch.tensor([_INDEX.get(character, OTHER) for character in text], dtype=torch.long)


def one_hot(texts: list[str]) -> Tensor:
    """Return texts as (B, U, V), zero past each one's end."""
    rows = torch.zeros(len(texts), max([1, *map(len, texts)]), V)
    for row, text in zip(rows, texts):
        row[torch.arange(len(text)), encode(text)] = 1
    return rows
