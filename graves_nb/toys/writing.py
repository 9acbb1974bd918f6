"""What the toys share that write with the network: its weights, its gallery, the text and the seed."""

import json
from pathlib import Path

from traitlets import Float, Int, Unicode, validate

from ..checks import check_text
from ..paths import data_path, site_pen
from ..site import page_file
from ..widgets import GravesWidget, versioned


class WritingToy(GravesWidget):
    """A toy whose page fetches a pen: the site's, `Toy("open-pen")`, or `Toy(path)` of one that was exported."""

    text = Unicode("the pen moves on").tag(sync=True)
    seed = Int(1, min=0, max=999_999).tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    gallery = Unicode(help="Name of the gallery file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, pen: str | Path | None = None, **traits):
        path = pen if isinstance(pen, Path) else data_path(f"weights/{pen or site_pen()}.safetensors")
        lines = path.with_suffix(".gallery.json")
        self._paths = {versioned(each): each for each in (path, lines)}
        self._lines = json.loads(lines.read_text(encoding="utf-8"))
        weights, gallery = self._paths
        size = round(len(page_file(path)) / 1e6, 1)
        super().__init__(weights=weights, gallery=gallery, megabytes=size, **traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights and the gallery, under the names that the page uses."""
        return self._paths

    @validate("text")
    def _check_text(self, proposal) -> str:
        return check_text(proposal.value)
