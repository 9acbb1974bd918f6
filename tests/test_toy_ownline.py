"""A line of one's own: written by mouse, touch and keys, seen as offsets at the tablet's pace and scale; it goes nowhere."""

import json

import numpy as np
import pytest
from ink_toys import ToyPage

from graves_nb.datasets import synthetic
from graves_nb.paths import data_path
from graves_nb.strokes import from_strokes, to_strokes
from graves_nb.toys import OwnLine

WAVE = [(0.1 + 0.8 * i / 60, 0.5 + 0.12 * np.sin(i / 2)) for i in range(61)]  # one joined stroke


@pytest.fixture
def toy(browser):
    page = ToyPage(browser, OwnLine())
    yield page
    page.close()


def own(toy, row):
    """A number of the reader's column."""
    return toy.root.locator("tr", has_text=row).first.locator("td").first.inner_text()


def test_a_line_is_written_and_compared(toy):
    """A joined stroke reaches the goal; undo and clear take it away again."""
    sheet = toy.root.locator("canvas").first
    assert own(toy, "points") == "–"
    assert toy.changes(lambda: toy.drag(sheet, *WAVE[:8]))
    toy.button("Clear the sheet").click()
    assert toy.stays(lambda: toy.drag(sheet, *WAVE)), "the sheet must not move under a hand that writes"
    assert toy.is_reached() and int(own(toy, "points")) > 60
    assert 1 / 60 > float(own(toy, "end a stroke").rstrip("%")) / 100 > 0
    assert 8 < float(own(toy, "std of dy")) < 60
    toy.is_said("1 strokes")
    toy.drag(sheet, (0.3, 0.2), (0.35, 0.2))
    assert toy.changes(lambda: toy.button("Undo a stroke").click())
    assert toy.changes(lambda: toy.button("Clear the sheet").click())
    assert own(toy, "points") == "–"
    toy.asks_nobody()


def test_short_strokes_do_not_reach_the_goal(toy):
    sheet = toy.root.locator("canvas").first
    for i in range(8):
        toy.drag(sheet, (0.1 + 0.1 * i, 0.4), (0.12 + 0.1 * i, 0.6))
    assert int(own(toy, "points")) > 60 and not toy.is_reached()


def test_keys_write_too(toy):
    """Space puts the pen down, arrows move it, backspace takes the stroke back; Tab leads away."""
    sheet = toy.root.locator("canvas").first
    keys = ["Space", *(["ArrowRight"] * 10 + ["ArrowUp"] * 8 + ["ArrowRight"] * 4 + ["ArrowDown"] * 8) * 3, "Space"]
    assert toy.changes(lambda: toy.press(sheet, *keys))
    assert toy.is_reached()
    assert toy.changes(lambda: toy.press(sheet, "Backspace")) and own(toy, "points") == "–"
    toy.press(sheet, "Tab")
    assert toy.page.evaluate("document.activeElement.textContent") == "Undo a stroke"
    toy.press(toy.button("Undo a stroke"), "Enter")
    toy.press(toy.button("Clear the sheet"), "Enter")


def test_a_finger_writes_and_the_page_does_not_scroll(browser):
    """The touch of a phone, as its events come from the screen."""
    toy = ToyPage(browser, OwnLine(), width=360, has_touch=True)
    sheet = toy.root.locator("canvas").first
    toy.point(sheet, 0, 0)  # into view
    scrolled = toy.page.evaluate("scrollY")
    screen = toy.page.context.new_cdp_session(toy.page)
    for n, place in enumerate(WAVE):
        x, y = toy.point(sheet, *place)
        kind = "touchStart" if n == 0 else "touchMove"
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    toy.wait_for_paint()
    assert int(own(toy, "points")) > 40 and toy.page.evaluate("scrollY") == scrolled
    toy.close()


def test_nobody_is_shut_out(toy):
    toy.shuts_nobody_out()


def test_it_runs_in_a_kernel(toy):
    toy.runs_in_a_kernel("ownline.js")
    assert "aria-label" in OwnLine().still()


def test_ink_has_no_way_out():
    """What is written never reaches the model, which a kernel would share."""
    traits = set(OwnLine().state())
    assert traits == {"text", "offsets"}
    for name in ("ownline.js", "recorder.js"):
        source = (data_path("").parent / "graves_nb" / "static" / name).read_text(encoding="utf-8")
        assert not any(word in source for word in ("model.set", "save_changes", "fetch(", "localStorage", ".send("))


# The recorder: strokes in pixels become offsets of the tablet


@pytest.fixture(scope="module")
def recorder(browser):
    """Run an expression on recorder.js, in a page: `recorder("offsetsOf(job)", job)`."""
    page = ToyPage(browser, OwnLine())
    yield lambda code, job=None: page.page.evaluate(f"""async (job) => {{
      const {{ offsetsOf, tabletOffsets, TABLET }} = await import("/recorder.js");
      return {code};
    }}""", job)
    page.close()


@pytest.fixture
def offsets(recorder):
    """Turn strokes [[x, y, ms], ...] into offsets of the tablet."""
    return lambda strokes, **options: np.array(recorder("tabletOffsets(...job)", [strokes, options]))


def written(line, pixels=0.15, milliseconds=4.0):
    """A line of synthetic ink as a mouse would have written it: whole pixels, at uneven times."""
    rng, clock, strokes = np.random.default_rng(0), 0.0, []
    for stroke in to_strokes(line.offsets_raw):
        fine = np.stack([np.interp(np.arange(0, len(stroke) - 0.99, 0.25), np.arange(len(stroke)), p) for p in stroke.T], 1)
        times = clock + np.cumsum(rng.uniform(0.5, 1.5, len(fine)) * milliseconds)
        strokes.append(np.column_stack([np.rint(pixels * fine), times]).tolist())
        clock = times[-1] + 300
    return strokes


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("pixels", [0.1, 0.2])
def test_a_hand_comes_out_at_the_pace_and_scale_of_the_tablet(offsets, known, pixels):
    """Whatever the size on the screen: the points and the spread of what was written, within what its hand allows."""
    line = synthetic.lines(6, seed=1)[4]
    rows = offsets(written(line, pixels), **(dict(characters=len(line.text)) if known else {}))
    assert np.array_equal(rows, np.rint(rows)) and not rows[0, :2].any() and set(rows[:, 2]) == {0, 1}
    assert rows[:, 2].sum() == line.offsets_raw[:, 2].sum()
    assert 0.75 < len(rows) / len(line.offsets_raw) < 1.4
    assert ((rows[1:, :2].std(0) / line.offsets_raw[1:, :2].std(0)) < 1.6).all()
    assert ((rows[1:, :2].std(0) / line.offsets_raw[1:, :2].std(0)) > 0.7).all()


def test_a_known_text_sets_points_and_width(offsets):
    line = synthetic.lines(6, seed=1)[4]
    rows = offsets(written(line), characters=len(line.text))
    places = np.cumsum(rows[:, :2], axis=0)
    assert abs(len(rows) / (22 * len(line.text)) - 1) < 0.05
    assert abs(np.ptp(places[:, 0]) / (184 * len(line.text)) - 1) < 0.02


def test_shape_survives(offsets):
    """What comes out is what was drawn, but for its scale: each stroke ends where it did."""
    line = synthetic.lines(6, seed=1)[4]
    drawn = written(line)
    rows = offsets(drawn, characters=len(line.text))
    ends = np.array([stroke[-1] for stroke in to_strokes(rows)])
    wanted = np.array([stroke[-1][:2] for stroke in drawn])
    ends, wanted = ends - ends[0], wanted - wanted[0]
    scale = (ends * wanted).sum() / (wanted**2).sum()
    assert np.abs(ends - scale * wanted).max() < 4  # tablet units: rounding


def test_a_pause_is_no_point(offsets):
    """However long a pen rests in mid-stroke, a line has as many points, and few of them lie where it rested."""
    stroke = [[3 * i, 20 + 10 * np.sin(i / 3), 8 * i] for i in range(80)]
    lines = [offsets([[[x, y, t + (rest if i > 40 else 0)] for i, (x, y, t) in enumerate(stroke)]]) for rest in (0, 100, 50_000)]
    assert np.array_equal(lines[1], lines[2]) and len(lines[0]) == len(lines[1])
    still = [(np.hypot(*line[1:, :2].T) < 10).sum() for line in lines]
    assert still[2] < 0.12 * len(lines[2])


@pytest.mark.parametrize("strokes", [[], [[]], [[[5, 5, 0]]], [[[5, 5, 0], [5, 5, 9]]], [[[0, 0, 0], [100, 0, 80]]]])
@pytest.mark.parametrize("options", [{}, dict(characters=3)])
def test_dots_and_nothing_are_no_trouble(offsets, strokes, options):
    rows = offsets(strokes, **options)
    assert len(rows) == 0 or (np.isfinite(rows).all() and rows[-1, 2] == 1 and len(rows) >= 2)


def test_offsets_in_the_page_are_those_of_the_package(recorder):
    """`offsetsOf` is `from_strokes`."""
    strokes = to_strokes(synthetic.lines(1, seed=2)[0].offsets_raw)
    assert np.array_equal(recorder("offsetsOf(job)", [stroke.tolist() for stroke in strokes]), from_strokes(strokes))


def test_the_tablet_of_the_page_is_that_of_the_results(recorder):
    """Pace and scale are what was measured on real ink."""
    tablet = recorder("TABLET")
    real = json.loads(data_path("results/iam_ondb_ink.json").read_text())["train"]
    assert tablet == pytest.approx(dict(points=real["points_per_character"], width=real["character_width"],
                                        height=real["line_height"], step=real["step"]), rel=0.03)
