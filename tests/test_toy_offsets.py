"""Ink as offsets: a wrong row is found and mended; what positions do; what a threshold drops."""

import numpy as np
import pytest
from ink_toys import ToyPage
from traitlets import TraitError

from graves_nb.strokes import Line, Normalisation, targets, to_page
from graves_nb.toys import Offsets, Threshold

# Where the row that is wrong lies on the sheet, as shares of it; and what its error is there.
FAULT = """async ([rows, [row, dx, dy]]) => {
  const { sheetScale } = await import("/traces.js");
  const { placesOf } = await import("/rows.js");
  const canvas = document.querySelector(".toy canvas"), size = [canvas.clientWidth, canvas.clientHeight];
  const scale = sheetScale(placesOf(rows), ...size, { left: 60, right: 330, above: 190, below: 190 });
  const [x, y] = placesOf(rows)[row];
  const share = (u, v) => [scale.px(u) / size[0], scale.py(v) / size[1]];
  return [share(x + dx, y + dy), share(x, y)];
}"""


@pytest.fixture
def opened(browser):
    """Open a toy in a page of its own: `opened(Offsets(), width=360)`."""
    pages = []

    def make(toy, **options):
        pages.append(ToyPage(browser, toy, **options))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


@pytest.fixture
def toy(opened):
    return opened(Offsets())


def chart_place(row, canvas):
    """Where a row lies across its chart, as a share."""
    width = canvas.bounding_box()["width"]
    return (8 + (width - 16) * row / (len(Offsets().offsets) - 1)) / width


def test_half_the_line_is_out_of_place_and_one_row_is_wrong(toy):
    rows, (row, dx, dy) = np.array(Offsets().offsets, float), Offsets().broken
    wrong = rows.copy()
    wrong[row, :2] += dx, dy
    moved = np.hypot(*(to_page(wrong) - to_page(rows)).T) > 25
    assert moved.sum() == len(rows) - row
    assert toy.root.locator(".offsets-count").inner_text() == f"{moved.sum()} of {len(rows)} points are out of place."
    assert not toy.is_reached()


def test_the_line_is_mended_by_pointer(toy):
    """Take hold of the ink where it breaks, and drag it back."""
    start, goal = toy.page.evaluate(FAULT, [Offsets().offsets, Offsets().broken])
    assert toy.stays(lambda: toy.drag(toy.root.locator("canvas").first, start, goal))
    assert toy.is_reached() and f"row {Offsets().broken[0] + 1}" in toy.goal.inner_text()
    assert "All" in toy.root.locator(".offsets-count").inner_text()
    toy.is_said("All")
    toy.asks_nobody()


def test_the_line_is_mended_by_keyboard(toy):
    """Go to the row that sticks out, and take its error off with the arrows."""
    row, dx, dy = Offsets().broken
    toy.press(toy.slider("Row"), *["ArrowRight"] * row)
    toy.press(toy.slider("dx"), *["ArrowLeft"] * (dx // 5))
    assert not toy.is_reached()
    toy.press(toy.slider("dy"), *["ArrowLeft"] * (dy // 5))
    assert toy.is_reached()


def test_a_wrong_position_moves_one_point(toy):
    assert toy.changes(lambda: toy.root.get_by_label("positions").check())
    assert toy.root.locator(".offsets-count").inner_text().startswith("1 of ")
    assert toy.slider("x").count() == 1 and toy.slider("dx").count() == 0
    toy.press(toy.root.get_by_label("positions"), "ArrowLeft")
    assert not toy.root.locator(".offsets-count").inner_text().startswith("1 of ")


@pytest.mark.parametrize("kind", ["pointer", "keyboard"])
def test_each_control_moves_the_picture(toy, kind):
    """Row, dx, dy, the pen's bit, what the file stores, another fault, start again; by keys and by pointer."""
    by_pointer = kind == "pointer"
    sheet, charts = toy.root.locator("canvas").all()
    end, positions = toy.root.get_by_role("checkbox"), toy.root.get_by_label("positions")
    acts = {
        "row": lambda: toy.slide("Row", 0.5) if by_pointer else toy.press(toy.slider("Row"), "PageUp"),
        "dx": lambda: toy.slide("dx", 0.9) if by_pointer else toy.press(toy.slider("dx"), "PageUp"),
        "dy": lambda: toy.slide("dy", 0.9) if by_pointer else toy.press(toy.slider("dy"), "PageUp"),
        "end": lambda: end.click() if by_pointer else toy.press(end, "Space"),
        "spoil": lambda: toy.button("Spoil another row").click() if by_pointer else toy.press(toy.button("Spoil another row"), "Enter"),
        "again": lambda: toy.button("Start again").click() if by_pointer else toy.press(toy.button("Start again"), "Enter"),
        "stores": lambda: positions.click() if by_pointer else toy.press(positions, "Space"),
    }
    if by_pointer:
        acts["chart"] = lambda: toy.drag(charts, (0.3, 0.5), (chart_place(100, charts), 0.5))
    for name, act in acts.items():
        assert toy.changes(act), name
    if by_pointer:
        assert toy.slider("Row").input_value() == "101"
    toy.asks_nobody()


def test_it_goes_by_touch(opened):
    """On a phone a tap on the charts chooses the row."""
    toy = opened(Offsets(), width=360, has_touch=True)
    assert toy.changes(lambda: toy.page.touchscreen.tap(*toy.point(toy.root.locator("canvas").nth(1), 0.5, 0.5)))
    assert int(toy.slider("Row").input_value()) > 100


def test_the_ink_glides_unless_less_motion_is_asked_for(opened):
    """What the switch moves is seen to move; with reduced motion it is there at once."""
    for motion, still in [("reduce", True), ("no-preference", False)]:
        toy = opened(Offsets(), reduced_motion=motion)
        toy.root.get_by_label("positions").check()
        first = toy.pictures()
        toy.page.wait_for_timeout(900)
        assert (toy.pictures() == first) == still


def test_every_other_fault_can_be_mended(toy):
    """"Spoil another row" hides one fault at a time, in mid-stroke."""
    rows = np.array(Offsets().offsets)
    for share, dx, dy in [(0.3, -90, 130), (0.75, 120, -110), (0.4, 150, 60), (0.62, -60, -150)]:
        toy.button("Spoil another row").click()
        astray = int(toy.root.locator(".offsets-count").inner_text().split()[0])
        row = len(rows) - astray
        assert abs(row / len(rows) - share) < 0.1 and not rows[row - 4 : row + 4, 2].any()
        start, goal = toy.page.evaluate(FAULT, [rows.tolist(), [row, dx, dy]])
        toy.drag(toy.root.locator("canvas").first, start, goal)
        assert toy.is_reached()


@pytest.mark.parametrize("kind", [Offsets, Threshold])
def test_nobody_is_shut_out(opened, kind):
    page = opened(kind())
    page.shuts_nobody_out()
    page.runs_in_a_kernel(kind.module)
    page.asks_nobody()


@pytest.mark.parametrize("traits, says", [
    (dict(broken=[0, 1, 1]), "row from 1"), (dict(broken=[10**6, 1, 1]), "row from 1"), (dict(broken=[1.5, 0, 0]), "row from 1"),
    (dict(offsets=[[0, 0, 0]]), "at least ten rows"), (dict(offsets=[[0, float("nan"), 0]] * 12), "at least ten rows"),
    (dict(offsets=[[0, 0, 2]] * 12), "0 or 1"), (dict(text=""), "empty"),
])
def test_what_cannot_be_shown_is_explained(traits, says):
    with pytest.raises((TraitError, ValueError), match=says):
        Offsets(**traits).get_state()


def test_the_still_says_what_it_shows():
    assert 'aria-label="A line of synthetic ink' in Offsets().still() and "aria-label" in Threshold().still()


# Long steps


@pytest.fixture
def threshold(opened):
    return opened(Threshold())


def expected(limit):
    """Steps that go, and nats, by the package's own rules."""
    line = Line("", np.array(Threshold().offsets))
    kept = len(targets(line.offsets_raw, limit))
    before, after = (Normalisation.fit([line], each).std for each in (np.inf, limit))
    return len(line.offsets_raw) - 1 - kept, kept * np.log(np.prod(before) / np.prod(after))


@pytest.mark.parametrize("limit", [310, 200, 100, 40])
def test_the_page_counts_as_the_package_does(threshold, limit):
    threshold.press(threshold.slider("Threshold"), *["ArrowLeft"] * ((400 - limit) // 10))
    dropped, nats = expected(limit)
    text = threshold.root.locator(".offsets-count").inner_text()
    assert text.startswith(f"{dropped} of {len(Threshold().offsets) - 1} steps go") and f"{nats:.1f} nats" in text
    assert threshold.is_reached() == (nats >= 50)
    threshold.is_said(f"{dropped} of")


def test_the_threshold_is_drawn_down(threshold):
    """By pointer on the chart and on the slider; the goal is reached, and stays reached."""
    chart = threshold.root.locator("canvas").nth(1)
    assert threshold.changes(lambda: threshold.drag(chart, (0.5, 0.1), (0.5, 0.8)))
    assert threshold.is_reached() and int(threshold.slider("Threshold").input_value()) < 120
    assert threshold.changes(lambda: threshold.slide("Threshold", 0.98))
    assert threshold.is_reached()
    threshold.asks_nobody()


def test_it_starts_with_the_whole_line(threshold):
    assert threshold.root.locator(".offsets-count").inner_text() == "No step is dropped." and not threshold.is_reached()
