"""Bias beside temperature: one text and one seed, written twice at once."""

from traitlets import Float

from ..svg import to_svg
from .writing import WritingToy


class Bias(WritingToy):
    """Two sheets: `text` written at a `bias` (eqs 61-62), and at a `temperature`, with the same `seed`.

    A temperature of 1 leaves all as it was learnt; below 1 it raises the weights to the power
    1 / temperature and multiplies the spreads by its root. The bias leaves the pen's e alone;
    the temperature raises its odds to the power 1 / temperature.
    """

    module = "bias.js"
    sheets = ("widgets.css", "bias.css")

    bias = Float(0.0, min=0, max=6).tag(sync=True)
    temperature = Float(1.0, min=0.01, max=1).tag(sync=True)

    def still(self) -> str:
        """Return a line of the gallery."""
        line = self._lines[0]
        words = f"Handwriting that the network made at a bias of {line['bias']}: {line['text']}"
        return to_svg(line["offsets_raw"], title=words)
