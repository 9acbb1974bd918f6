"""A text in the colours of one cell: which cells of the text network can be read?"""

from functools import cache
from html import escape

from traitlets import Int, List, TraitError, Unicode, validate

from ..paths import data_path
from .text_toy import TextToy

# Where the passages begin, in a play that no network of this book learnt from, and about how long they are.
STARTS = ("SCENE I. The Street before", "SCENE V. OLIVIA'S garden", "SIR TOBY.\nI'll make the motion")
LONG = 1500
PROPERTIES = ("name", "word", "line", "stage", "speech")  # cells-find.js says what they are


@cache
def passages() -> list[str]:
    """Return the passages: whole lines of the test play."""
    text = data_path("text/plays.test.txt").read_text("ascii")
    return [text[(at := text.index(start)) : text.index("\n", at + LONG) + 1] for start in STARTS]


class Cells(TextToy):
    """A text in the colours of one `cell` of the text network, and how well that cell follows a `property`.

    The network reads the `passage` in the page. `property` is one of PROPERTIES.
    """

    module = "cells.js"
    sheets = ("widgets.css", "cells.css")

    passage = Int(0, min=0).tag(sync=True)
    property = Unicode("name").tag(sync=True)
    cell = Int(0, min=0).tag(sync=True)
    passages = List(help="Texts to read").tag(sync=True)

    def __init__(self, **traits):
        super().__init__(**dict(passages=passages()) | traits)

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
