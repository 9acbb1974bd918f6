"""What a page loads of data/weights: networks in 8 bits, all else as it is.

It is a Sphinx extension too, which writes these files into the built book.
"""

import json
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import save

from .checkpoints import WIDTH, load_weights, read_tensors
from .paths import data_path
from .quantise import quantise


def page_file(path: Path) -> bytes:
    """Return what a page gets of a shipped file, or of one that has just been exported."""
    return converted(path, path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(16)
def converted(path: Path, *_state) -> bytes:
    """Return what a page gets of a file in its present state."""
    if path.suffix != ".safetensors":
        return path.read_bytes()
    kinds = {(name.startswith(WIDTH), tensor.dtype) for name, tensor in read_tensors(path)[0].items()}
    if kinds & {(False, torch.int8), (True, torch.float16)}:
        return path.read_bytes()  # it ships in 8 bits, or with widths
    model, info = load_weights(path)
    return save(quantise(model.state_dict()), {"graves_nb": json.dumps(info)})


def setup(app) -> dict:
    """Tell Sphinx what to do once the pages stand."""
    app.connect("build-finished", write_files)
    return dict(parallel_read_safe=True, parallel_write_safe=True)


def write_files(app, error) -> None:
    """Write each weights file and gallery beside the scripts, which ask for them by name."""
    for path in [] if error else sorted(data_path("weights").iterdir()):
        (Path(app.outdir) / "_static" / path.name).write_bytes(page_file(path))
