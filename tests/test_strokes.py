"""Ink on its way: offsets and places, units, batches, pictures, characters, synthetic ink."""

import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest
import torch

from graves_nb.alphabet import ALPHABET, OTHER, V, encode, one_hot
from graves_nb.batches import batches, collate
from graves_nb.checks import INSTEAD, MAX_CHARACTERS, check_text
from graves_nb.datasets import load, sentences, synthetic
from graves_nb.strokes import Line, Normalisation, from_strokes, targets, to_page, to_strokes
from graves_nb.svg import to_svg


@pytest.fixture(scope="module")
def lines():
    return synthetic.lines(40, seed=3)


def test_alphabet():
    assert V == len(set(ALPHABET)) + 1 == 76 and OTHER == 75
    assert encode("aZ ~").tolist() == [ALPHABET.index("a"), ALPHABET.index("Z"), 0, OTHER]
    rows = one_hot(["ab", ""])
    assert rows.shape == (2, 2, V) and rows[0].argmax(-1).tolist() == encode("ab").tolist() and rows[1].sum() == 0


@pytest.mark.parametrize("bad", sorted(INSTEAD))
def test_unknown_characters_are_named_with_what_to_use(bad):
    with pytest.raises(ValueError) as error:
        check_text(f"so {bad} so")
    assert repr(bad) in str(error.value) and INSTEAD[bad] in str(error.value)


def test_length_and_emptiness():
    assert check_text("x" * MAX_CHARACTERS)
    for text, says in (("x" * (MAX_CHARACTERS + 1), "several lines"), ("  ", "empty")):
        with pytest.raises(ValueError, match=says):
            check_text(text)


def test_targets_drop_the_start_and_the_leaps():
    rows = np.array([[0, 0, 0], [600, 800, 0], [600, 801, 1], [1, 1, 0]])
    assert targets(rows, 1000.0).tolist() == [[600, 800, 0], [1, 1, 0]]


def test_units_round_trip(lines):
    units = Normalisation.fit(lines)
    raw = lines[0].offsets_raw
    assert torch.allclose(units.invert(units.apply(raw)), torch.tensor(raw).float(), atol=1e-3)
    offsets = torch.cat([units.apply(targets(line.offsets_raw, 1000.0)) for line in lines])[:, :2].double()
    assert torch.allclose(offsets.mean(0), torch.zeros(2).double(), atol=1e-5)
    assert torch.allclose(offsets.std(0, correction=0), torch.ones(2).double(), atol=1e-5)


def test_strokes_round_trip(lines):
    for line in lines[:5]:
        strokes = to_strokes(line.offsets_raw)
        assert np.array_equal(from_strokes(strokes), line.offsets_raw)
        assert np.array_equal(np.concatenate(strokes), to_page(line.offsets_raw))
        assert len(strokes) == line.offsets_raw[:, 2].sum()


def test_batch_is_shifted_by_one_and_masked(lines):
    units = Normalisation.fit(lines)
    batch = collate(lines[:3], units)
    for b, line in enumerate(lines[:3]):
        rows = units.apply(targets(line.offsets_raw, 1000.0))
        n = len(rows)
        assert batch.mask[:, b].sum() == n and batch.mask[:n, b].all()
        assert torch.equal(batch.y[:n, b], rows)
        assert torch.equal(batch.x[1:n, b], rows[:-1]) and not batch.x[0, b].any()
        assert batch.text[b].sum() == len(line.text)


def test_batches_deal_every_line_once_by_length_and_repeat(lines):
    def deal(seed):
        return batches(lines, 8, torch.Generator().manual_seed(seed))

    one, again, other = deal(1), deal(1), deal(2)
    names = [[line.line_id for line in batch] for batch in one]
    assert sorted(sum(names, [])) == sorted(line.line_id for line in lines)
    assert names == [[line.line_id for line in batch] for batch in again]
    assert names != [[line.line_id for line in batch] for batch in other]
    spread = np.mean([np.ptp([len(line.offsets_raw) for line in batch]) for batch in one])
    assert spread < 0.5 * np.ptp([len(line.offsets_raw) for line in lines])


def test_picture_is_svg_with_a_title():
    line = Line("<b> & co", np.array([[0, 0, 1], [5, 5, 0], [5, -5, 0], [5, 5, 1]]))
    root = ET.fromstring(to_svg(line.offsets_raw, title=line.text))
    assert root.find("{*}title").text == "<b> & co" and root.get("role") == "img"
    assert len(root.findall(".//{*}path")) == 2
    ET.fromstring(to_svg(np.zeros((0, 3))))


def test_synthetic_ink_is_the_same_everywhere():
    a, b = synthetic.lines(3, seed=5), synthetic.lines(5, seed=5)[:3]
    assert all(x.text == y.text and np.array_equal(x.offsets_raw, y.offsets_raw) for x, y in zip(a, b))
    assert synthetic.lines(1, seed=6)[0].text != a[0].text


def test_synthetic_ink_has_the_pace_and_size_of_a_hand():
    ink = synthetic.lines(200, seed=1)
    points, characters = (sum(map(len, part)) for part in ([x.offsets_raw for x in ink], [x.text for x in ink]))
    assert 20 < points / characters < 24
    units = Normalisation.fit(ink)
    assert all(25 < s < 55 for s in units.std) and 4 < units.mean[0] < 12
    assert all(line.offsets_raw.dtype == np.int16 and line.offsets_raw[-1, 2] == 1 for line in ink)
    assert all(not line.offsets_raw[0, :2].any() for line in ink)
    assert len({line.writer for line in ink}) > 12


def test_sentences_use_the_whole_alphabet():
    rng = np.random.default_rng(0)
    texts = [sentences.sentence(rng) for _ in range(4000)]
    seen = Counter("".join(texts))
    assert set(seen) == set(ALPHABET)
    assert min(seen.values()) >= 10, seen.most_common()[-5:]
    assert all(8 <= len(text) <= 60 for text in texts)


def test_every_character_is_drawn_in_every_font():
    for font in synthetic.FONTS:
        shapes = {c: np.concatenate(strokes) for c, (_, _, strokes) in synthetic.glyphs(font).items() if c != " "}
        assert set(shapes) == set(ALPHABET) - {" "}
        del shapes["l"]  # in the plain fonts it is the same stick as a capital I
        assert len({shape.tobytes() for shape in shapes.values()}) == len(shapes)


def test_splits():
    assert len(load("synthetic-small", "train")) == 66 and len(load("synthetic-small", "validation")) == 6
    assert max(len(line.offsets_raw) for line in load("synthetic-small", "train")) < 120
    with pytest.raises(ValueError, match="train or validation"):
        load("synthetic", "test")
