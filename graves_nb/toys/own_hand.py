"""Your own hand: the network reads a line and goes on in its hand."""

import json

from traitlets import Float, Int, List, TraitError, Unicode, validate

from ..paths import data_path
from ..svg import to_svg
from .writing import WritingToy


class OwnHand(WritingToy):
    """The network goes on with `text` in the hand of a line: of the gallery (`style`, from 1), or the reader's own (0).

    `priming` is how many words of that line it reads, if there are so many. What the reader writes
    is no trait: it stays in the page and is not sent to Python. `spread` holds the standard
    deviations of the six measures of `graves_nb.hand` over many hands.
    """

    module = "own_hand.js"
    sheets = ("widgets.css", "pen.css", "own_hand.css")

    text = Unicode("and so it goes on").tag(sync=True)
    bias = Float(0.5, min=0, max=5).tag(sync=True)
    style = Int(1, min=0).tag(sync=True)
    priming = Int(99, min=0, max=99).tag(sync=True)
    spread = List().tag(sync=True)

    def __init__(self, pen=None, **traits):
        known = json.loads(data_path("results/hand.json").read_text(encoding="utf-8"))
        super().__init__(pen, spread=list(known["iam-ondb"]["spread"].values()), **traits)

    @validate("style")
    def _check_style(self, proposal) -> int:
        if proposal.value > len(self._lines):
            most = len(self._lines)
            raise TraitError(f"There is no line {proposal.value}: the gallery has {most}, and 0 is your own.")
        return proposal.value

    def still(self) -> str:
        """Return a line of the gallery."""
        line = self._lines[1]
        return to_svg(line["offsets_raw"], title=f"Handwriting that the network made: {line['text']}")
