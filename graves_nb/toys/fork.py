"""A fork in the stroke: one guess, or a mixture of up to three."""

from traitlets import Float, Int, List, TraitError, validate

from ..widgets import GravesWidget

POINTS = [[1.5, -0.65], [1.75, -0.95], [2.0, -0.8], [2.2, -1.15], [2.05, -0.45], [1.2, -0.1],
          [1.45, 0.7], [1.7, 0.9], [1.95, 0.75], [2.15, 1.2], [1.9, 1.3], [2.5, 0.15]]


class Fork(GravesWidget):
    """A stroke that may go on in two ways, and a mixture of `components` Gaussians fitted to its `points`.

    `points` are rows of x and y, in the network's units, y down; `bias` sharpens what is drawn from
    the mixture (eqs 61-62) and leaves the fit alone.
    """

    module = "fork.js"
    sheets = ("widgets.css", "fork.css")

    points = List(POINTS).tag(sync=True)
    components = Int(1, min=1, max=3).tag(sync=True)
    bias = Float(0.0, min=0, max=3).tag(sync=True)

    @validate("points")
    def _check_points(self, proposal) -> list:
        good = [isinstance(point, (list, tuple)) and len(point) == 2 for point in proposal.value]
        if len(good) < 3 or not all(good):
            raise TraitError("The points must be at least three pairs [x, y].")
        return [[float(x), float(y)] for x, y in proposal.value]

    def still(self) -> str:
        """Return the points, the two ways, and the mean between them."""
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="0.06"/>' for x, y in self.points)
        x, y = (sum(column) / len(self.points) for column in zip(*self.points))
        ways = "".join(f'<path d="M0 0Q1.2 {s * 0.25} 3 {s * 1.8}" stroke-dasharray="0.1 0.1"/>' for s in (-1, 1))
        words = ("A stroke comes from the left and may go on upwards or downwards. Points lie along both ways. "
                 "Their mean, a cross, lies between the two, where no stroke goes.")
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-0.6 -1.7 3.8 3.4" role="img" aria-label="{words}">'
                '<g fill="none" stroke="currentColor" stroke-width="0.03">'
                '<path d="M-0.6 0.07L0 0" stroke-width="0.06"/>'
                f'{ways}{dots}<path d="M{x - 0.1} {y - 0.1}l0.2 0.2m0 -0.2l-0.2 0.2" stroke-width="0.06"/></g></svg>')
