"""Whole lines through one LSTM layer on a processor: `lstm.cpp`, compiled at its first use.

It needs a C++ compiler (`c++`, or the one that $CXX names). Without one, `available()` says no and
the models take the path of `sequence.py`.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import warnings
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

SOURCE = Path(__file__).with_name("lstm.cpp")
FLAGS = ["-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-pthread", "-Wno-psabi"]
SIZES = ("T", "B", "H", "V", "K", "U", "threads", "bfloat16")
ARRAYS = ("weight_h", "weight_w", "peephole", "bias", "weight_p", "bias_p", "codes", "a", "gates", "h", "c", "kappa",
          "w", "shape", "dh", "dw", "dz", "dp", "sums")


class Layer(ctypes.Structure):
    """The struct of the same name in lstm.cpp."""

    _fields_ = ([(name, ctypes.c_int32) for name in SIZES] + [("limit", ctypes.c_float)]
                + [(name, ctypes.c_void_p) for name in ARRAYS])


@cache
def library() -> ctypes.CDLL | None:
    """Return the compiled `lstm.cpp`; None without a compiler."""
    return compiled(SOURCE)


@cache
def compiled(source: Path) -> ctypes.CDLL | None:
    """Return a compiled source, from the cache if it stands there; None without a compiler that manages."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    try:
        return ctypes.CDLL(str(built(source, compiler))) if compiler else None
    except (OSError, subprocess.CalledProcessError) as error:
        warnings.warn(f"{source.name} could not be compiled, so the slower path is taken: {error}", stacklevel=2)
        return None


def built(source: Path, compiler: str) -> Path:
    """Return where a compiled source stands; compile it where there is none yet."""
    sources = b"".join(path.read_bytes() for path in (SOURCE.with_name("products.h"), SOURCE, source))
    key = hashlib.sha256(sources + "".join(FLAGS).encode() + processor().encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "graves_nb"
    path = cache / f"{source.stem}-{key.hexdigest()[:16]}.so"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            part = Path(folder) / "made.so"
            subprocess.run([compiler, *FLAGS, str(source), "-o", str(part)], check=True)
            os.replace(part, path)
    return path


def processor() -> str:
    """Name the processor: code made for one may not run on another."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    return platform.machine() + "".join(line for line in lines if line.startswith(("model name", "flags")))[:4000]


def available() -> bool:
    """Say whether there is a compiler, and so this path."""
    return library() is not None


def has_bfloat16() -> bool:
    """Say whether this processor multiplies bfloat16 pairs."""
    return available() and bool(library().has_bfloat16())


def forward(layer: dict, limit: float | None) -> None:
    """Fill `gates`, `h` and `c`; with a window also `kappa`, `w` and `shape` (alpha, beta, step of kappa)."""
    call("forward", layer, limit)


def backward(layer: dict, limit: float | None) -> Tensor:
    """Fill `dz`, with a window also `dp`, from `dh` and `dw`; return the sums of bias and peepholes (7, H)."""
    sums = layer["h"].new_zeros(torch.get_num_threads(), 7, layer["h"].shape[-1])
    call("backward", layer | dict(sums=sums), limit)
    return sums.sum(0)


def call(name: str, layer: dict, limit: float | None) -> None:
    """Run `forward` or `backward` of lstm.cpp over the arrays of a layer."""
    T, B, H = layer["gates"].shape[0], *layer["h"].shape[1:]
    sizes = dict(T=T, B=B, H=H, threads=torch.get_num_threads())
    sizes["bfloat16"] = layer["a" if name == "forward" else "dz"].dtype == torch.bfloat16
    if "w" in layer:
        sizes |= dict(V=layer["w"].shape[-1], K=layer["kappa"].shape[-1], U=layer["codes"].shape[-1])
    arrays = {key: array.detach().contiguous() for key, array in layer.items()}
    struct = Layer(**sizes, limit=float("inf") if limit is None else limit)
    for key, array in arrays.items():
        setattr(struct, key, array.data_ptr())
    getattr(library(), name)(ctypes.byref(struct))
