"""What the toys with the text network share: its weights, and the symbols that it knows."""

from pathlib import Path

from traitlets import Float, Unicode

from ..datasets import load_text
from ..paths import data_path
from ..site import page_file
from ..widgets import GravesWidget, versioned


class TextToy(GravesWidget):
    """A toy in whose page the text network reads."""

    symbols = Unicode(help="The symbols of the network, in the order of their labels").tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, **traits):
        self._path = data_path("weights/text.safetensors")
        symbols = "".join(load_text("plays", "test").vocabulary.symbols)
        size = round(len(page_file(self._path)) / 1e6, 1)
        super().__init__(**dict(symbols=symbols, weights=versioned(self._path), megabytes=size) | traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights under the name that the page uses."""
        return {self.weights: self._path}
