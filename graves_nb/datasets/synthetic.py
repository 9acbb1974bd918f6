"""Synthetic ink: sentences drawn from single-stroke fonts, as a hand with a style of its own would.

It needs no registration. The letters are the fonts of A. V. Hershey (US National Bureau of
Standards, 1967), which anybody may use, as the package `Hershey-Fonts` carries them. What makes
a hand of a font is ours: slant, size, pace, slowing in curves, a baseline that drifts.
It is never called handwriting: it is synthetic ink.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..strokes import Line
from .sentences import sentence, short_word

FONTS = ("scripts", "cursive", "futural", "rowmans")
SCRIPT = ("scripts", "cursive")  # letters of these join
SPACING = 0.4  # between the dense points of a glyph, in font units (a small letter is 14 high)
JOIN = 1.6  # ends nearer than this are one stroke
SIZES = {"train": (4000, 1), "validation": (400, 2)}  # lines, and the seed they come from


def load(split: str, small: bool = False) -> list[Line]:
    """Return the lines of a split; `small` has a few short words, for trying things out."""
    if split not in SIZES:
        raise ValueError(f"Synthetic ink has no split {split!r}. Choose train or validation.")
    n, seed = SIZES[split]
    return lines(n // 60, seed, short_word) if small else lines(n, seed)


def lines(n: int, seed: int, text=sentence) -> list[Line]:
    """Return `n` lines of synthetic ink, the same for the same seed on every machine."""
    rng = np.random.default_rng(seed)
    return [draw(text(rng), Style.draw(rng), rng, f"synthetic-{seed}-{i}") for i in range(n)]


@dataclass
class Style:
    """A synthetic writer's habits."""

    number: int
    font: str
    scale: float  # tablet units in a font unit
    width: float  # of letters, against their height
    slant: float  # sideways for each unit upwards
    pace: float  # font units a point, on the straight
    slowing: float  # in curves
    drift: float  # of the baseline, in font units
    wobble: float  # of the shapes, in font units

    @classmethod
    def draw(cls, rng) -> "Style":
        """Choose one of 24 writers: the habits of each are fixed by its number."""
        number = int(rng.integers(24))
        own = np.random.default_rng(1000 + number)
        return cls(number, FONTS[number % len(FONTS)], *own.uniform(
            (10.0, 0.75, -0.05, 1.8, 0.5, 0.0, 0.15),
            (14.0, 1.05, 0.45, 2.5, 1.5, 1.2, 0.5)).tolist())


def draw(text: str, style: Style, rng, line_id: str = "") -> Line:
    """Draw a text in a style, as offsets (T, 3) in whole tablet units."""
    places, breaks = typeset(text, style.font)
    places = bend(places, style, rng)
    rows = pace(places, breaks, style)
    rows[:, :2] += rng.normal(0, 0.04, rows[:, :2].shape)  # the hand's tremor
    raw = np.rint(rows[:, :2] * style.scale)
    offsets = np.zeros((len(rows), 3), dtype=np.int16)
    offsets[1:, :2] = np.diff(raw, axis=0)
    offsets[:, 2] = rows[:, 2]
    return Line(text, offsets, style.number, line_id)


def typeset(text: str, font: str) -> tuple[np.ndarray, np.ndarray]:
    """Set a text on a straight line: dense places (N, 2), and where each stroke ends in them."""
    x, strokes, joins = 0.0, [], False
    for character in text:
        left, right, shapes = glyphs(font)[character]
        for shape in shapes:
            placed = shape + (x - left, 0)
            near = strokes and joins and np.hypot(*(placed[0] - strokes[-1][-1])) < JOIN
            strokes[-1:] = [np.concatenate([strokes[-1], placed])] if near else [*strokes[-1:], placed]
            joins = font in SCRIPT
        joins = font in SCRIPT and character.isalpha()
        x += right - left
    return np.concatenate(strokes), np.cumsum([len(stroke) for stroke in strokes])


def bend(places: np.ndarray, style: Style, rng) -> np.ndarray:
    """Make a hand of a font: width, slant, a baseline that drifts, shapes that wobble."""
    x, y = places.T
    phases = rng.uniform(0, 2 * np.pi, 6)
    wave = [np.sin(x / period + phase + y / 40) for period, phase in zip((170, 60, 19, 11, 23, 13), phases)]
    drift = style.drift * (wave[0] + 0.4 * wave[1]) + rng.normal(0, 0.004) * x
    x = style.width * (x + style.wobble * (wave[2] + wave[3])) - style.slant * y
    return np.stack([x, y + drift + style.wobble * (wave[4] + wave[5])], 1)


def pace(places: np.ndarray, breaks: np.ndarray, style: Style) -> np.ndarray:
    """Let the pen run along: rows of x, y, end_of_stroke at equal times, slower in curves."""
    step = np.diff(places, axis=0, prepend=places[:1])
    length, heading = np.hypot(*step.T), np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    turn = np.abs(np.gradient(heading)) / np.maximum(length, 0.1)
    turn = np.convolve(turn, np.ones(7) / 7, "same")
    time = np.cumsum(length * (1 + style.slowing * np.minimum(turn, 2.0)) / style.pace)
    starts = np.concatenate([[0], breaks[:-1]])
    rows = []
    for first, last in zip(starts, breaks - 1):
        n = max(2, round(time[last] - time[first]) + 1)
        at = np.linspace(time[first], time[last], n)
        xy = [np.interp(at, time[first : last + 1], p[first : last + 1]) for p in places.T]
        rows.append(np.stack([*xy, np.arange(n) == n - 1], 1))
    return np.concatenate(rows)


@cache
def glyphs(font: str) -> dict:
    """Return each character's left and right side, and its strokes as dense, smooth places."""
    from HersheyFonts import HersheyFonts

    from ..alphabet import ALPHABET

    drawer = HersheyFonts()
    drawer.load_default_font(font)
    found = {}
    for character, glyph in zip(ALPHABET, drawer.glyphs_for_text(ALPHABET)):
        shapes = [smooth(np.array(stroke, float)) for stroke in glyph.strokes]
        left, right = glyph.left_offset, glyph.left_offset + glyph.char_width
        found[character] = (left, right, shapes)
    return found


def smooth(corners: np.ndarray) -> np.ndarray:
    """Round the corners of a polyline twice, and set places on it at equal distances."""
    if len(corners) == 1:
        corners = np.concatenate([corners, corners + 0.5])
    for _ in range(2):
        if len(corners) > 2:
            a, b = corners[:-1], corners[1:]
            cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
            corners = np.concatenate([corners[:1], cut[1:-1], corners[-1:]])
    distance = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    at = np.linspace(0, distance[-1], max(2, int(distance[-1] / SPACING) + 1))
    return np.stack([np.interp(at, distance, p) for p in corners.T], 1)
