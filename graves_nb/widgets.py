"""What every toy is: a widget for a kernel that also works in a page without one."""

import hashlib
import json
import re
from html import escape
from pathlib import Path

import anywidget

from .site import page_file

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
            self.send({"asset": name}, [page_file(self.assets()[name])])
        except (KeyError, OSError) as error:
            self.send({"asset": name, "error": f"Python could not read {name}: {error}"})


def versioned(path: Path) -> str:
    """Return a file's name with a hash of what the page gets, so that no cache can be out of date."""
    return f"{path.name}?v={hashlib.sha256(page_file(path)).hexdigest()[:8]}"
