"""enwik8: the first 100,000,000 bytes of a Wikipedia of 2006 (section 3.2), and a prefix of it to try things on."""

import lzma
import zipfile
from pathlib import Path

import numpy as np

from ..text import Vocabulary
from .download import check, fetch
from .texts import Text

URL = "http://mattmahoney.net/dc/enwik8.zip"
SIZE, MD5 = 100_000_000, "a1fa5ffddb56f4953e226637dabbb36a"
SYMBOLS = 205  # different bytes in the whole; the prefix has fewer, and its networks keep room for the others
TRAIN = {"enwik8": 96_000_000, "enwik8-prefix": 4_000_000}
END = {"enwik8": SIZE, "enwik8-prefix": 4_154_399}


def load(folder: str | Path, split: str, name: str = "enwik8") -> Text:
    """Return a split of the whole or of the prefix, as bytes."""
    if split not in ("train", "validation"):
        raise ValueError(f"enwik8 has no split {split!r}. Choose train or validation.")
    data = np.frombuffer(read(Path(folder), END[name]), np.uint8)
    symbols = room(np.flatnonzero(np.bincount(data, minlength=256)).tolist())
    table = np.zeros(256, np.uint8)
    table[symbols] = np.arange(len(symbols))
    part = data[: TRAIN[name]] if split == "train" else data[TRAIN[name] :]
    return Text(name, split, Vocabulary("bytes", tuple(map(chr, symbols))), table[part], characters=len(part))


def room(found: list[int]) -> list[int]:
    """Fill up the bytes found with others that UTF-8 may hold, so that there are SYMBOLS of them."""
    others = [b for b in range(0xC2, 0xF5) if b not in found]
    return sorted(found + others[: max(0, SYMBOLS - len(found))])


def read(folder: Path, n: int) -> bytes:
    """Return the first n bytes, from what the folder holds: enwik8, enwik8.zip, or a prefix as .xz; else fetch."""
    for path in (folder / "enwik8", *sorted(folder.glob("enwik8*.xz"))):
        if path.is_file():
            try:
                with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
                    data = file.read(n)
            except (lzma.LZMAError, EOFError) as error:
                raise ValueError(f"{path} is damaged ({error}). Fetch it again.") from error
            if len(data) == n:
                return check(data, MD5, path.name) if n == SIZE else data
    return unpack(fetch(URL, folder / "enwik8.zip"))[:n]


def unpack(archive: Path) -> bytes:
    """Return the one file of the official archive, if it has the published size and MD5; else remove the archive."""
    try:
        with zipfile.ZipFile(archive) as file:
            if file.getinfo("enwik8").file_size != SIZE:
                raise ValueError(f"it holds {file.getinfo('enwik8').file_size:,} bytes, not {SIZE:,}")
            return check(file.read("enwik8"), MD5, "enwik8")
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        archive.unlink()
        raise ValueError(f"{archive} was not the official archive ({error}). It is removed: try again.") from error
