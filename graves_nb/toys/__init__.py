"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .bias import Bias
from .busy import Busy
from .cells import Cells
from .converter import Converter
from .explode import Explode
from .fork import Fork
from .futures import Futures
from .gates import Gates
from .guess import Guess
from .judge import Judge
from .lineage import Lineage
from .offsets import Offsets
from .own_hand import OwnHand
from .ownline import OwnLine
from .pen import Pen
from .prune import Prune
from .reading import Reading
from .threshold import Threshold
from .window import Window

__all__ = [
    "Bias", "Busy", "Cells", "Converter", "Explode", "Fork", "Futures", "Gates", "Guess", "Judge", "Lineage",
    "Offsets", "OwnHand", "OwnLine", "Pen", "Prune", "Reading", "Threshold", "Window",
]
