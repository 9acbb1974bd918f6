"""A tiny language: sentences from a grammar whose entropy is known, with an agreement over a distance."""

import math
import re

import numpy as np

from .texts import Text, characters

NOUNS = ("pen", "hand", "poet", "reader", "letter", "page")
VERBS = ("hold", "follow", "know", "move", "draw")
SENTENCES = {"train": (0, 3000), "validation": (1, 100), "test": (2, 100)}  # seed and number


def load(split: str) -> Text:
    """Return a split, one sentence a line."""
    if split not in SENTENCES:
        raise ValueError(f"The grammar has no split {split!r}. Choose {', '.join(SENTENCES)}.")
    seed, n = SENTENCES[split]
    rng = np.random.default_rng(seed)
    text = "".join(sentence(rng) for _ in range(n))
    return characters("grammar", split, text, symbols="\n ." + "that" + "".join(NOUNS + VERBS) + "s")


def sentence(rng) -> str:
    """Draw a sentence: its verb agrees with its first noun, whatever stands between them."""
    subject, ending = noun(rng)
    clause = " that the {} {}".format(*agreeing(rng)) if rng.integers(2) else ""
    return f"the {subject}{clause} {verb(rng, ending)} the {noun(rng)[0]}.\n"


def is_sentence(line: str) -> bool:
    """Say whether the grammar can make this sentence: its words, and verbs that agree."""
    n, v = "|".join(NOUNS), "|".join(VERBS)
    match = re.fullmatch(f"the (?:{n})(s?)(?: that the (?:{n})(s?) (?:{v})(s?))? (?:{v})(s?) the (?:{n})s?\\.", line)
    return bool(match) and match[1] != match[4] and (match[2] is None or match[2] != match[3])


def agreeing(rng) -> tuple[str, str]:
    """Draw a noun and a verb that agree."""
    word, ending = noun(rng)
    return word, verb(rng, ending)


def noun(rng) -> tuple[str, str]:
    """Draw a noun, and the ending of its verb."""
    word = NOUNS[rng.integers(len(NOUNS))]
    return (word + "s", "") if rng.integers(2) else (word, "s")


def verb(rng, ending: str) -> str:
    """Draw a verb."""
    return VERBS[rng.integers(len(VERBS))] + ending


def bits(line: str) -> float:
    """Return what a sentence costs at least, in bits: -log2 of its probability."""
    a_noun, a_verb = math.log2(2 * len(NOUNS)), math.log2(len(VERBS))
    return a_noun + 1 + (" that " in line) * (a_noun + a_verb) + a_verb + a_noun


def entropy() -> float:
    """Return the bits of a sentence: no model can need fewer, on average."""
    return (bits("") + bits(" that ")) / 2
