"""IAM-OnDB: pack the official download into one file, and load lines from that file.

The archives come from strangers, so nothing of them is unpacked onto the disk: members are read
in memory, one after the other; of their paths only the last part counts; and an XML file that
declares entities is refused.
"""

import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from xml.parsers import expat

import numpy as np
from tqdm import tqdm

from ..strokes import Line

LISTS = ("trainset", "testset_v", "testset_t", "testset_f")  # the official split lists, 0 to 3
SPLITS = {"train": (0, 2, 3), "validation": (1,), "validation2": (2,), "train-without-2": (0, 3)}
KEYS = ("dxy", "pen", "dt", "ptr", "origin", "line_id", "text", "text_src", "writer", "split")
LARGEST = 8_000_000  # bytes in one file; the largest genuine one has a few hundred thousand


def load(path: str | Path, split: str = "train") -> list[Line]:
    """Return the lines of a split, row one included.

    `train` is what the paper trains on and `validation` what it reports on; `validation2` is
    taken out of training in `train-without-2`.
    """
    if split not in SPLITS:
        raise ValueError(f"IAM-OnDB has no split {split!r}. Choose {', '.join(SPLITS)}.")
    p = read_packed(path)
    rows = np.concatenate([p["dxy"], p["pen"][:, None].astype(np.int16)], 1)
    return [
        Line(str(p["text"][i]), rows[p["ptr"][i] : p["ptr"][i + 1]], int(p["writer"][i]), str(p["line_id"][i]))
        for i in np.flatnonzero(np.isin(p["split"], SPLITS[split]))
    ]


def read_packed(path: str | Path) -> dict:
    """Return the arrays of a packed file, or raise ValueError where it is not one."""
    advice = f"{path} is damaged, or not a packed file of IAM-OnDB. Write it anew: python -m graves_nb pack FOLDER"
    try:
        with np.load(path) as file:
            packed = {key: file[key] for key in KEYS}
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(advice) from error
    if packed["ptr"][-1:] != [len(packed["dxy"])] or len(packed["ptr"]) != len(packed["text"]) + 1:
        raise ValueError(advice)
    return packed


def pack(source: str | Path, out: str | Path) -> dict:
    """Pack the download in the folder `source` into the file `out`; return how many `lines`, and the `empty` ones.

    `source` holds `lineStrokes-all.tar.gz` and `ascii-all.tar.gz` (or `lineStrokes/` and `ascii/`)
    and the four split lists. Lines of no list are left out; so are lines without a stroke, which
    are reported. A line without a transcript has an empty text. Writers are unknown here (-1):
    the form files that name them are not part of these archives.
    """
    source = Path(source)
    splits = read_lists(source)
    texts = {stem(name): transcript(data) for name, data in read_files(source, "ascii", ".txt")}
    inks = {stem(name): read_ink(data, name) for name, data in read_files(source, "lineStrokes", ".xml")
            if form(stem(name)) in splits}
    empty = sorted(line for line, ink in inks.items() if not len(ink[0]))
    for line in empty:
        del inks[line]
    if not inks:
        raise ValueError(f"{source} holds no line of ink that the split lists name. Is it the official download?")
    packed = arrays(inks, texts, splits)
    save(packed, Path(out))
    tqdm.write(f"{len(inks)} lines in {out}; {np.sum(packed['text_src'] == 0)} without a transcript; "
               f"{len(empty)} left out, for they hold no stroke{': ' if empty else ''}{', '.join(empty)}")
    return dict(lines=len(inks), empty=empty)


def stem(name: str) -> str:
    """Return what a file is called: `lineStrokes/a01/a01-000/a01-000u-02.xml` is `a01-000u-02`."""
    return PurePosixPath(name).stem


def form(line: str) -> str:
    """Return the form that a line stands on; `a01-000u-02` is the second line of `a01-000u`."""
    name, _, number = line.rpartition("-")
    return name if number.isdecimal() else ""


def read_lists(source: Path) -> dict[str, int]:
    """Return the split, 0 to 3, of each form that the official lists name."""
    missing = [f"{name}.txt" for name in LISTS if not (source / f"{name}.txt").is_file()]
    if missing:
        raise FileNotFoundError(f"{source} lacks {', '.join(missing)}. Put the official split lists there.")
    return {name: i for i, each in enumerate(LISTS) for name in (source / f"{each}.txt").read_text("latin-1").split()}


def read_files(source: Path, kind: str, ending: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file, from the archive or from the unpacked folder."""
    archive, folder = source / f"{kind}-all.tar.gz", source / kind
    if archive.is_file():
        files = read_archive(archive)
    elif folder.is_dir():
        files = ((str(p), p.read_bytes()) for p in tqdm(sorted(folder.rglob(f"*{ending}")), desc=kind, unit="file"))
    else:
        raise FileNotFoundError(f"{source} holds neither {archive.name} nor a folder {kind}/. Download it there.")
    return (file for file in files if file[0].endswith(ending))


def read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each member, to the archive's very end, so that a cut one is found out."""
    size = path.stat().st_size
    try:
        with (path.open("rb") as file, tqdm.wrapattr(file, "read", total=size, desc=path.name) as counted,
              gzip.open(counted) as plain, tarfile.open(fileobj=plain, mode="r|") as tar):
            for member in tar:
                if member.size > LARGEST:
                    raise ValueError(f"{path} holds a giant, {member.name!r}. It is not the official archive.")
                if member.isfile():
                    yield member.name, tar.extractfile(member).read()
            while plain.read(1 << 20):  # the checksum stands last
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged or cut short ({error}). Download it again.") from error


def transcript(data: bytes) -> list[str]:
    """Return the lines of a form as its writer broke them: what follows `CSR:` in an ascii file."""
    _, _, csr = data.decode("latin-1").partition("CSR:")
    return [line.strip() for line in csr.splitlines() if line.strip()]


def read_ink(data: bytes, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a line's places (T, 2), pen lifts (T,) and times (T,) in hundredths of a second."""
    strokes = []

    def start(tag, attributes):
        if tag == "Stroke":
            strokes.append([])
        elif tag == "Point":
            seconds = float(attributes["time"])
            strokes[-1].append((int(attributes["x"]), int(attributes["y"]), round(100 * seconds)))

    def refuse(*_):
        raise ValueError("it declares a document type or entities, which no official file does")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise ValueError(f"{name} is not a line of ink: {error}. Download the archive again.") from error
    rows = np.array([row for stroke in strokes for row in stroke], dtype=np.int64).reshape(-1, 3)
    ends = np.cumsum([len(stroke) for stroke in strokes if stroke], dtype=int) - 1
    if np.abs(rows[:, :2]).max(initial=0) > 16383:  # so that no offset leaves int16
        raise ValueError(f"{name} leaves the tablet: a coordinate beyond 16383. Download the archive again.")
    return rows[:, :2], np.isin(np.arange(len(rows)), ends), rows[:, 2]


def arrays(inks: dict, texts: dict, splits: dict) -> dict[str, np.ndarray]:
    """Join lines, in the order of their names, into the arrays of the packed form."""
    names = sorted(inks)
    places, pens, times = zip(*(inks[name] for name in names))
    words = [dict(enumerate(texts.get(form(name), []), 1)).get(int(name[len(form(name)) + 1 :]), "") for name in names]
    steps = [np.diff(t, prepend=t[:1]) for t in times]
    return dict(
        dxy=np.concatenate([np.diff(p, axis=0, prepend=p[:1]) for p in places]).astype(np.int16),
        pen=np.concatenate(pens).astype(np.uint8),
        dt=np.concatenate(steps).clip(-32768, 32767).astype(np.int16),
        ptr=np.cumsum([0, *map(len, pens)], dtype=np.int64),
        origin=np.array([p[0] for p in places], dtype=np.int16),
        line_id=np.array(names), text=np.array(words),
        text_src=np.array([bool(w) for w in words], dtype=np.uint8),
        writer=np.full(len(names), -1, dtype=np.int32),
        split=np.array([splits[form(name)] for name in names], dtype=np.int8),
    )


def save(packed: dict, out: Path) -> None:
    """Write the arrays under another name first, so that nothing half-written bears the right one."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **packed)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
