"""Shannon's guessing game, against a bigram and the LSTM."""

import math
from functools import cache
from html import escape

import numpy as np
from traitlets import Int, List, TraitError, Unicode, validate

from ..datasets import load_text
from ..paths import data_path
from .text_toy import TextToy

# Where the guessing begins, in a play that no network of this book learnt from.
STARTS = ("do\nnot think", "Now let's have a", "O, by your leave, I", "O time, thou must",
          "Come hither, boy. If ever thou", "not to be a-bed after")
SHOWN, GUESSED = 320, 120  # characters before that place, at most, and after it
RATES = 8  # guess 1, guess 2, ..., and the eighth with all later ones
WEIGHT = 2.0  # how many guesses the expectation counts for


class Twin:
    """What guesses are worth in bits, by Shannon's argument of the twin.

    A twin who guesses as you do needs to be told, after each guess, whether it was right. The n-th guess has
    been right at some rate: that is the probability that the code gives to "right", and what it says costs
    -log2 of it. `expected` are the rates that are taken for granted at the beginning.
    """

    def __init__(self, expected):
        self.expected, self.tries, self.hits = list(expected), [0] * RATES, [0] * RATES

    def rate(self, n: int) -> float:
        """Return how likely the n-th guess, from 0, is taken to be right."""
        n = min(n, RATES - 1)
        return (self.hits[n] + WEIGHT * self.expected[n]) / (self.tries[n] + WEIGHT)

    def cost(self, misses: int, hit: bool = True) -> float:
        """Return the bits of one character, after `misses` and perhaps a `hit`, and learn from it."""
        flags = [False] * misses + [True] * hit
        rates = [self.rate(n) for n in range(len(flags))]
        for n, right in enumerate(flags):
            self.tries[min(n, RATES - 1)] += 1
            self.hits[min(n, RATES - 1)] += right
        return -sum(math.log2(rate if right else 1 - rate) for rate, right in zip(rates, flags))


@cache
def pairs() -> np.ndarray:
    """Return how often each symbol (columns) follows each other one (rows) in the training plays, plus 1."""
    text = load_text("plays", "train")
    V = len(text.vocabulary.symbols)
    counts = np.bincount(text.labels[:-1].astype(int) * V + text.labels[1:], minlength=V * V)
    return counts.reshape(V, V) + 1


@cache
def symbols() -> tuple[str, ...]:
    """Return the symbols of the plays, in the order of their labels."""
    return load_text("plays", "validation").vocabulary.symbols


def choices() -> list[str]:
    """Return what there is to guess: the symbols, capitals being as good as small letters."""
    return sorted({symbol.lower() for symbol in symbols()})


@cache
def folded_pairs() -> np.ndarray:
    """Return `pairs`, with a column for each of `choices`."""
    return np.stack([sum(pairs()[:, i] for i, s in enumerate(symbols()) if s.lower() == k) for k in choices()], 1)


@cache
def expected_rates() -> list[float]:
    """Return how often the bigram's n-th guess is right, if those before were not, in the validation play."""
    text = load_text("plays", "validation")
    places = np.array([choices().index(s.lower()) for s in symbols()])
    ranks = (-folded_pairs()).argsort(1, kind="stable").argsort(1)
    met = ranks[text.labels[:-1], places[text.labels[1:]]]
    rates = [(met == n).sum() / (met >= n).sum() for n in range(RATES - 1)]
    return [round(float(r), 4) for r in [*rates, (met >= RATES - 1).sum() / (met[met >= RATES - 1] - RATES + 2).sum()]]


@cache
def passages() -> list[dict]:
    """Return the passages of the test play: what is shown `before`, from a line's beginning on, and what follows."""
    text = data_path("text/plays.test.txt").read_text("ascii")
    found = []
    for words in STARTS:
        at = text.index(words) + len(words)
        begin = text.index("\n", at - SHOWN) + 1
        found.append(dict(before=text[begin:at], text=text[at : at + GUESSED]))
    return found


class Guess(TextToy):
    """Guess the next character of a `passage` of a play, and see what your guesses are worth in bits."""

    module = "guess.js"
    sheets = ("widgets.css", "letters.css", "guess.css")

    passage = Int(0, min=0).tag(sync=True)
    passages = List(help="What is shown before, and what is to be guessed").tag(sync=True)
    choices = Unicode(help="What there is to guess").tag(sync=True)
    pairs = List(help="How often each choice follows each symbol, plus 1 for each symbol of the choice").tag(sync=True)
    expected = List(help="Rates at which guess 1, 2, ... is taken to be right at first").tag(sync=True)

    def __init__(self, **traits):
        super().__init__(**dict(passages=passages(), choices="".join(choices()), pairs=folded_pairs().tolist(),
                                expected=expected_rates()) | traits)

    @validate("passage")
    def _check_passage(self, proposal) -> int:
        if proposal.value >= len(passages()):
            raise TraitError(f"There are passages 0 to {len(passages()) - 1}, not {proposal.value}.")
        return proposal.value

    def still(self) -> str:
        """Return the beginning of a passage, and the question."""
        before = escape(self.passages[self.passage]["before"]).replace("\n", "<br>")
        return f"<p>{before}<strong> ...?</strong></p><p>Which character comes next, and which after that?</p>"
