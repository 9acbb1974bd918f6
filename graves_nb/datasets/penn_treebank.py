"""Penn Treebank, as Mikolov prepared it: the text of section 3.1. It may not be passed on, so you bring it."""

import zipfile
from pathlib import Path

from ..text import Vocabulary
from .download import check
from .texts import Text, read_utf8

FILES = {"train": ("ptb.train.txt", "f26c4b92c5fdc7b3f8c7cdcb991d8420"),
         "validation": ("ptb.valid.txt", "aa0affc06ff7c36e977d7cd49e3839bf"),
         "test": ("ptb.test.txt", "8b80168b89c18661a38ef683c0dc3721")}


def load(folder: str | Path, split: str, kind: str) -> Text:
    """Return a split as "characters" or "words".

    Lines are stripped, a line's end is a symbol and counts, and `<unk>` is spelt out.
    """
    text, train = (lines(read(folder, name)) for name in (split, "train"))
    whole = Vocabulary(kind, ())
    vocabulary = Vocabulary(kind, tuple(sorted(set(whole.split(train)))))
    return Text(f"ptb-{'char' if kind == 'characters' else 'word'}", split, vocabulary,
                vocabulary.encode(text), characters=len(text), words=len(text.split()) + text.count("\n"))


def lines(text: str) -> str:
    """Strip each line, and end each with one newline."""
    return "".join(line.strip() + "\n" for line in text.splitlines())


def read(folder: str | Path, split: str) -> str:
    """Return a split's file, from the folder or from ptb.zip in it, if it is the published one."""
    if split not in FILES:
        raise ValueError(f"Penn Treebank has no split {split!r}. Choose {', '.join(FILES)}.")
    name, md5 = FILES[split]
    path, archive = Path(folder) / name, Path(folder) / "ptb.zip"
    if path.is_file():
        data = path.read_bytes()
    elif archive.is_file():
        data = read_member(archive, name)
    else:
        raise FileNotFoundError(f"There is neither {path} nor {archive}. Put Mikolov's three files there, or his "
                                "archive, and set GRAVES_NB_DATA to the folder; or use `--data plays`.")
    return read_utf8(check(data, md5, name), name)


def read_member(archive: Path, name: str) -> bytes:
    """Return the file of that name, wherever it lies in the archive."""
    try:
        with zipfile.ZipFile(archive) as file:
            found = [i for i in file.infolist() if Path(i.filename).name == name and "__MACOSX" not in i.filename]
            if not found or found[0].file_size > 10_000_000:
                raise ValueError(f"{archive} holds no {name}. Is it Mikolov's archive?")
            return file.read(found[0])
    except zipfile.BadZipFile as error:
        raise ValueError(f"{archive} is damaged ({error}). Fetch it again.") from error
