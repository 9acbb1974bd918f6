"""The toy of chapter 7: the network's densities along a line, points chosen against its will, futures that branch."""

import json
import math
import re

import pytest
import torch
from ink_toys import ToyPage
from traitlets import TraitError

from graves_nb.batches import collate
from graves_nb.checkpoints import load_weights
from graves_nb.mixture import mixture_loss, mixture_parameters
from graves_nb.paths import data_path, site_predictor
from graves_nb.sampling import sample_freely
from graves_nb.site import page_file
from graves_nb.strokes import Line, Normalisation
from graves_nb.toys import Futures

WEIGHTS = data_path("weights/open-predictor.safetensors")
SQUARE = [(0, -40), (0, -40), (40, 0), (40, 0), (0, 40), (0, 40), (-40, 0), (-40, 0)]  # ends where it began
TRAIL = """async ([weights, rows, script]) => {
  const { Network, readWeights } = await import("/engine.js"), { Sampler } = await import("/sampler.js");
  const { Trail, Fan } = await import("/futures-trail.js");
  const bytes = await (await fetch(`/${weights}`)).arrayBuffer();
  const trail = new Trail(new Sampler(new Network(readWeights(bytes, "HandwritingPredictor"))), rows);
  return new Function("trail", "Fan", `return ${script}`)(trail, Fan);
}"""
SPREADS = """trail.rows.map((_, point) => point).filter((point) => point % 3 === 0).map((point) => {
  const fan = new Fan(trail, point, { seed: 1, bias: 0 });
  while (fan.length < 6) fan.grow();
  return [point, fan.spread().size];
}).sort((a, b) => a[1] - b[1])"""


class FuturesPage(ToyPage):
    """The toy in a page that has the weights too, once it has read its line."""

    def __init__(self, browser, width=1000, weights=WEIGHTS, options=None, **traits):
        self.weights, self.toy = weights, Futures("open-predictor", **traits)
        super().__init__(browser, self.toy, width, **(options or {}))
        self.map = self.root.get_by_role("application")
        if weights:
            self.root.locator(".futures-loading").wait_for(state="detached")
        self.wait_for_paint()

    def answer(self, route):
        name = route.request.url.split("?")[0]
        if name.endswith(".safetensors"):
            return route.fulfill(body=page_file(self.weights)) if self.weights else route.fulfill(status=404)
        super().answer(route)

    def on_trail(self, script):
        """What a line of JavaScript says of a Trail along the toy's line."""
        return self.page.evaluate(TRAIL, [self.toy.weights, self.toy.offsets[1:], script])

    def status(self):
        return self.root.locator(".futures-status").inner_text()

    def wait_for_status(self, text):
        self.root.locator(".futures-status", has_text=text).wait_for(timeout=10_000)

    def aim(self):
        """Where the aim lies: across and down, in tablet units."""
        said = re.search(r"lies (\S+) across and (\S+) down", self.map.get_attribute("aria-label"))
        return [int(number.replace("−", "-")) for number in said.groups()]

    def choose(self, wanted, act):
        """Aim at an offset from the pen and choose it, with the pointer or with keys."""
        self.map.scroll_into_view_if_needed()
        if act == "pointer":
            box = self.map.bounding_box()
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            self.page.mouse.move(x + 100, y)
            unit = 100 / self.aim()[0]  # CSS pixels a tablet unit
            return self.page.mouse.click(x + wanted[0] * unit, y + wanted[1] * unit)
        for axis, keys in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
            steps = round((wanted[axis] - self.aim()[axis]) / 5)
            self.press(self.map, *[keys[steps > 0]] * abs(steps))
        self.press(self.map, "Enter")

    def reached(self):
        return ["toy-reached" in goal.get_attribute("class") for goal in self.goal.all()]


@pytest.fixture(scope="module")
def opened(browser):
    """Open the toy in a page of its own: `opened(point=40, width=360)`."""
    pages = []

    def make(*args, **options):
        pages.append(FuturesPage(browser, *args, **options))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def shared(opened):
    """A page for checks that do not touch the toy's controls."""
    return opened()


@pytest.fixture(scope="module")
def network():
    model, info = load_weights(WEIGHTS)
    return model, Normalisation(**info["normalisation"])


def test_the_densities_are_those_of_python(shared, network):
    """The loss of each point that came and the chance of a lift, along the whole line."""
    model, unit = network
    batch = collate([Line("", torch.tensor(shared.toy.offsets).numpy())], unit)
    y_hat, _ = model(batch.x)
    loss, lift = mixture_loss(y_hat, batch.y)[:, 0], mixture_parameters(y_hat).e[:, 0]
    found = shared.on_trail("trail.rows.map((row, n) => [trail.loss(n, row), trail.lift(n)])")
    torch.testing.assert_close(torch.tensor(found), torch.stack([loss, lift], 1), atol=2e-3, rtol=2e-3)


def test_the_futures_are_those_of_python(shared, network):
    """Future n of seed s goes on from the line with the chance of seed 20 s + n."""
    model, unit = network
    ink = unit.apply(torch.tensor(shared.toy.offsets[1:61]).numpy())
    expected = unit.invert(sample_freely(model, 12, ink=ink, seeds=[60, 67, 79]))
    grow = "{ while (fan.length < 12) fan.grow(); return [0, 7, 19].map((n) => fan.rows[n]); }"
    found = shared.on_trail(f"((fan) => {grow})(new Fan(trail, 60, {{ seed: 3, bias: 0 }}))")
    torch.testing.assert_close(torch.tensor(found), expected, atol=0.2, rtol=1e-2)


def test_the_rings_radius_is_the_spread(shared):
    found = shared.on_trail("Fan.prototype.spread.call({ lines: [[[0, 0], [3, 4]], [[0, 0], [-3, -4]]], length: 1 }, 6)")
    assert found["size"] == pytest.approx(5) and found["middle"] == [0, 0]


@pytest.mark.parametrize("act", ["pointer", "keyboard"])
def test_each_control_moves_the_picture(opened, act):
    toy = opened(width=360 if act == "pointer" else 1000)
    do = (lambda element: element.click()) if act == "pointer" else (lambda element: toy.press(element, "Enter"))
    slide = (lambda name: toy.slide(name, 0.4)) if act == "pointer" else (
        lambda name: toy.press(toy.slider(name), *["ArrowRight"] * 4))
    lift = toy.root.get_by_role("checkbox")
    acts = dict(
        point=lambda: slide("Point"), futures=lambda: do(toy.button("20 futures")),
        others=lambda: do(toy.button("20 futures")), bias=lambda: slide("Bias"),
        favourite=lambda: do(toy.button("Its favourite")), onward=lambda: do(toy.button("Let it go on")),
        lift=lambda: lift.click() if act == "pointer" else toy.press(lift, "Space"),
        own=lambda: toy.choose((30, -20), act), back=lambda: do(toy.button("Back to the line")),
    )
    for name, one in acts.items():
        assert toy.changes(one), name
    toy.asks_nobody()


def test_the_line_itself_is_taken_hold_of(opened):
    toy = opened()
    toy.drag(toy.root.locator("canvas").first, (0.05, 0.6), (0.5, 0.6))
    assert int(toy.slider("Point").input_value()) > 120


def test_two_points_whose_futures_differ_reach_the_first_goal(opened):
    """The surest and the least sure point of the line: the toy measures both, and sees that they differ."""
    toy = opened()
    spreads = toy.on_trail(SPREADS)
    for point, size in (spreads[0], spreads[-1]):
        assert toy.reached() == [False, False]
        toy.slider("Point").fill(str(point))
        toy.button("20 futures").click()
        toy.wait_for_status(f"lie {size:.0f} units")
    assert toy.reached() == [True, False]
    toy.is_said("units from their middle")


def test_a_bias_does_not_count(opened):
    """Tamed futures lie close together anywhere: they are not measured. Here they grow before the eye."""
    toy = opened(bias=2.0, options=dict(reduced_motion="no-preference"))
    toy.button("20 futures").click()
    toy.wait_for_status("from their middle")
    assert "So far" not in toy.goal.first.inner_text()


@pytest.mark.parametrize("act", ["pointer", "keyboard"])
def test_a_loop_against_its_will_reaches_the_second_goal(opened, act):
    toy = opened(point=60)
    for offset in SQUARE[:-1]:
        toy.choose(offset, act)
    assert toy.reached() == [False, False]
    assert toy.stays(lambda: toy.choose(SQUARE[-1], act)) and toy.reached() == [False, True]
    cost = float(re.search(r"cost (\S+) nats more", toy.status())[1])
    assert cost > 20 and f"for {cost:.0f} nats" in toy.goal.last.locator("span").last.inner_text()
    toy.button("Back to the line").click()
    assert toy.slider("Point").input_value() == "60" and "Your points" not in toy.status()


def test_a_lifted_pen_makes_no_loop(opened):
    toy = opened(point=60)
    toy.root.get_by_role("checkbox").check()
    for offset in SQUARE:
        toy.choose(offset, "pointer")
    assert toy.reached() == [False, False]


def test_a_tap_chooses_and_the_pen_can_be_given_back(opened):
    """What the network writes is not the reader's; the line is where it was left."""
    toy = opened(width=360, point=60, options=dict(has_touch=True))
    toy.map.tap(position=dict(x=60, y=60))
    assert toy.slider("Point").input_value() == "61" and "Your points cost" in toy.status()
    toy.button("Let it go on").tap()
    assert toy.slider("Point").input_value() == "86" and "Your points" not in toy.status()
    toy.button("Back to the line").tap()
    assert toy.slider("Point").input_value() == "60"
    toy.asks_nobody()


def test_the_price_of_a_point_is_its_loss_less_the_favourites(shared):
    price = shared.on_trail("[trail.follow(60, [[30, -20, 0]]), trail.prices[0], "
                            "trail.loss(60, [30, -20, 0]) - trail.loss(60, trail.favourite(60))]")
    assert price[1] == pytest.approx(price[2]) and price[1] > 0


def test_weights_that_do_not_come_can_be_asked_for_again(opened):
    toy = opened(weights=None)
    toy.root.get_by_role("alert").get_by_text("did not come").wait_for()
    toy.weights = WEIGHTS
    toy.button("Try again").click()
    toy.root.locator(".futures-loading").wait_for(state="detached")
    assert "Chance that the pen lifts" in toy.status()


def test_nobody_is_shut_out_and_a_kernel_can_run_it(opened):
    toy = opened(point=100)
    toy.button("20 futures").click()
    toy.choose((30, -20), "keyboard")
    toy.shuts_nobody_out()
    toy.runs_in_a_kernel("futures.js")


def test_wrong_values_say_what_to_do():
    for wrong, words in ((dict(bias=math.nan), "from 0 to 3"), (dict(offsets=[[1, 2, 0]] * 3), "at least ten rows"),
                         (dict(text="héllo"), "use e")):
        with pytest.raises(TraitError if "text" not in wrong else (TraitError, ValueError), match=words):
            Futures("open-predictor", **wrong)
    with pytest.raises(FileNotFoundError, match="no-such"):
        Futures("no-such")


def test_the_weights_are_small_and_the_sites_are_its_own():
    toy = Futures()
    assert toy.megabytes <= 4 and toy.assets() == {toy.weights: data_path(f"weights/{site_predictor()}.safetensors")}
    assert load_weights(data_path(f"weights/{site_predictor()}.safetensors"))[1]["model"] == "HandwritingPredictor"


def test_a_network_of_real_ink_reads_what_a_pen_wrote(monkeypatch):
    """Synthetic ink would be strange to it; and no real ink is shown."""
    info = dict(data="iam-ondb")
    monkeypatch.setattr("graves_nb.toys.futures.read_tensors", lambda path: ({}, info))
    gallery = json.loads(data_path("weights/pen.gallery.json").read_text())
    toy = Futures("open-predictor")
    assert toy.offsets in [line["offsets_raw"] for line in gallery] and toy.text in [line["text"] for line in gallery]
    info["data"] = "synthetic"
    assert Futures("open-predictor").text == "over and under"


def test_the_still_picture_says_what_it_shows():
    toy = Futures("open-predictor")
    assert f"A line of ink, “{toy.text}”" in toy.still() and "<path" in toy.still()
