"""A reader that learns: the text network on a text that changes its topic."""

import math
from html import escape

from traitlets import Float, Int, List, TraitError, validate

from ..paths import data_path
from .text_toy import TextToy

BEGIN, LENGTH = 20_000, 900  # characters into the play that no network learnt from; about so many on each side


def parts() -> list[list[str]]:
    """Return a text that changes its topic, as [name, text]: speeches of a play, a log, and the play goes on."""
    play, log = data_path("text/plays.test.txt").read_text("ascii"), data_path("text/log.txt").read_text("ascii")
    cuts = [play.index("\n\n", BEGIN) + 2]
    for _ in range(2):
        cuts.append(play.index("\n\n", cuts[-1] + LENGTH) + 2)
    return [["a play", play[cuts[0] : cuts[1]]], ["a log", log + "\n"], ["the play", play[cuts[1] : cuts[2]]]]


class Reading(TextToy):
    """The text network reads `parts`; its output layer learns from each character at the `rate`, 0 being frozen.

    `whole` are the bits of each character as a network predicts them that learns with all its weights; the
    page cannot compute these. `look` is the character, from 0, that is looked at.
    """

    module = "reading.js"
    sheets = ("widgets.css", "reading.css")

    parts = List(help="Pairs [name, text]").tag(sync=True)
    whole = List([]).tag(sync=True)
    rate = Float(0.0, min=0, max=0.5).tag(sync=True)
    look = Int(1500, min=0).tag(sync=True)

    def __init__(self, **traits):
        super().__init__(**dict(parts=parts()) | traits)

    @validate("parts")
    def _check_parts(self, proposal) -> list:
        good = [len(part) == 2 and all(isinstance(s, str) and s for s in part) for part in proposal.value]
        if not good or not all(good):
            raise TraitError("The parts must be pairs [name, text], at least one, and no text may be empty.")
        return proposal.value

    @validate("whole")
    def _check_whole(self, proposal) -> list:
        bits = [round(float(b), 2) for b in proposal.value]
        if bits and len(bits) != sum(len(text) for _, text in self.parts):
            raise TraitError(f"`whole` holds {len(bits)} numbers. It needs one for each character, or none.")
        return bits

    @validate("rate")
    def _check_rate(self, proposal) -> float:
        if math.isnan(proposal.value):
            raise TraitError("The rate must be a number from 0 to 0.5.")
        return proposal.value

    def still(self) -> str:
        """Return the beginning of each part: a text that changes its topic."""
        return "".join(f"<p><strong>{escape(name)}:</strong> {escape(text[:90])} ...</p>" for name, text in self.parts)
