"""The toys: widgets for a kernel that also work in a page without one."""

import hashlib
import json
import math
import re
from html import escape
from pathlib import Path

import anywidget
from traitlets import Float, Int, TraitError, Unicode, validate

from .alphabet import check_text
from .paths import data_path, site_pen
from .strokes import to_svg

STATIC = Path(__file__).parent / "static"
IMPORT = re.compile(r'^import [^;]*? from "\./([\w-]+\.js)";\n', re.MULTILINE)


def joined(name: str) -> str:
    """Join the ES module `name` of static/ and all it imports into one text.

    A page loads the modules as they are. A kernel's front end runs a widget's module from a Blob,
    where a relative import leads nowhere.
    """
    order = {}  # a dict for its order: a module comes after those that it needs

    def visit(name: str) -> str:
        source = (STATIC / name).read_text(encoding="utf-8")
        for needed in IMPORT.findall(source):
            if needed not in order:
                order[needed] = re.sub(r"^export ", "", visit(needed), flags=re.MULTILINE)
        return IMPORT.sub("", source)

    last = visit(name)
    return "\n".join([*order.values(), last])


def styles(names: tuple[str, ...]) -> str:
    """Join style sheets of static/ into one text."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


class GravesWidget(anywidget.AnyWidget):
    """A toy with two lives: anywidget with a kernel, a custom element in a page without one.

    A toy names its `module` and `sheets` in static/, has its state in synced traits, and may
    draw itself as a still picture for print and for pages without scripts.
    """

    module: str
    sheets: tuple[str, ...] = ("widgets.css",)

    def __init_subclass__(cls, **kwargs):
        if "module" in cls.__dict__:  # traitlets makes subclasses of its own
            cls._esm, cls._css = joined(cls.module), styles(cls.sheets)
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits):
        super().__init__(**traits)
        self.on_msg(self._send_asset)

    def assets(self) -> dict[str, Path]:
        """Return the files, by name, that the module may ask for in a kernel."""
        return {}

    def still(self) -> str:
        """Return HTML of a still picture, with words for those who cannot see it."""
        return ""

    def state(self) -> dict:
        """Return the traits that are the toy's own, ready for JSON."""
        shared = GravesWidget.class_trait_names()
        return self.get_state([name for name in self.keys if name not in shared and name[0] != "_"])

    def to_html(self) -> str:
        """Return the toy as one HTML element, for any page that loads graves-widget.js."""
        state = escape(json.dumps(self.state(), separators=(",", ":")))
        return (f'<graves-widget src="{self.module}" styles="{" ".join(self.sheets)}" '
                f'state="{state}"><div class="still">{self.still()}</div></graves-widget>')

    def _repr_mimebundle_(self, **kwargs):
        """Offer the live view and its twin: a kernel's front end takes the first, the book the second."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/html": self.to_html()}, metadata

    def _send_asset(self, _, message: dict, buffers) -> None:
        """Answer the module's wish for a file with the file, or with what is wrong."""
        name = message.get("asset")
        try:
            self.send({"asset": name}, [self.assets()[name].read_bytes()])
        except (KeyError, OSError) as error:
            self.send({"asset": name, "error": f"Python could not read {name}: {error}"})


class Pen(GravesWidget):
    """The live pen: `text` written at a `bias`, in the hand of a `style`, with a `seed`.

    `style` counts the gallery's lines from 1, 0 is none; `priming` is how many words of that line
    the network reads before it goes on, if there are so many. `Pen("open-pen")` takes other weights
    than the site's.
    """

    module = "pen.js"
    sheets = ("widgets.css", "pen.css")

    text = Unicode("the pen moves and the words appear").tag(sync=True)
    bias = Float(0.75, min=0, max=5).tag(sync=True)
    style = Int(0, min=0).tag(sync=True)
    priming = Int(99, min=0, max=99).tag(sync=True)
    seed = Int(1, min=0, max=999_999).tag(sync=True)
    weights = Unicode(help="Name of the weights file, with its hash").tag(sync=True)
    gallery = Unicode(help="Name of the gallery file, with its hash").tag(sync=True)
    megabytes = Float(help="Size of the weights").tag(sync=True)

    def __init__(self, pen: str | None = None, **traits):
        name = pen or site_pen()
        self._paths = {versioned(path): path for path in (
            data_path(f"weights/{name}.safetensors"), data_path(f"weights/{name}.gallery.json"))}
        (weights, path), (gallery, lines) = self._paths.items()
        self._lines = json.loads(lines.read_text(encoding="utf-8"))
        size = round(path.stat().st_size / 1e6, 1)
        super().__init__(weights=weights, gallery=gallery, megabytes=size, **traits)

    def assets(self) -> dict[str, Path]:
        """Return the weights and the gallery, under the names that the page uses."""
        return self._paths

    def still(self) -> str:
        """Return the first line of the gallery."""
        line = self._lines[0]
        words = f"Handwriting that the network made: {line['text']}"
        return to_svg(line["offsets_raw"], title=words).replace("<svg ", f'<svg aria-label="{escape(words)}" ', 1)

    @validate("text")
    def _check_text(self, proposal) -> str:
        return check_text(proposal.value)

    @validate("bias")
    def _check_bias(self, proposal) -> float:
        if not math.isfinite(proposal.value):
            raise TraitError(f"The bias must be a number from 0 to 5, not {proposal.value!r}. Try 0.75.")
        return proposal.value

    @validate("style")
    def _check_style(self, proposal) -> int:
        if proposal.value > len(self._lines):
            raise TraitError(f"The gallery has {len(self._lines)} styles; 0 is none. There is no style {proposal.value}.")
        return proposal.value


def versioned(path: Path) -> str:
    """Return a file's name with a hash of its content, so that no cache can be out of date."""
    return f"{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
