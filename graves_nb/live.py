"""Training that can be watched and stopped in a notebook: a progress bar, the loss so far, a button."""

import threading
import time
from collections.abc import Iterator


class Watched:
    """Runs a training loop in the background. `losses` yields one loss an update, `total` of them at most.

    Show it as the last line of a cell. The button stops the loop after the present update.
    """

    def __init__(self, losses: Iterator[float], total: int):
        self.source, self.total, self.losses, self.error = losses, total, [], None
        self.stopping, self.thread = threading.Event(), threading.Thread(target=self.work, daemon=True)
        self.view = self.build()
        self.thread.start()

    def build(self):
        """Lay out the controls."""
        import ipywidgets

        self.bar = ipywidgets.IntProgress(max=self.total, description="Updates")
        self.button = ipywidgets.Button(description="Stop", icon="stop")
        self.button.on_click(lambda _: self.stop())
        self.curve = ipywidgets.HTML()
        return ipywidgets.VBox([ipywidgets.HBox([self.bar, self.button]), self.curve])

    def work(self) -> None:
        """Take loss after loss until the end, or until someone stops it."""
        try:
            shown = 0.0
            for loss in self.source:
                self.losses.append(loss)
                if time.monotonic() - shown > 0.3:
                    self.show()
                    shown = time.monotonic()
                if self.stopping.is_set() or len(self.losses) == self.total:
                    break
        except Exception as error:  # told where the reader waits for the result
            self.error = error
        self.show()
        self.button.disabled = True

    def show(self) -> None:
        """Bring bar and curve up to date."""
        self.bar.value = len(self.losses)
        self.curve.value = curve(self.losses)

    def stop(self) -> None:
        """Stop after the present update."""
        self.stopping.set()

    def wait(self, seconds: float | None = None) -> list[float]:
        """Wait for the end, at most so long, and return the losses so far."""
        self.thread.join(seconds)
        if self.error:
            raise self.error
        return list(self.losses)

    def _repr_mimebundle_(self, **kwargs):
        return self.view._repr_mimebundle_(**kwargs)


def curve(losses: list[float], width: int = 480, height: int = 120) -> str:
    """Draw losses as an SVG with words."""
    if not losses:
        return ""
    low, high = min(losses), max(losses)
    places = [(width * i / max(1, len(losses) - 1), height - 4 - (height - 8) * (loss - low) / (high - low or 1))
              for i, loss in enumerate(losses)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    words = f"Update {len(losses)}: {losses[-1]:.3f} nats a step, from {losses[0]:.3f} at first."
    return (f'<p>{words}</p><svg role="img" aria-label="{words}" viewBox="0 0 {width} {height}" width="{width}">'
            f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>')
