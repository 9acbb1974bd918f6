"""The soft window, driven by hand and by the network."""

import math
from functools import cache
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from traitlets import Dict, Float, Int, TraitError, Unicode, validate

from ..checks import check_text
from ..paths import data_path, site_pen
from ..site import page_file
from ..strokes import from_strokes
from ..svg import to_svg
from ..widgets import GravesWidget, versioned

UNIT = 12.0  # tablet units in a unit of the font
BASELINE = 9.0  # of the font, y down
POINTS = 32  # of each letter: the pen that you drive takes as long for every one
LONGEST = 24  # characters of the network's line: it stands in one row above its map


class Window(GravesWidget):
    """A window over a text. You move it along `word`, or the network moves it along `text`.

    `mode` is "drive" or "watch". `alpha` and `beta` are the height and the sharpness of the window
    that you drive. The network writes with `bias` and `seed`. `Window("open-pen")` takes other
    weights than the site's.
    """

    module = "window.js"
    sheets = ("widgets.css", "window.css")

    mode = Unicode("drive").tag(sync=True)
    word = Unicode("window").tag(sync=True)
    alpha = Float(1.0, min=0, max=2).tag(sync=True)
    beta = Float(4.0, min=0.1, max=10).tag(sync=True)
    text = Unicode("over the hill").tag(sync=True)
    bias = Float(1.0, min=0, max=5).tag(sync=True)
    seed = Int(1, min=0, max=999_999).tag(sync=True)
    letters = Dict(help="For each letter its width and POINTS rows [x, y, end_of_stroke]").tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, pen: str | None = None, **traits):
        self._path = data_path(f"weights/{pen or site_pen()}.safetensors")
        size = round(len(page_file(self._path)) / 1e6, 1)
        super().__init__(letters=script(), weights=versioned(self._path), megabytes=size, **traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights under the name that the page uses."""
        return {self.weights: self._path}

    @validate("mode")
    def _check_mode(self, proposal) -> str:
        if proposal.value not in ("drive", "watch"):
            raise TraitError(f"The mode is drive or watch, not {proposal.value!r}.")
        return proposal.value

    @validate("word")
    def _check_word(self, proposal) -> str:
        if not 2 <= len(proposal.value) <= 10 or set(proposal.value) - set(ascii_lowercase):
            raise TraitError(f"The word must have 2 to 10 letters from a to z, unlike {proposal.value!r}.")
        return proposal.value

    @validate("text")
    def _check_text(self, proposal) -> str:
        text = check_text(proposal.value)
        if len(text) > LONGEST:
            raise TraitError(f"The text has {len(text)} characters; here a line takes at most {LONGEST}. Shorten it.")
        return text

    @validate("alpha", "beta", "bias")
    def _check_number(self, proposal) -> float:
        if not math.isfinite(proposal.value):
            raise TraitError(f"{proposal.trait.name} must be a number, not {proposal.value!r}.")
        return proposal.value

    def still(self) -> str:
        """Return the word, written, with a window over its second letter."""
        strokes, left, centres = [], 0.0, []
        for letter in self.word:
            rows = np.array(self.letters[letter]["points"]) + (left, 0, 0)
            strokes += [s[:, :2] for s in np.split(rows, np.flatnonzero(rows[:, 2]) + 1) if len(s)]
            centres.append(left + self.letters[letter]["width"] / 2)
            left += self.letters[letter]["width"]
        bell = [(x, -330 - 180 * math.exp(-(((x - centres[1]) / 130) ** 2))) for x in np.arange(-60, left + 60, 10)]
        words = (f"The word “{self.word}” in joined letters. Above it lies a curve with one hump, the window. "
                 f"Its middle stands over the second letter.")
        return to_svg(from_strokes([np.array(bell), *strokes]), title=words)


@cache
def script() -> dict:
    """Return small joined letters, drawn from a public font, each as POINTS rows at equal distances."""
    from ..datasets.synthetic import glyphs

    found = {}
    for letter in ascii_lowercase:
        left, right, shapes = glyphs("scripts")[letter]
        rows = UNIT * (np.concatenate(shapes) - (left, BASELINE))
        ends = np.cumsum([len(shape) for shape in shapes]) - 1
        at = np.rint(np.linspace(0, len(rows) - 1, POINTS)).astype(int)
        lifts = [int(any(a <= end < b for end in ends)) for a, b in zip(at, [*at[1:], len(rows)])]
        points = [[round(x), round(y), lift] for (x, y), lift in zip(rows[at].tolist(), lifts)]
        found[letter] = dict(width=round(UNIT * (right - left)), points=points)
    return found
