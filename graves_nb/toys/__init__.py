"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .bias import Bias
from .fork import Fork
from .own_hand import OwnHand
from .pen import Pen

__all__ = ["Bias", "Fork", "OwnHand", "Pen"]
