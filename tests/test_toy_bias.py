"""Bias beside temperature, in headless Chromium: each control, the goal, and the numbers against Python."""

import math
import re
from functools import partial

import pytest
import torch
from traitlets import TraitError
from writing_toys import pen_path, show  # noqa: F401

from graves_nb.alphabet import one_hot
from graves_nb.mixture import mixture_loss, mixture_parameters, sample_mixture, split_outputs
from graves_nb.pen import Pen
from graves_nb.sampling import draws
from graves_nb.toys import Bias

INK, BELIEF, RULE = 0, 1, 2  # canvases of the first sheet; those of the second follow
WORDS = ".bias-words"
DONE = "() => [...document.querySelectorAll('.bias-words')].every((e) => e.textContent.includes('Surprise'))"


@pytest.fixture
def toy(show, pen_path):  # noqa: F811
    """Open the toy and wait until both lines are written."""

    def opened(**options):
        traits = {name: options.pop(name) for name in list(options) if name in Bias.class_trait_names()}
        page = show(Bias(pen_path, text="on we go", **traits), **options)
        page.page.wait_for_function(DONE, timeout=30_000)
        return page

    return opened


def surprises(page):
    """The two numbers that the page gives, and how many points each line has."""
    texts = page.page.locator(WORDS).all_inner_texts()
    return [(float(re.search(r"Surprise: (\S+) nats", text)[1].replace("−", "-")), int(re.search(r"(\d+) points", text)[1])) for text in texts]


def tempered(y_hat, tau):
    """Each factor of the density to the power 1 / tau."""
    e, pi, mu1, mu2, s1, s2, rho = split_outputs(y_hat)
    half = 0.5 * math.log(tau)
    return mixture_parameters(torch.cat([e[..., None] / tau, pi / tau, mu1, mu2, s1 + half, s2 + half, rho], -1))


@torch.no_grad()
def in_python(path, believe, points, text="on we go"):
    """The mean loss of the first points of seed 1, each drawn from what `believe` makes of the outputs."""
    model = Pen.load(path).model
    state, x, losses = model.initial_state(1), torch.zeros(1, 3), []
    for t, chance in enumerate(draws(1, points).float()):
        h, state = model.step(x, one_hot([text]), state)
        y_hat = model.readout(h)
        x = sample_mixture(believe(y_hat), chance[None])
        if t == points - 1:
            x[:, 2] = 1
        losses.append(mixture_loss(y_hat, x))
    return torch.cat(losses).mean().item()


def test_at_rest_both_sheets_are_the_same_line(toy):
    page = toy()
    (first, n), (second, m) = surprises(page)
    assert n == m > 50 and first == second
    assert page.picture(INK) == page.picture(INK + 3)


def test_the_page_draws_what_python_draws(toy, pen_path):  # noqa: F811
    page = toy(bias=1.0, temperature=0.251188643150958)
    (biased, n), (cooled, m) = surprises(page)
    assert biased == pytest.approx(in_python(pen_path, lambda y: mixture_parameters(y, 1.0), n), abs=0.011)
    assert cooled == pytest.approx(in_python(pen_path, lambda y: tempered(y, 0.251188643150958), m), abs=0.011)


@pytest.mark.parametrize("keyboard", [False, True], ids=["pointer", "keyboard"])
def test_each_control_moves_its_picture(toy, keyboard):
    page = toy()
    keys = dict(keys=["ArrowRight"] * 5) if keyboard else dict(share=0.5)
    for name, nth in [("Bias b", INK), ("Temperature τ", INK + 3)]:
        page.changes(partial(page.slide, name, **keys), nth)
        page.page.wait_for_function(DONE)
    belief = page.picture(BELIEF)
    page.changes(lambda: page.slide("Step", **(dict(keys=["ArrowLeft"] * 3) if keyboard else dict(share=0.3))), RULE)
    assert page.picture(BELIEF) != belief
    page.changes(lambda: page.press(re.compile("Another seed"), keyboard))
    page.page.get_by_label("Text").fill("off you go")
    page.changes(lambda: page.press("Write", keyboard))
    assert page.page.locator(WORDS).count() == 2 and page.errors == []


def test_the_bias_leaves_the_pen_alone_and_says_what_it_does(toy):
    page = toy(bias=2.0, temperature=0.251188643150958)
    page.slide("Step", share=0.4)
    labels = [page.page.locator(".toy canvas").nth(n).get_attribute("aria-label") for n in (BELIEF, BELIEF + 3)]
    assert "power 3.0, spreads times 0.14" in labels[0] and "power 4.0, spreads times 0.50" in labels[1]
    lifts = [re.search(r"chance ([\d.]+), as learnt ([\d.]+)\.", label).groups() for label in labels]
    assert lifts[0][0] == lifts[0][1] and lifts[1][0] < lifts[1][1]


def test_the_line_ends_where_the_rule_says(toy):
    """At the last step the bar past the end is the longer one; a step before it is not."""
    page = toy(bias=1.0)
    rule = page.page.locator(".toy canvas").nth(RULE)
    page.slide("Step", keys=["End"])
    if "Stopped by the rule" in page.page.locator(WORDS).first.inner_text():
        assert rule.get_attribute("aria-label").endswith("stop.")
        page.slide("Step", keys=["ArrowLeft"] * 3)
    assert rule.get_attribute("aria-label").endswith("go on.")


def test_the_goal_is_reached_by_search(toy):
    """With a bias of 1, cooling the other sheet step by step comes to the same surprise."""
    page = toy()
    goal = page.page.locator(".toy-goal")
    page.slide("Bias b", keys=["ArrowRight"] * 10)
    for _ in range(40):
        page.slide("Temperature τ", keys=["ArrowRight"])
        page.page.wait_for_timeout(30)
        page.page.wait_for_function(DONE)
        if "toy-reached" in goal.get_attribute("class"):
            break
    (biased, _), (cooled, _) = surprises(page)
    assert "Goal reached: bias 1.0" in goal.inner_text() and abs(biased - cooled) <= 0.06
    page.page.locator(".toy [aria-live=polite]", has_text="Goal reached").wait_for(state="attached")


PLAY_AND_PAUSE = """async () => {
  const play = document.querySelector(".bias-play"), frame = () => new Promise((done) => requestAnimationFrame(done));
  while (play.textContent === "Pause") await frame(); // the line is written
  play.click();
  for (let n = 0; n < 4; n++) await frame();
  play.click();
}"""


def test_without_reduced_motion_the_ink_comes_bit_by_bit(toy):
    page = toy(reduced=False)
    page.page.evaluate(PLAY_AND_PAUSE)
    step = page.page.get_by_role("slider", name="Step")
    at = lambda: int(step.input_value())
    held = at()
    page.page.wait_for_timeout(200)
    assert at() == held < int(step.get_attribute("max"))
    page.changes(lambda: page.press("Play"))


def test_a_bad_text_is_explained(toy):
    page = toy()
    before = page.picture()
    page.page.get_by_label("Text").fill("\u20ac 5")
    page.press("Write", keyboard=True)
    page.page.locator(".toy [role=alert]", has_text="use euros").wait_for(timeout=20_000)
    assert page.picture() == before


@pytest.mark.parametrize("width, dark", [(360, True), (1280, False)])
def test_manners(toy, width, dark):
    toy(width=width, dark=dark, bias=1.0).check_manners()


def test_it_also_runs_as_one_module_of_a_kernel(show, pen_path):  # noqa: F811
    """The joined text, as a kernel's front end runs it, parses and has a render function."""
    page = show(Bias(pen_path, text="on we go"))
    kind = page.page.evaluate("async (text) => typeof (await import(URL.createObjectURL(new Blob([text], {type: 'text/javascript'})))).default.render", Bias._esm)
    assert kind == "function"


def test_values_are_checked(pen_path):  # noqa: F811
    for bad in (dict(bias=-1), dict(temperature=0), dict(temperature=2), dict(seed=-1)):
        with pytest.raises(TraitError):
            Bias(pen_path, **bad)
    with pytest.raises(ValueError, match="nothing to write"):
        Bias(pen_path, text=" ")
    assert "Handwriting that the network made" in Bias(pen_path).still()
