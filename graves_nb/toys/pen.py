"""The live pen."""

import json
import math
from html import escape
from pathlib import Path

from traitlets import Float, Int, TraitError, Unicode, validate

from ..checks import check_text
from ..paths import data_path, site_pen
from ..site import page_file
from ..svg import to_svg
from ..widgets import GravesWidget, versioned


class Pen(GravesWidget):
    """The live pen: `text` written at a `bias`, in the hand of a `style`, with a `seed`.

    `style` counts the gallery's lines from 1, 0 is none; `priming` is how many words of that line
    the network reads before it goes on, if there are so many. `Pen("open-pen")` takes other weights
    than the site's.
    """

    module = "pen.js"
    sheets = ("widgets.css", "pen.css")

    text = Unicode("the pen moves and the words appear").tag(sync=True)
    bias = Float(0.75, min=0, max=5).tag(sync=True)
    style = Int(0, min=0).tag(sync=True)
    priming = Int(99, min=0, max=99).tag(sync=True)
    seed = Int(1, min=0, max=999_999).tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    gallery = Unicode(help="Name of the gallery file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, pen: str | None = None, **traits):
        name = pen or site_pen()
        self._paths = {versioned(path): path for path in (
            data_path(f"weights/{name}.safetensors"), data_path(f"weights/{name}.gallery.json"))}
        (weights, path), (gallery, lines) = self._paths.items()
        self._lines = json.loads(lines.read_text(encoding="utf-8"))
        size = round(len(page_file(path)) / 1e6, 1)
        super().__init__(weights=weights, gallery=gallery, megabytes=size, **traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights and the gallery, under the names that the page uses."""
        return self._paths

    def still(self) -> str:
        """Return the first line of the gallery."""
        line = self._lines[0]
        words = f"Handwriting that the network made: {line['text']}"
        return to_svg(line["offsets_raw"], title=words).replace("<svg ", f'<svg aria-label="{escape(words)}" ', 1)

    @validate("text")
    def _check_text(self, proposal) -> str:
        return check_text(proposal.value)

    @validate("bias")
    def _check_bias(self, proposal) -> float:
        if not math.isfinite(proposal.value):
            raise TraitError(f"The bias must be a number from 0 to 5, not {proposal.value!r}. Try 0.75.")
        return proposal.value

    @validate("style")
    def _check_style(self, proposal) -> int:
        if proposal.value > len(self._lines):
            raise TraitError(f"There is no style {proposal.value}: the gallery has {len(self._lines)}, and 0 is none.")
        return proposal.value
