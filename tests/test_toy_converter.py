"""Is my loss right? The page converts as the package does, and answers its question."""

import itertools

import pytest
from ink_toys import ToyPage
from traitlets import TraitError

from graves_nb.toys import Converter
from graves_nb.units import Convention, convert_loss

CONVENTIONS = [Convention(*values) for values in itertools.product(
    [(1.0, 1.0), (40.61, 37.05), (56.0, 56.0)], [False, True], [False, True], [False, True])]


@pytest.fixture
def toy(browser):
    page = ToyPage(browser, Converter())
    yield page
    page.close()


def told(toy, name):
    return float(toy.root.locator("tr", has_text=name).locator("td").inner_text().replace("−", "-"))


def test_the_page_converts_as_the_package_does(toy):
    pairs = [(a, b) for a in CONVENTIONS for b in CONVENTIONS[::3]]
    found = toy.page.evaluate("""async pairs => {
      const { convertLoss } = await import("/converter.js");
      return pairs.map(([a, b]) => convertLoss(-12.5, a, b, 615.03));
    }""", [(a._asdict(), b._asdict()) for a, b in pairs])
    assert found == pytest.approx([convert_loss(-12.5, a, b, 615.03) for a, b in pairs])


def test_the_question_is_answered_by_pointer(toy):
    """1400 nats, higher is better, one std: in this book's units that is worse than all that the paper has."""
    toy.root.get_by_label("The report says").fill("1400")
    assert not toy.is_reached()
    toy.root.get_by_label("a log-likelihood").check()
    assert toy.changes(lambda: toy.root.get_by_label("Offsets were divided by").select_option("one std, as in VRNN's code"))
    assert toy.is_reached() and "worse than all" in toy.goal.inner_text()
    assert toy.root.get_by_label("dx by").input_value() == "56"
    expected = convert_loss(1400, Convention((56, 56), likelihood=True), Convention(tuple(Converter().std)), Converter().steps)
    assert f"−{-expected:.1f} nats a line" in toy.root.locator(".converter-verdict").inner_text()
    assert "worse than 5" in toy.root.locator(".converter-verdict").inner_text()
    toy.is_said("worse than 5")
    toy.asks_nobody()


def test_the_question_is_answered_by_keyboard(toy):
    toy.press(toy.root.get_by_label("The report says"), "Control+a", *"1400")
    toy.press(toy.root.get_by_label("a loss"), "ArrowDown")
    for name in ("dx by", "dy by"):
        toy.press(toy.root.get_by_label(name), "Control+a", *"56")
    assert toy.is_reached()
    assert toy.root.get_by_label("Offsets were divided by").input_value() == "2"


def test_each_control_moves_the_picture(toy):
    """Value, points, the three choices, the preset, both stds and the paper's threshold."""
    field = toy.root.get_by_label
    acts = {
        "value": lambda: field("The report says").fill("-1.7"),
        "per point": lambda: toy.press(field("line, summed"), "ArrowRight"),
        "steps": lambda: field("Points a line").fill("640"),
        "bits": lambda: field("bits", exact=True).check(),
        "dx": lambda: field("dx by").fill("41"), "dy": lambda: field("dy by").fill("38"),
        "preset": lambda: toy.press(field("Offsets were divided by"), "ArrowUp"),
        "likelihood": lambda: field("a log-likelihood").check(),
        "threshold by key": lambda: toy.press(toy.slider("The paper dropped no step shorter than"), "ArrowLeft"),
        "threshold by pointer": lambda: toy.slide("The paper dropped no step shorter than", 0.95),
    }
    for name, act in acts.items():
        assert toy.changes(act), name


def test_the_table_tells_one_loss_in_six_ways(toy):
    toy.root.get_by_label("The report says").fill("-1041")
    steps, book = Converter().steps, Convention(tuple(Converter().std))
    for name, target in {
        "in this book's units": book, "nats a point": book._replace(per_step=True),
        "bits a point": book._replace(per_step=True, bits=True), "in tablet units": Convention(),
        "one number for both": Convention((56, 56), likelihood=True),
        "no step dropped": Convention(tuple(Converter().presets[1][1:])),
    }.items():
        assert told(toy, name) == pytest.approx(convert_loss(-1041, book, target, steps), abs=0.051 if "point" not in name else 6e-4), name


def test_the_band_is_what_the_thresholds_leave(toy):
    """A loss just below the paper's figure is too near to tell, until the paper's threshold is known to be high."""
    toy.root.get_by_label("The report says").fill("-1035")
    verdict = toy.root.locator(".converter-verdict")
    assert "too near to 3 " in verdict.inner_text()
    toy.press(toy.slider("The paper dropped no step shorter than"), "ArrowRight", "ArrowRight")
    assert "better than 1 " in verdict.inner_text() and "too near to 2 " in verdict.inner_text()


@pytest.mark.parametrize("name, bad", [("The report says", ""), ("dx by", "0"), ("dy by", "-3"), ("Points a line", "")])
def test_what_is_no_number_is_explained_and_changes_nothing(toy, name, bad):
    before = toy.pictures()
    toy.root.get_by_label(name).fill(bad)
    assert name in toy.root.locator("[role=alert]").inner_text() and toy.pictures() == before
    assert toy.root.get_by_label(name).get_attribute("aria-invalid") == "true"
    toy.root.get_by_label(name).fill("50")
    assert toy.root.locator("[role=alert]").inner_text() == ""


def test_nobody_is_shut_out(toy):
    toy.root.get_by_label("dx by").fill("0")
    toy.shuts_nobody_out()
    toy.runs_in_a_kernel("converter.js")


@pytest.mark.parametrize("traits", [dict(std=[0, 1]), dict(std=[1]), dict(steps=0.0), dict(lowest=100)])
def test_bad_settings_are_refused(traits):
    with pytest.raises(TraitError):
        Converter(**traits).get_state()


def test_the_still_holds_the_papers_figures():
    assert "−1128.2" in Converter().still() and "<caption>" in Converter().still()
