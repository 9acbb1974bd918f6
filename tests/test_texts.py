"""Texts to learn from: the published counts, files of one's own, and downloads that go wrong."""

import hashlib
import io
import lzma
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from graves_nb import datasets
from graves_nb.batches import collate_text, sentences, streams
from graves_nb.datasets import download, enwik8, grammar, penn_treebank
from graves_nb.datasets.download import fetch

# Published counts


@pytest.fixture
def real_folder(real_data, monkeypatch):
    monkeypatch.setenv("GRAVES_NB_DATA", str(real_data))
    return real_data


@pytest.mark.parametrize("split, characters, words, lines", [
    ("train", 5_017_482, 929_589, 42_068), ("validation", 393_042, 73_760, 3_370), ("test", 442_423, 82_430, 3_761)])
def test_penn_treebank_has_the_published_counts(real_folder, split, characters, words, lines):
    text = datasets.load_text("ptb-char", split)
    assert (len(text.labels), text.characters, text.words) == (characters, characters, words)
    assert len(text.vocabulary.symbols) == 50
    spans = sentences(text.labels, text.vocabulary.symbols.index("\n"))
    assert len(spans) == lines and sum(b - a for a, b in spans) == characters


def test_words_of_penn_treebank(real_folder):
    text = datasets.load_text("ptb-word", "test")
    assert (len(text.labels), text.characters, text.words) == (82_430, 442_423, 82_430)
    assert len(text.vocabulary.symbols) == 10_000
    assert text.vocabulary.decode(text.labels) == "".join(
        " ".join(line.split()) + "\n" for line in penn_treebank.read(real_folder, "test").splitlines())


def test_prefix_of_enwik8(real_folder):
    train, validation = (datasets.load_text("enwik8-prefix", split) for split in ("train", "validation"))
    assert (len(train.labels), len(validation.labels)) == (4_000_000, 154_399)
    assert len(train.vocabulary.symbols) == 205 and train.vocabulary == validation.vocabulary
    assert train.vocabulary.decode(train.labels[:10]) == "<mediawiki"


def test_the_plays_ship():
    parts = {split: datasets.load_text("plays", split) for split in ("train", "validation", "test")}
    assert {part.vocabulary for part in parts.values()} == {parts["train"].vocabulary}
    assert len(parts["train"].labels) > 900_000 and len(parts["train"].vocabulary.symbols) == 68
    assert "PROSPERO." in parts["validation"].vocabulary.decode(parts["validation"].labels)
    assert "VIOLA." in parts["test"].vocabulary.decode(parts["test"].labels)


def test_digests_tell_texts_apart():
    a, b = datasets.load_text("plays", "test"), datasets.load_text("plays", "validation")
    assert a.sha256() == datasets.load_text("plays", "test").sha256() != b.sha256()


# Files that are not what they should be


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAVES_NB_DATA", str(tmp_path))
    return tmp_path


def test_your_own_text(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("\ufeffab\r\nc\u00e9" * 50, encoding="utf-8")
    train, test = (datasets.load_text(str(path), split) for split in ("train", "test"))
    assert train.vocabulary.symbols == ("\n", "a", "b", "c", "\u00e9", "\ufeff") and train.name == "mine.txt"
    assert train.characters + test.characters == pytest.approx(0.95 * (50 * 6 - 1), abs=2)


@pytest.mark.parametrize("data, says", [(b"", "empty"), (b" \n", "empty"), (b"caf\xe9" * 9, "not UTF-8 .byte 3"), (b"a", "too short")])
def test_bad_files_of_your_own(tmp_path, data, says):
    path = tmp_path / "mine.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=says):
        datasets.load_text(str(path), "validation")


def test_names_and_splits_that_do_not_exist(folder):
    with pytest.raises(ValueError, match="no text 'ptb'"):
        datasets.load_text("ptb", "train")
    for name in ("plays", "ptb-char", "enwik8"):
        with pytest.raises(ValueError, match="no split 'dev'"):
            datasets.load_text(name, "dev")


def test_penn_treebank_must_be_the_published_one(folder):
    with pytest.raises(FileNotFoundError, match="GRAVES_NB_DATA"):
        datasets.load_text("ptb-char", "test")
    (folder / "ptb.test.txt").write_text("no it was n't black monday\n")
    with pytest.raises(ValueError, match="MD5"):
        datasets.load_text("ptb-char", "test")
    (folder / "ptb.test.txt").unlink()
    (folder / "ptb.zip").write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="damaged"):
        datasets.load_text("ptb-char", "test")
    with zipfile.ZipFile(folder / "ptb.zip", "w") as archive:
        archive.writestr("__MACOSX/ptb.test.txt", "clutter")
    with pytest.raises(ValueError, match="no ptb.test.txt"):
        datasets.load_text("ptb-char", "test")


def test_penn_treebank_from_three_files_or_the_archive(folder, monkeypatch):
    texts = {"train": " a <unk> b \n b N \n", "validation": " b \n", "test": " a a \n"}
    files = {split: (name, hashlib.md5(texts[split].encode()).hexdigest()) for split, (name, _) in penn_treebank.FILES.items()}
    monkeypatch.setattr(penn_treebank, "FILES", files)
    with zipfile.ZipFile(folder / "ptb.zip", "w") as archive:
        for split, (name, _) in files.items():
            archive.writestr(f"__MACOSX/._{name}", "clutter")
            archive.writestr(f"some/{name}", texts[split])
    packed = datasets.load_text("ptb-word", "test")
    (folder / files["test"][0]).write_text(texts["test"])
    assert packed.sha256() == datasets.load_text("ptb-word", "test").sha256()
    assert (packed.characters, packed.words) == (4, 3)  # "a a\n"
    assert datasets.load_text("ptb-char", "train").characters == len("a <unk> b\nb N\n")


def test_a_damaged_prefix(folder):
    (folder / "enwik8.part.xz").write_bytes(lzma.compress(b"x" * 99)[:-9])
    with pytest.raises(ValueError, match="damaged"):
        datasets.load_text("enwik8-prefix", "train")


# Downloads, from a server of one's own


class Server(BaseHTTPRequestHandler):
    """Serves `content`, and does one of the things that servers do: breaks off, lies, sends rubbish."""

    content, manner, asked = b"", "well", []

    def log_message(self, *args):
        pass

    def do_GET(self):
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.asked.append(start)
        if self.manner == "not there":
            return self.send_error(404)
        body = self.content[start:]
        if self.manner == "rubbish":
            start, body = 0, b"<html>please log in</html>"
        if self.manner == "no ranges":
            start, body = 0, self.content
        self.send_response(206 if start else 200)
        promised = len(body) + {"promises more": 7, "promises less": -7}.get(self.manner, 0)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        breaks = self.manner == "breaks off" or (self.manner == "no ranges" and len(self.asked) < 3)
        self.wfile.write(body[: len(body) // 2 + 1] if breaks else body)
        self.close_connection = True


@pytest.fixture
def server():
    Server.manner, Server.asked = "well", []
    Server.content = np.random.default_rng(0).integers(0, 256, 400_000, dtype=np.uint8).tobytes()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/file"
        http.shutdown()


def md5():
    return hashlib.md5(Server.content).hexdigest()


def test_a_good_download_is_fetched_once(server, tmp_path):
    for _ in range(2):
        assert fetch(server, tmp_path / "f", md5()).read_bytes() == Server.content
    assert Server.asked == [0] and [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_broken_download_goes_on_where_it_stopped(server, tmp_path, monkeypatch):
    Server.manner = "breaks off"
    monkeypatch.setattr(download, "TRIES", 3)
    with pytest.raises(OSError, match="breaks off"):
        fetch(server, tmp_path / "f", md5())
    assert Server.asked == [0, 196_608, 262_144]  # each time half of what was left, in whole chunks
    assert not (tmp_path / "f").exists()
    Server.manner = "well"
    assert fetch(server, tmp_path / "f", md5()).read_bytes() == Server.content
    assert Server.asked[-1] == 327_680


def test_a_server_without_ranges_begins_anew(server, tmp_path):
    Server.manner = "no ranges"
    assert fetch(server, tmp_path / "f", md5()).read_bytes() == Server.content


@pytest.mark.parametrize("manner, error", [("promises more", OSError), ("promises less", ValueError), ("rubbish", ValueError), ("not there", OSError)])
def test_nothing_false_bears_the_right_name(server, tmp_path, manner, error, monkeypatch):
    monkeypatch.setattr(download, "TRIES", 2)
    Server.manner = manner
    with pytest.raises(error, match="127.0.0.1"):
        fetch(server, tmp_path / "f", md5())
    assert not (tmp_path / "f").exists()
    Server.manner = "well"
    assert fetch(server, tmp_path / "f", md5()).read_bytes() == Server.content


def test_no_server_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TRIES", 2)
    with pytest.raises(OSError, match="cannot be reached"):
        fetch("http://127.0.0.1:9/none", tmp_path / "f")


def small_enwik8(monkeypatch, data):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("enwik8", data)
    Server.content = archive.getvalue()
    monkeypatch.setattr(enwik8, "SIZE", 1000)
    monkeypatch.setitem(enwik8.TRAIN, "enwik8", 900)
    monkeypatch.setitem(enwik8.END, "enwik8", 1000)


def test_enwik8_is_fetched_and_checked(server, folder, monkeypatch):
    data = bytes(range(200)) * 5
    small_enwik8(monkeypatch, data)
    monkeypatch.setattr(enwik8, "URL", server)
    monkeypatch.setattr(enwik8, "MD5", hashlib.md5(data).hexdigest())
    train, validation = (datasets.load_text("enwik8", split) for split in ("train", "validation"))
    assert (train.characters, validation.characters) == (900, 100) and Server.asked == [0]
    assert bytes(ord(train.vocabulary.symbols[i]) for i in train.labels) == data[:900]


@pytest.mark.parametrize("data, says", [(b"x" * 999, "999 bytes"), (b"x" * 1000, "MD5")])
def test_another_archive_is_not_taken_for_enwik8(server, folder, monkeypatch, data, says):
    small_enwik8(monkeypatch, data)
    monkeypatch.setattr(enwik8, "URL", server)
    with pytest.raises(ValueError, match=says):
        datasets.load_text("enwik8", "train")
    assert not (folder / "enwik8.zip").exists()
    Server.manner = "rubbish"
    with pytest.raises(ValueError, match="official"):
        datasets.load_text("enwik8", "train")
    (folder / "enwik8").write_bytes(b"y" * 1000)
    with pytest.raises(ValueError, match="MD5"):
        datasets.load_text("enwik8", "train")


# Batches of text


def test_sentences_and_streams_hold_each_symbol_once():
    labels = np.array([3, 1, 0, 2, 0, 0, 4, 5], np.uint8)
    assert sentences(labels, 0) == [(0, 3), (3, 5), (5, 6), (6, 8)]
    assert sentences(labels[:6], 0)[-1] == (5, 6) and sentences(labels[:0], 0) == []
    cut = streams(103, 4, 10)
    assert [len(batch) for batch in cut] == [4, 4, 4] and cut[0][1] == (25, 35) and cut[2][1] == (45, 50)
    assert sorted(i for batch in cut for a, b in batch for i in range(a, b)) == list(range(100))
    assert streams(103, 1, 0) == [[(0, 103)]]


def test_text_batches_are_shifted_by_one_and_masked():
    labels = np.arange(10, dtype=np.uint8)
    batch = collate_text(labels, [(0, 3), (5, 10)])
    assert batch.x[:, 1].tolist() == [-1, 5, 6, 7, 8] and batch.y[:, 1].tolist() == [5, 6, 7, 8, 9]
    assert batch.x[:3, 0].tolist() == [-1, 0, 1] and batch.mask[:, 0].tolist() == [1, 1, 1, 0, 0]


# The grammar


def test_the_grammar_makes_sentences_of_the_entropy_it_states():
    """All are sentences, no verb disagrees, and what they cost has the stated mean."""
    text = datasets.load_text("grammar", "train")
    lines = text.vocabulary.decode(text.labels).splitlines()
    assert len(lines) == 3000 and all(map(grammar.is_sentence, lines))
    assert np.mean([grammar.bits(line) for line in lines]) == pytest.approx(grammar.entropy(), rel=0.02)
    plain = 2 ** -grammar.bits("the pen holds the page.")  # one of as many, all equally likely
    assert plain == pytest.approx(1 / (2 * (2 * len(grammar.NOUNS)) ** 2 * len(grammar.VERBS)))
    for wrong in ("the pen hold the page.", "the pens that the hand holds follows the page.", "the pen holds the page"):
        assert not grammar.is_sentence(wrong)


def test_the_grammar_has_three_splits_of_its_own():
    parts = {split: datasets.load_text("grammar", split) for split in ("train", "validation", "test")}
    assert len({part.sha256() for part in parts.values()}) == 3 and len({part.vocabulary for part in parts.values()}) == 1
    with pytest.raises(ValueError, match="Choose train, validation, test"):
        datasets.load_text("grammar", "other")
