"""Keep the machine busy: launches, barriers and a wavefront."""

from traitlets import Enum, Int

from ..widgets import GravesWidget

LAYERS, STEPS, PROCESSORS = 3, 12, 40
WORK, OPERATIONS = 96.0, 10  # microseconds of one step on one multiprocessor; operations that it is made of
GAPS = dict(launches=4.0, graph=1.0)  # microseconds before each operation


def step_time(way: str, programs: int) -> float:
    """Return the microseconds of one step of one layer, shared by so many programs."""
    pause = 0.4 + 0.1 * programs if way == "resident" else OPERATIONS * GAPS[way]
    return WORK / programs + pause


def total_time(way: str, order: str, programs: int) -> float:
    """Return the microseconds of all steps of all layers; infinite where a barrier can never be passed."""
    if way != "resident":
        return LAYERS * STEPS * step_time(way, programs)
    if order == "wave" and LAYERS * programs > PROCESSORS:
        return float("inf")
    turns = STEPS + LAYERS - 1 if order == "wave" else LAYERS * STEPS
    return turns * step_time(way, programs)


class Busy(GravesWidget):
    """Three layers, twelve steps and forty multiprocessors: arrange the work so that they are busy.

    `way` says what stands between two operations: a launch each ("launches"), one recording ("graph"), or
    programs that stay and meet at a barrier ("resident"). `order` is "layers" or "wave"; `programs` share
    the units of each layer.
    """

    module = "busy.js"

    way = Enum(["launches", "graph", "resident"], "launches").tag(sync=True)
    order = Enum(["layers", "wave"], "layers").tag(sync=True)
    programs = Int(4, min=1, max=PROCESSORS).tag(sync=True)

    def still(self) -> str:
        """Return two time lines: layers in turn, and as a wavefront."""
        words = ("Two time lines of three layers. Above, each layer begins when the one below has done all its steps. "
                 "Beneath, each begins one step after the one below, and the whole takes little more than a third.")
        rows = []
        for top, gap in ((0, STEPS), (5, 1)):
            for n in range(LAYERS):
                y = top + n * 1.2
                rows += [f'<rect x="{n * gap + t}" y="{y}" width="0.8" height="0.9"/>' for t in range(STEPS)]
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-0.5 -0.5 37 9.5" role="img" aria-label="{words}">'
                f'<g fill="currentColor">{"".join(rows)}</g></svg>')
