"""Meet the NaN: the page's back-propagation against autograd, three goals reached by real acts, what each clip does."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from ink_toys import ToyPage
from traitlets import TraitError

from graves_nb.lstm import clip_gradient
from graves_nb.toys import Explode

SOLVE = """async ({ layers, scale, steps, limit }) => {
  const { backprop, descend, newBatch, newNet, normOf } = await import("/backprop.js");
  const net = newNet({ layers, scale, seed: 3 }), batch = newBatch(steps, 5);
  const plain = ({ stack, bias }) => ({ stack: stack.map((layer) => Object.fromEntries(
    Object.entries(layer).map(([name, values]) => [name, [...values]]))), bias: [...bias] });
  const before = plain(net), { loss, grads, largest } = backprop(net, batch, limit ?? Infinity);
  descend(net, grads, 0.05);
  return { before, after: plain(net), grads: plain(grads), loss, norm: normOf(grads), largest: largest.map((path) => [...path]),
    x: batch.map(({ x }) => [...x]), y: batch.map(({ y }) => y) };
}"""


@pytest.fixture
def opened(browser):
    """Open the toy in a page of its own: `opened(scale=2.0)`."""
    pages = []

    def make(width=1000, **traits):
        pages.append(ToyPage(browser, Explode(**traits), width))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


@pytest.fixture
def toy(opened):
    return opened()


def weights_of(net):
    """The page's weights as tensors, in the order u, D, W, b, v of each layer, then the output's bias."""
    found = []
    for layer in net["stack"]:
        u, D, W, b, v = (torch.tensor(layer[name], dtype=torch.float64) for name in "uDWbv")
        found += [u, D.view(-1, 16), W.view(16, 16), b, v]
    return [*found, torch.tensor(net["bias"], dtype=torch.float64)]


def oracle(weights, x, y, limit):
    """The loss, summed over lines, and the derivatives by the inputs of tanh: PyTorch's own."""
    h, seen = [torch.zeros(len(x), 16, dtype=torch.float64)] * (len(weights) // 5), []
    for x_t in x.T:
        for n in range(len(h)):
            u, D, W, b, _ = weights[5 * n : 5 * n + 5]
            a = x_t.unsqueeze(-1) * u + h[n] @ W.T + b + (h[n - 1] @ D.T if n else 0)
            seen.append(a)
            h[n] = torch.tanh(clip_gradient(a, limit))
    output = sum(h_n @ v for h_n, v in zip(h, weights[4::5])) + weights[-1]
    return F.softplus(-y * output).sum(), seen


@pytest.mark.parametrize("layers, limit", [(1, None), (3, None), (3, 0.03)])
def test_the_page_goes_back_through_time_as_autograd_does(toy, layers, limit):
    """Loss, gradients and the clip inside the backward pass; then one step downhill, its norm clipped."""
    found = toy.page.evaluate(SOLVE, dict(layers=layers, scale=1.5, steps=12, limit=limit))
    weights = [w.requires_grad_() for w in weights_of(found["before"])]
    x, y = (torch.tensor(found[name], dtype=torch.float64) for name in "xy")
    loss, seen = oracle(weights, x, y, limit)
    derivatives = torch.autograd.grad(loss, seen, retain_graph=True)
    expected = [g / 8 for g in torch.autograd.grad(loss, weights, materialize_grads=True)]
    assert found["loss"] == pytest.approx(loss.item() / 8, rel=1e-5)
    for ours, theirs in zip(weights_of(found["grads"]), expected):
        torch.testing.assert_close(ours.view_as(theirs), theirs, rtol=1e-4, atol=1e-6)
    largest = torch.stack(derivatives).abs().amax((1, 2)).view(12, layers).T
    torch.testing.assert_close(torch.tensor(found["largest"]).double(), largest, rtol=1e-4, atol=1e-6)
    norm = torch.cat([g.flatten() for g in expected]).norm().item()
    assert found["norm"] == pytest.approx(norm, rel=1e-5) and norm > 0.05
    for after, before, gradient in zip(weights_of(found["after"]), weights, expected):
        torch.testing.assert_close(after, (before - 0.3 * gradient * 0.05 / norm).detach(), rtol=1e-4, atol=1e-6)


def goal(toy, n):
    return "toy-reached" in toy.root.locator(".toy-goal").nth(n).get_attribute("class")


def status(toy):
    return toy.root.locator(".explode-status").inner_text()


def train(toy, by_key=False):
    """Press Train, and wait for the end of it."""
    button = toy.root.locator("button.toy-main")
    toy.press(button, "Enter") if by_key else button.click()
    toy.page.wait_for_function("() => /^(NaN|Learnt|After)/.test(document.querySelector('.explode-status').textContent)",
                               timeout=120_000)
    return status(toy)


def choose(toy, name):
    toy.root.get_by_role("radio", name=name, exact=True).check()


def test_without_a_clip_it_does_not_learn_and_with_one_it_does(toy):
    """The toy as it opens fails; switching the clip on is enough, and reaches two goals at once."""
    assert "multiplies the derivative by 1." in status(toy)
    assert train(toy).startswith("After 400 updates") and not any(goal(toy, n) for n in range(3))
    choose(toy, "each step")
    assert toy.stays(lambda: train(toy))
    assert status(toy).startswith("Learnt") and goal(toy, 1) and goal(toy, 2) and not goal(toy, 0)
    toy.is_said("Learnt")
    toy.asks_nobody()


def test_the_nan_is_met_by_keyboard(toy):
    """Stretch the weights and the time with arrow keys, train with enter: not a number, and why."""
    toy.press(toy.slider("Steps back"), *["ArrowRight"] * 3)
    toy.press(toy.slider("Recurrent weights"), "End")
    assert "pass the largest 32-bit float" in status(toy)
    assert re.match("NaN after [12] update", train(toy, by_key=True))
    assert "became infinite" in status(toy) and goal(toy, 0) and not goal(toy, 1)


def test_a_clip_of_the_norm_comes_too_late(opened):
    toy = opened(scale=8.0, steps=320, clip="norm")
    assert train(toy).startswith("NaN") and "too late" in status(toy)


def test_a_clip_at_each_step_meets_no_nan(opened):
    toy = opened(scale=8.0, steps=320, clip="step")
    assert "multiplies the derivative" in status(toy)
    toy.root.locator("button.toy-main").click()
    toy.page.wait_for_function("() => /^(NaN|Learnt|After|Update ([3-9]|[1-9][0-9]))/.test(document.querySelector('.explode-status').textContent)",
                               timeout=60_000)
    assert not status(toy).startswith("NaN") and not goal(toy, 0)


def test_luck_without_a_clip_is_no_taming(opened):
    """These weights learn in spite of their size; the third goal asks for a clip."""
    toy = opened(scale=8.0, steps=160, clip="off")
    assert train(toy).startswith("Learnt") and goal(toy, 1) and not goal(toy, 2)


def test_ten_steps_are_too_few_for_the_goal(opened):
    toy = opened(steps=10, scale=1.0, clip="step")
    assert train(toy).startswith("Learnt") and not goal(toy, 1)


@pytest.mark.parametrize("act", ["pointer", "keyboard"])
def test_each_control_moves_the_picture(toy, act):
    pointer = act == "pointer"

    def slides(name, share):
        key = "ArrowRight" if share > 0.5 else "ArrowLeft"
        do = (lambda: toy.slide(name, share)) if pointer else (lambda: toy.press(toy.slider(name), key, key))
        assert toy.changes(do), name

    def picks(name):
        radio = toy.root.get_by_role("radio", name=name, exact=True)
        assert toy.changes(radio.check if pointer else lambda: toy.press(radio, "Space")), name

    def presses(name):
        button = toy.button(name)
        assert toy.changes(button.click if pointer else lambda: toy.press(button, "Enter")), name

    for name, share in (("Recurrent weights", 0.7), ("Layers", 0.6), ("Steps back", 0.3)):
        slides(name, share)
    picks("each step")
    slides("Clip at", 0.2)
    picks("off")
    for name in ("Other weights", "Start again"):
        presses(name)
    toy.asks_nobody()


def test_training_can_be_paused(opened):
    toy = opened(steps=160)
    toy.button("Train").click()
    toy.button("Pause").click()
    before = status(toy)
    toy.page.wait_for_timeout(300)
    assert status(toy) == before
    toy.button("Go on").click()
    toy.button("Pause").wait_for()


def test_a_derivative_that_vanishes_is_said(opened):
    toy = opened(scale=0.2, steps=160)
    assert "out of sight" in status(toy)
    assert "out of sight" in toy.root.locator("canvas").first.get_attribute("aria-label")


def test_nobody_is_shut_out(opened):
    opened().shuts_nobody_out()
    toy = opened(scale=8.0, steps=320)
    train(toy)
    toy.shuts_nobody_out()


def test_it_runs_in_a_kernel(toy):
    toy.runs_in_a_kernel("explode.js")


def test_wrong_values_say_what_to_do():
    with pytest.raises(TraitError, match="Choose one of these"):
        Explode(steps=50)
    with pytest.raises(TraitError):
        Explode(clip="weights")
    for wrong in (dict(scale=math.nan), dict(limit=math.nan)):
        with pytest.raises(TraitError, match="must be a number"):
            Explode(**wrong)


def test_the_still_picture_says_what_it_shows():
    assert 'aria-label="The size of a derivative' in Explode().still()
