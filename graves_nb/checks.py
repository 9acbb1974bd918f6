"""What a pen can be asked for; every refusal says what to do instead."""

import math

from .alphabet import ALPHABET

MAX_CHARACTERS = 200

# What a writer can use instead; the page knows the same table.
INSTEAD = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
    "\u2026": "...", "&": "and", "%": "per cent", "+": "plus", "=": "equals", "/": "or",
    "[": "(", "]": ")", "{": "(", "}": ")", "@": "at", "\t": "a space", "\n": "a line of its own",
    "\u00a0": "a space", "\u20ac": "euros", "$": "dollars", "\u00a3": "pounds",
    "\u00e9": "e", "\u00e8": "e", "\u00e0": "a", "\u00e7": "c",
    "\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00df": "ss",
}


def check_text(text: str) -> str:
    """Return a text that the pen can write, or raise ValueError that says what to change."""
    if not text.strip():
        raise ValueError("There is nothing to write: the text is empty. Type a few words.")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"The text has {len(text)} characters; a line takes at most {MAX_CHARACTERS}. "
                         "Write it as several lines.")
    unknown = sorted({character for character in text if character not in ALPHABET})
    if unknown:
        advice = ", ".join(f"{c!r} ({'use ' + INSTEAD[c] if c in INSTEAD else 'leave it out'})" for c in unknown)
        raise ValueError(f"The pen never learnt to write {advice}. It knows letters, digits, space and .,'\"-?!:;()#")
    return text


def check_bias(bias: float) -> float:
    """Return a bias that can be used, or say what is wrong with it."""
    if not (isinstance(bias, (int, float)) and math.isfinite(bias) and bias >= 0):
        raise ValueError(f"The bias must be a number from 0 (none) upwards, not {bias!r}. Try 0.5.")
    return float(bias)


def check_prime(prime):
    """Return a prime that can be used, or say what is wrong with it."""
    if not prime.text:
        raise ValueError("A prime needs its transcript: the window must know what the ink reads.")
    if prime.offsets.ndim != 2 or prime.offsets.shape[1] != 3 or not len(prime.offsets):
        raise ValueError("A prime's offsets must be rows of [dx, dy, end_of_stroke], at least one.")
    return prime
