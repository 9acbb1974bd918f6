"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .explode import Explode
from .fork import Fork
from .gates import Gates
from .pen import Pen

__all__ = ["Explode", "Fork", "Gates", "Pen"]
