"""Compile graves_nb/static/matvec.wat and put the result, base64, into engine.js.

    python tools/matvec.py      # needs: pip install wasmtime
"""

import base64
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "graves_nb" / "static"
ENGINE = STATIC / "engine.js"
PLACE = re.compile(r'(?<=^const MATVEC = ")[^"]*', re.MULTILINE)


def compiled() -> str:
    """Return matvec.wat as WebAssembly, in base64."""
    import wasmtime

    return base64.b64encode(wasmtime.wat2wasm((STATIC / "matvec.wat").read_text(encoding="utf-8"))).decode()


def embedded() -> str:
    """Return what engine.js holds."""
    return PLACE.search(ENGINE.read_text(encoding="utf-8"))[0]


if __name__ == "__main__":
    ENGINE.write_text(PLACE.sub(compiled(), ENGINE.read_text(encoding="utf-8")), encoding="utf-8")
