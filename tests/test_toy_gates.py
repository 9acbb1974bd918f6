"""Gates as a puzzle: tiles and sliders, three goals reached by real acts, and the cell of the package behind it."""

import math

import pytest
import torch
from ink_toys import ToyPage
from torch import nn
from traitlets import TraitError

from graves_nb.lstm import LSTMState, PeepholeLSTMCell
from graves_nb.toys import Gates

RUN = """async ([name, ...values]) => (await import("/cell.js"))[name](...values)"""
NEEDLE = dict(add=0.08, ob=-3.25, oh=27, oc=0, fh=-22)
COUNTER = dict(add=0.2, ob=-36, oh=0, oc=17, fh=-22)


@pytest.fixture
def opened(browser):
    """Open the toy in a page of its own: `opened(level=2, width=360)`."""
    pages = []

    def make(width=1000, options=None, **traits):
        pages.append(ToyPage(browser, Gates(**traits), width, **(options or {})))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


@pytest.fixture
def toy(opened):
    return opened()


def tile(toy, gate, step):
    return toy.button(f"{gate} gate, step {step}")


def click(toy, element):
    """Click where an element is, as a hand would."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    toy.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def status(toy):
    return toy.root.locator(".gates-status").inner_text()


def numbers(toy, name, *values):
    """What a function of cell.js gives."""
    return toy.page.evaluate(RUN, [name, *values])


def one_cell(bias, weight_h=(0, 0, 0, 0), peephole=(0, 0, 0)):
    """A PeepholeLSTMCell of one unit; weights in the order i, f, c, o, and i, f, o."""
    cell = PeepholeLSTMCell(1, 1).double()
    nn.init.zeros_(cell.weight_x)
    cell.bias.data = torch.tensor(bias, dtype=torch.float64)
    cell.weight_h.data = torch.tensor(weight_h, dtype=torch.float64).view(4, 1)
    cell.peephole.data = torch.tensor(peephole, dtype=torch.float64).view(3, 1)
    return cell


@pytest.mark.parametrize("weights", [NEEDLE, COUNTER, dict(add=0.3, ob=-2, oh=4, oc=1.5, fh=-3)])
def test_the_toy_runs_the_cell_of_the_package(toy, weights):
    """Levels 2 and 3 in the page are equations (7) to (11), as Python has them."""
    cell = one_cell([60, 6, math.atanh(weights["add"]), weights["ob"]], [0, weights["fh"], 0, weights["oh"]],
                    [0, 0, weights["oc"]])
    state = LSTMState(torch.zeros(1, 1).double(), torch.zeros(1, 1).double())
    for step in numbers(toy, "cellByWeights", 22, weights):
        state = cell(torch.zeros(1, 1).double(), state)
        assert (step["h"], step["c"]) == pytest.approx((state.h.item(), state.c.item()), abs=1e-9)


def test_gates_by_hand_are_the_same_cell(toy):
    x, gates = [0.5, -1, 0.9, 0.2], dict(i=[1, 0, 1, 0], f=[0, 1, 1, 0], o=[1, 1, 0, 1])
    h, c = torch.zeros(1, 1).double(), torch.zeros(1, 1).double()
    for t, step in enumerate(numbers(toy, "cellByHand", x, gates)):
        i, f, o = (60 if gates[gate][t] else -1000 for gate in "ifo")
        h, c = one_cell([i, f, x[t], o])(torch.zeros(1, 1).double(), LSTMState(h, c))
        assert (step["h"], step["c"]) == pytest.approx((h.item(), c.item()), abs=1e-9)


ENDS = """async (inputs) => {
  const { plainUnit } = await import("/cell.js");
  const end = (w, bit) => plainUnit(inputs.map((x, t) => (t === 1 ? bit : x)), w).at(-1);
  return Array.from({ length: 81 }, (_, n) => [end(n / 20 - 2, 1), end(n / 20 - 2, -1)]);
}"""


def test_no_plain_unit_can_tell_the_bit(toy):
    """Whatever its weight, it ends at one value for either bit: the toy says so."""
    for plus, minus in toy.page.evaluate(ENDS, Gates().inputs):
        assert plus == pytest.approx(minus, abs=1e-6)


COUNT = """async (sees) => {
  const { cellByWeights, faults } = await import("/cell.js");
  const wanted = Array.from({ length: 22 }, (_, t) => Number((t + 1) % 11 === 0));
  let tried = 0, works = 0;
  for (let a = 2; a <= 40; a++) for (let ob = -40; ob <= 0; ob += 0.25) for (let w = 0; w <= 40; w++) for (let fh = -30; fh <= 0; fh++) {
    tried += 1;
    if (ob < -3.5 || ob > -3 || a < 6 || a > 10) continue; // the chapter tries all of them; here, where they are
    const weights = { add: a / 100, ob, fh, oh: 0, oc: 0, [sees]: w };
    works += faults(cellByWeights(22, weights).map(({ h }) => h), wanted).length === 0;
  }
  return [tried, works];
}"""


def test_a_dozen_settings_work_without_a_peephole(toy):
    assert toy.page.evaluate(COUNT, "oh") == [7_980_609, 12]


@pytest.mark.parametrize("act", ["pointer", "keyboard"])
def test_the_bit_is_held(toy, act):
    """Letters open and shut rows, tiles single steps; the toy recognises the goal and explains it."""
    do = (lambda element: click(toy, element)) if act == "pointer" else (lambda element: toy.press(element, "Enter"))
    assert not toy.is_reached() and not toy.root.get_by_text("Why it works").is_visible()
    for element in (toy.button("f: the whole forget gate"), toy.button("o: the whole output gate"),
                    toy.button("i: the whole input gate"), tile(toy, "input", 2)):
        assert toy.changes(lambda element=element: do(element))
    assert not toy.is_reached()
    assert toy.stays(lambda: do(tile(toy, "output", 22)))
    assert toy.is_reached() and "All 22 steps are right" in status(toy)
    assert toy.root.get_by_text("f stayed on").is_visible()
    toy.is_said("Goal reached")
    toy.asks_nobody()


def test_one_bit_is_not_enough(opened):
    """With the input gate open at step 3 too, -1 still works and +1 does not (exercise 4)."""
    zeros = "0" * 22
    toy = opened(i="011" + zeros[3:], f="1" * 22, o=zeros[:-1] + "1", bit=-1)
    assert not toy.is_reached() and "not for the other" in status(toy)
    assert toy.changes(lambda: toy.root.get_by_role("radio", name="+1").check())
    assert not toy.is_reached() and "step 22" in status(toy)


def test_a_hand_paints_across_tiles(toy):
    """The first tile turns, and those that the pointer is drawn across become like it."""
    start, end = (tile(toy, "forget", step).bounding_box() for step in (4, 9))
    middle = lambda box: (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    toy.page.mouse.move(*middle(start))
    toy.page.mouse.down()
    toy.page.mouse.move(*middle(end), steps=12)
    toy.page.mouse.up()
    pressed = [tile(toy, "forget", step).get_attribute("aria-pressed") == "true" for step in range(1, 23)]
    assert pressed == [4 <= step <= 9 for step in range(1, 23)]


def test_a_finger_turns_a_tile_once(opened):
    toy = opened(width=360, options=dict(has_touch=True))
    element = tile(toy, "forget", 7)
    element.tap()
    assert element.get_attribute("aria-pressed") == "true"
    element.tap()
    assert element.get_attribute("aria-pressed") == "false"


def test_arrows_walk_over_the_tiles(toy):
    """The rows of tiles are one stop of the tab key each; arrows lead on, space turns a tile."""
    toy.press(tile(toy, "input", 1), "ArrowRight", "ArrowDown", "Space", "End", "Space")
    assert tile(toy, "forget", 2).get_attribute("aria-pressed") == "true"
    assert tile(toy, "forget", 22).get_attribute("aria-pressed") == "true"
    assert toy.root.locator("button.tile[tabindex='0']").count() == 3


def test_the_bit_and_the_plain_unit_move_the_picture(toy):
    assert toy.changes(lambda: toy.root.get_by_role("radio", name="-1").check())
    assert toy.changes(lambda: toy.slide("plain unit: w", 0.1))
    assert toy.changes(lambda: toy.press(toy.slider("plain unit: w"), "ArrowRight"))
    assert toy.changes(lambda: toy.button("Start again").click())


@pytest.mark.parametrize("act", ["pointer", "keyboard"])
def test_each_slider_moves_the_picture(opened, act):
    toy = opened(level=3, **{**COUNTER, "oh": 5.0})
    for name in ("spike every", "added to c", "o: bias", "o: hears h", "o: sees c", "f: hears h", "plain unit: w"):
        slide = lambda name=name: toy.slide(name, 0.6)
        keys = lambda name=name: toy.press(toy.slider(name), *["ArrowLeft"] * 4)
        assert toy.changes(slide if act == "pointer" else keys), name
    toy.asks_nobody()


def test_the_spike_without_a_peephole_can_be_shown(toy):
    assert toy.changes(lambda: toy.root.get_by_role("radio", name="2 Spike, no peephole").check())
    assert not toy.is_reached() and not toy.slider("o: sees c").is_visible()
    toy.button("I give up: show one").click()
    assert toy.is_reached() and toy.root.get_by_text("12 do it").is_visible()
    toy.press(toy.slider("added to c"), "ArrowLeft", "ArrowLeft")
    assert "Not yet right" in status(toy)


def test_what_solves_one_level_does_not_solve_the_next(opened):
    toy = opened(level=2)
    toy.button("I give up: show one").click()
    toy.root.get_by_role("radio", name="3 Spike, with a peephole").check()
    assert not toy.is_reached() and "Not yet right" in status(toy)


def test_the_spike_with_a_peephole_is_found_by_keys(opened):
    """From nothing to the goal with arrow keys; then another step, by the bias alone."""
    toy = opened(level=2)
    toy.root.get_by_role("radio", name="3 Spike, with a peephole").check()
    toy.press(toy.slider("added to c"), *["ArrowRight"] * 5)
    toy.press(toy.slider("o: sees c"), *["ArrowRight"] * 17)
    toy.press(toy.slider("f: hears h"), *["ArrowLeft"] * 22)
    assert not toy.is_reached()
    toy.press(toy.slider("o: bias"), *["ArrowLeft"] * 136)
    assert toy.slider("o: bias").input_value() == "-36" and toy.is_reached()
    for n, every in enumerate(range(10, 4, -1)):
        toy.press(toy.slider("spike every"), "ArrowLeft")
        assert "Not yet right" in status(toy), every
        for _ in range(40):
            if "All 22" in status(toy):
                break
            toy.press(toy.slider("o: bias"), "ArrowRight")
        assert "All 22" in status(toy), f"every {every} steps, after {n} others"


def test_nobody_is_shut_out(opened):
    for level in (1, 2, 3):
        opened(level=level, **NEEDLE).shuts_nobody_out()


def test_it_runs_in_a_kernel(toy):
    toy.runs_in_a_kernel("gates.js")


def test_dark_mode_is_drawn_anew(toy):
    before = toy.pictures()
    toy.page.evaluate("document.documentElement.style.colorScheme = 'dark'; document.documentElement.dataset.theme = 'dark'")
    assert toy.pictures() != before


def test_wrong_values_say_what_to_do():
    for wrong, words in ((dict(i="01"), "22 characters"), (dict(f="x" * 22), "1 where it is open"), (dict(bit=2), "1 or -1"),
                         (dict(inputs=[0.5]), "22 numbers"), (dict(oc=math.nan), "must be a number")):
        with pytest.raises(TraitError, match=words):
            Gates(**wrong)


def test_the_still_picture_says_what_it_shows():
    assert 'aria-label="A puzzle' in Gates().still() and Gates().still().count("<rect") == 66
