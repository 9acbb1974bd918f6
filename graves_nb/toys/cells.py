"""A text in the colours of one cell: which cells of the text network can be read?"""

from functools import cache
from html import escape
from pathlib import Path

from traitlets import Float, Int, List, TraitError, Unicode, validate

from ..datasets import load_text
from ..paths import data_path
from ..site import page_file
from ..widgets import GravesWidget, versioned

# Where the passages begin, in a play that no network of this book learnt from, and about how long they are.
STARTS = ("SCENE I. The Street before", "SCENE V. OLIVIA'S garden", "SIR TOBY.\nI'll make the motion")
LONG = 1500
PROPERTIES = ("name", "word", "line", "stage", "speech")  # cells-find.js says what they are


@cache
def passages() -> list[str]:
    """Return the passages: whole lines of the test play."""
    text = data_path("text/plays.test.txt").read_text("ascii")
    return [text[(at := text.index(start)) : text.index("\n", at + LONG) + 1] for start in STARTS]


class Cells(GravesWidget):
    """A text in the colours of one `cell` of the text network, and how well that cell follows a `property`.

    The network reads the `passage` in the page. `property` is one of PROPERTIES.
    """

    module = "cells.js"
    sheets = ("widgets.css", "cells.css")

    passage = Int(0, min=0).tag(sync=True)
    property = Unicode("name").tag(sync=True)
    cell = Int(0, min=0).tag(sync=True)
    passages = List(help="Texts to read").tag(sync=True)
    symbols = Unicode(help="The symbols of the network, in the order of their labels").tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, **traits):
        self._path = data_path("weights/text.safetensors")
        super().__init__(**dict(
            passages=passages(), symbols="".join(load_text("plays", "validation").vocabulary.symbols),
            weights=versioned(self._path), megabytes=round(len(page_file(self._path)) / 1e6, 1)) | traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights under the name that the page uses."""
        return {self.weights: self._path}

    @validate("passage")
    def _check_passage(self, proposal) -> int:
        if proposal.value >= len(passages()):
            raise TraitError(f"There are passages 0 to {len(passages()) - 1}, not {proposal.value}.")
        return proposal.value

    @validate("property")
    def _check_property(self, proposal) -> str:
        if proposal.value not in PROPERTIES:
            raise TraitError(f"There is no property {proposal.value!r}. Choose {', '.join(PROPERTIES)}.")
        return proposal.value

    def still(self) -> str:
        """Return the beginning of the passage, with its stage directions and speakers' names marked."""
        lines = escape(self.passages[self.passage], quote=False).splitlines()[:14]
        marked = [f"<mark>{line}</mark>" if line.isupper() or line.startswith("[") else line for line in lines]
        return ("<p>" + "<br>".join(marked) + "</p><p>A page of a play, with names and stage directions marked. "
                "Which cell of the network is on in these places alone?</p>")
