"""A line, what the network expects at each of its points, and futures that branch from there."""

import json
import math
from pathlib import Path

from traitlets import Float, Int, TraitError, Unicode, validate

from ..checkpoints import read_tensors
from ..paths import data_path, site_predictor
from ..site import page_file
from ..svg import to_svg
from ..widgets import versioned
from .offsets import InkLine


class Futures(InkLine):
    """A predictor's density of the next point, at each point of a line, and twenty futures from there.

    The line is `offsets`, of which `point` are written; without them it is synthetic ink, or a line that
    the pen wrote where the network learnt from real ink. `bias` sharpens the density and what is drawn
    from it; `seed` chooses the futures. `Futures("open-predictor")` takes other weights than the site's.
    """

    module = "futures.js"
    sheets = ("widgets.css", "futures.css")

    text = Unicode("over and under").tag(sync=True)
    point = Int(44, min=0).tag(sync=True)
    bias = Float(0.0, min=0, max=3).tag(sync=True)
    seed = Int(1, min=0, max=99_999).tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, predictor: str | None = None, **traits):
        self._path = data_path(f"weights/{predictor or site_predictor()}.safetensors")
        size = round(len(page_file(self._path)) / 1e6, 1)
        if "offsets" not in traits and read_tensors(self._path)[1]["data"] == "iam-ondb":
            traits = network_written() | traits
        super().__init__(weights=versioned(self._path), megabytes=size, **traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights under the name that the page uses."""
        return {self.weights: self._path}

    @validate("bias")
    def _check_bias(self, proposal) -> float:
        if not math.isfinite(proposal.value):
            raise TraitError(f"The bias must be a number from 0 to 3, not {proposal.value!r}.")
        return proposal.value

    def still(self) -> str:
        """Return the whole line."""
        words = (f"A line of ink, “{self.text}”. On a page with scripts you see at each point where the network "
                 "expects the pen next.")
        return to_svg(self.offsets, title=words)


def network_written() -> dict:
    """Return the shortest line of the pen's gallery, by the names of the toy's traits."""
    gallery = json.loads(data_path("weights/pen.gallery.json").read_text(encoding="utf-8"))
    line = min(gallery, key=lambda row: len(row["offsets_raw"]))
    return dict(text=line["text"], offsets=line["offsets_raw"])
