"""Pruning by the ratio of a weight's mean and width."""

from pathlib import Path
from statistics import mean

from traitlets import Enum, Float, Int, List, TraitError, Unicode, validate

from ..datasets import grammar
from ..paths import data_path
from ..site import page_file
from ..widgets import GravesWidget, versioned

SHARES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100]


class Prune(GravesWidget):
    """A small network that learnt `sentences` of a grammar, and of each weight a mean and a width.

    `keep` is the share of its weights that is kept, in per cent; `by` says which are kept: those with the
    largest "ratio" of mean and width, those of the largest "size", or such as "chance" chooses.
    """

    module = "prune.js"
    sheets = ("widgets.css", "prune.css")

    keep = Int(100).tag(sync=True)
    by = Enum(("ratio", "size", "chance"), "ratio").tag(sync=True)
    sentences = Unicode(help="What the loss is measured on").tag(sync=True)
    learnt = Int(grammar.SENTENCES["train"][1], help="Sentences that it learnt from").tag(sync=True)
    nouns = List(list(grammar.NOUNS)).tag(sync=True)
    verbs = List(list(grammar.VERBS)).tag(sync=True)
    least = Float(help="Bits of a sentence, if the grammar is known").tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, **traits):
        self._path = data_path("weights/grammar.safetensors")
        held_out = grammar.load("validation")
        sentences = held_out.vocabulary.decode(held_out.labels)
        least = mean(map(grammar.bits, sentences.splitlines()))
        super().__init__(**dict(sentences=sentences, least=least, weights=versioned(self._path),
                                megabytes=round(len(page_file(self._path)) / 1e6, 2)) | traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights under the name that the page uses."""
        return {self.weights: self._path}

    @validate("keep")
    def _check_keep(self, proposal) -> int:
        if proposal.value not in SHARES:
            raise TraitError(f"The toy keeps {SHARES} per cent, not {proposal.value}. Choose one of these.")
        return proposal.value

    @validate("sentences")
    def _check_sentences(self, proposal) -> str:
        if not proposal.value.endswith("\n"):
            raise TraitError("The sentences must each end with a new line, the last one too.")
        return proposal.value

    def still(self) -> str:
        """Return the picture behind the idea: two weights as two bells, one sharp and far out, one wide and at zero."""
        words = ("Two bell curves over a line with a zero. One is wide and lies at zero: this weight may be left out. "
                 "One is narrow and lies far to the right: this weight is needed.")
        bell = "M{0} 5C{1} 5 {2} {4} {3} {4}S{5} 5 {6} 5"
        wide, sharp = bell.format(0.4, 2.4, 2.4, 4, 3.4, 5.6, 7.6), bell.format(7, 7.8, 7.8, 8.2, 0.6, 8.6, 9.4)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 6" role="img" aria-label="{words}">'
                f'<g fill="none" stroke="currentColor" stroke-width="0.05"><path d="M0 5H10M4.2 4.9V5.15"/>'
                f'<path d="{wide}" stroke-dasharray="0.15 0.1"/><path d="{sharp}"/></g>'
                '<g fill="currentColor" font-size="0.4" font-family="system-ui, sans-serif">'
                '<text x="4.1" y="5.6">0</text>'
                '<text x="1.6" y="3">may go</text><text x="8.6" y="1.4">stays</text></g></svg>')
