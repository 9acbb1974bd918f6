"""The loader of the official download: the same ink bit for bit, and a plain word for every bad file."""

import io
import tarfile

import numpy as np
import pytest

from graves_nb.cli import main
from graves_nb.datasets import iam_ondb
from graves_nb.strokes import Normalisation, targets

STROKES = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession><StrokeSet>
<Stroke><Point x="10" y="20" time="1.00"/><Point x="13" y="18" time="1.02"/></Stroke>
<Stroke><Point x="40" y="18" time="1.50"/></Stroke>
</StrokeSet></WhiteboardCaptureSession>"""
EMPTY = "<WhiteboardCaptureSession><StrokeSet/></WhiteboardCaptureSession>"
BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'


def tar(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))


@pytest.fixture
def download(tmp_path):
    """Make a download of made-up ink; `strokes` are the members of its stroke archive."""

    def make(**strokes):
        source = tmp_path / "download"
        source.mkdir(exist_ok=True)
        tar(source / "lineStrokes-all.tar.gz", strokes or {"lineStrokes/z01/z01-000/z01-000a-01.xml": STROKES})
        tar(source / "ascii-all.tar.gz", {"ascii/z01/z01-000/z01-000a.txt": "OCR:\n\nno\n\nCSR:\n\nFirst line\nSecond\n"})
        for name in iam_ondb.LISTS:
            (source / f"{name}.txt").write_text("z01-000a\n" if name == "trainset" else "")
        return source

    return make


def test_official_sample_equals_the_packed_file(real_data, tmp_path):
    iam_ondb.pack(real_data / "iam_ondb_official_sample", tmp_path / "sample.npz")
    with np.load(tmp_path / "sample.npz") as ours, np.load(real_data / "iam_ondb_lines.npz") as file:
        theirs = {name: file[name] for name in ours.files}
        assert len(ours["line_id"]) == 178 and set(file.files) == set(ours.files)
        place = {line_id: i for i, line_id in enumerate(theirs["line_id"])}
        for i, line_id in enumerate(ours["line_id"]):
            j = place[line_id]
            rows, others = slice(*ours["ptr"][i : i + 2]), slice(*theirs["ptr"][j : j + 2])
            for name in ("dxy", "pen", "dt"):
                assert ours[name].dtype == theirs[name].dtype
                assert np.array_equal(ours[name][rows], theirs[name][others]), (line_id, name)
            for name in ("text", "split", "origin", "text_src"):
                assert np.array_equal(ours[name][i], theirs[name][j]), (line_id, name)


def test_the_canonical_protocol(real_data):
    """The counts and units that every published number rests on."""
    path = real_data / "iam_ondb_lines.npz"
    train, validation = iam_ondb.load(path, "train"), iam_ondb.load(path, "validation")
    assert (len(train), len(validation)) == (10_521, 1_438)
    units = Normalisation.fit(train)
    assert np.round(units.mean, 3).tolist() == [8.160, 0.112]
    assert np.round(units.std, 2).tolist() == [40.61, 37.05]
    assert sum(len(targets(line.offsets_raw, 1000.0)) for line in train) == 6_585_328
    assert sum(len(targets(line.offsets_raw, 1000.0)) for line in validation) == 884_417


def test_made_up_ink_is_packed_as_documented(download, tmp_path):
    out = tmp_path / "out.npz"
    assert iam_ondb.pack(download(), out) == dict(lines=1, empty=[])
    with np.load(out) as data:
        assert data["dxy"].tolist() == [[0, 0], [3, -2], [27, 0]]
        assert data["pen"].tolist() == [0, 1, 1] and data["dt"].tolist() == [0, 2, 48]
        assert data["text"].tolist() == ["First line"] and data["origin"].tolist() == [[10, 20]]
    line = iam_ondb.load(out, "train")[0]
    assert line.offsets_raw.tolist() == [[0, 0, 0], [3, -2, 1], [27, 0, 1]] and line.text == "First line"


def test_unpacked_folders_give_the_same(download, tmp_path):
    source = download()
    iam_ondb.pack(source, tmp_path / "a.npz")
    for name in ("lineStrokes", "ascii"):
        with tarfile.open(source / f"{name}-all.tar.gz") as archive:
            archive.extractall(source, filter="data")
        (source / f"{name}-all.tar.gz").unlink()
    iam_ondb.pack(source, tmp_path / "b.npz")
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)


def test_a_line_without_strokes_is_left_out_and_told(download, tmp_path, capsys):
    found = iam_ondb.pack(download(**{"x/z01-000a-01.xml": STROKES, "x/z01-000a-02.xml": EMPTY}), tmp_path / "o.npz")
    assert found == dict(lines=1, empty=["z01-000a-02"])
    assert "z01-000a-02" in capsys.readouterr().out


def test_a_line_without_transcript_is_kept(download, tmp_path):
    iam_ondb.pack(download(**{"x/z01-000a-07.xml": STROKES}), tmp_path / "o.npz")
    with np.load(tmp_path / "o.npz") as data:
        assert data["text"].tolist() == [""] and data["text_src"].tolist() == [0]


@pytest.mark.parametrize("content, says", [(BOMB, "entities"), ("<a><b></a>", "not a line of ink"), ("", "not a line of ink"),
                                           ("<a><Point x='1'/></a>", "not a line of ink")])
def test_bad_xml(download, tmp_path, content, says):
    with pytest.raises(ValueError, match=says):
        iam_ondb.pack(download(**{"x/z01-000a-01.xml": content}), tmp_path / "o.npz")
    assert not list(tmp_path.glob("o.npz*"))


def test_a_member_that_points_outside_writes_nothing_there(download, tmp_path):
    source = download(**{"../../../z01-000a-01.xml": STROKES, "/tmp/z01-000a-02.xml": STROKES})
    before = set(tmp_path.rglob("*"))
    iam_ondb.pack(source, tmp_path / "o.npz")
    assert set(tmp_path.rglob("*")) - before == {tmp_path / "o.npz"}


def test_bad_downloads_are_told_apart(download, tmp_path, capsys):
    source, out = download(), tmp_path / "o.npz"
    archive = source / "lineStrokes-all.tar.gz"
    whole = archive.read_bytes()
    for content, says in ((whole[: len(whole) // 2], "damaged"), (b"not an archive", "damaged"), (None, "neither")):
        archive.write_bytes(content) if content else archive.unlink()
        assert main(["pack", str(source), "--out", str(out)]) == 1
        assert says in capsys.readouterr().err
    (source / "testset_v.txt").unlink()
    assert main(["pack", str(source), "--out", str(out)]) == 1
    assert "testset_v.txt" in capsys.readouterr().err
    assert not list(tmp_path.glob("o.npz*"))


def test_ink_of_another_database(download, tmp_path):
    with pytest.raises(ValueError, match="split lists"):
        iam_ondb.pack(download(**{"x/y99-999-01.xml": STROKES}), tmp_path / "o.npz")


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_bad_packed_file(tmp_path, content):
    path = tmp_path / "p.npz"
    path.write_bytes(content) if content is not None else np.savez(path, dxy=np.zeros((1, 2)))
    with pytest.raises(ValueError, match="damaged"):
        iam_ondb.load(path, "train")


def test_no_real_data_says_what_to_do(monkeypatch, tmp_path):
    from graves_nb import datasets

    monkeypatch.setenv("GRAVES_NB_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="--data synthetic"):
        datasets.load("iam-ondb", "train")
    with pytest.raises(ValueError, match="Choose"):
        datasets.load("nothing", "train")
