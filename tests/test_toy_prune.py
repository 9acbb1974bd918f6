"""Pruning: the page's losses and bits against Python's, its goals by real acts, and its judge of grammar."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from traitlets import TraitError
from writing_toys import show  # noqa: F401

from graves_nb.batches import collate_text, sentences
from graves_nb.bench_page import serve_files
from graves_nb.checkpoints import load_weights, load_widths
from graves_nb.datasets import grammar
from graves_nb.noise import kl_to_prior
from graves_nb.paths import data_path
from graves_nb.toys import Prune

BITS = """async ({ n, k }) => {
  const { readWeights } = await import("/engine.js");
  const { NoisyWeights, bitsOfChoice, bitsOfWeights } = await import("/prune-weights.js");
  const weights = new NoisyWeights(readWeights(await (await fetch("/weights.safetensors")).arrayBuffer(), "TextPredictor"));
  const { mu, s, ranks } = weights;
  return { choice: bitsOfChoice(n, k), kept: ranks.ratio.slice(0, k), kl: bitsOfWeights(mu, s, ranks.ratio.slice(0, k)), count: weights.count };
}"""


@pytest.fixture(scope="module")
def network():
    path = data_path("weights/grammar.safetensors")
    model, _ = load_weights(path)
    return path, model, load_widths(path, model)


@pytest.fixture
def prune(show):  # noqa: F811
    """Open the toy and wait for its first loss."""

    def opened(width=1000, dark=False, **traits):
        page = show(Prune(**traits), width=width, dark=dark)
        finish(page)
        return page

    return opened


def finish(page):
    page.page.locator(".prune-status", has_text="A sentence costs").wait_for(timeout=30_000)


def status(page):
    finish(page)
    return page.page.locator(".prune-status").text_content()


def loss(page):
    return float(re.search(r"costs ([\d.]+) bits", status(page))[1])


def pruned_loss(model, widths, share):
    """Bits a sentence of the network that keeps a share of its weights, by the ratio of mean and width."""
    flat = torch.cat([w.flatten() for w in model.parameters()])
    order = (flat.abs() / torch.cat([s.flatten() for s in widths])).argsort(descending=True)
    kept = torch.zeros(len(flat))
    kept[order[: round(share * len(flat))]] = 1
    text = grammar.load("validation")
    spans = sentences(text.labels, text.vocabulary.symbols.index("\n"))
    batch = collate_text(text.labels, spans)
    torch.nn.utils.vector_to_parameters(flat * kept, model.parameters())
    nats = F.cross_entropy(model(batch.x)[0].flatten(0, 1), batch.y.flatten(), reduction="none")
    torch.nn.utils.vector_to_parameters(flat, model.parameters())
    return (nats * batch.mask.flatten()).sum().item() / len(spans) / math.log(2)


@pytest.mark.parametrize("keep", [100, 20])
def test_the_loss_is_that_of_python(prune, network, keep):
    _, model, widths = network
    assert loss(prune(keep=keep)) == pytest.approx(pruned_loss(model, widths, keep / 100), abs=0.02)


def test_the_bits_are_those_of_python(browser, network):
    path, model, widths = network
    mu, s = (torch.cat([part.detach().flatten() for part in parts]).double() for parts in (model.parameters(), widths))
    page = browser.new_page()
    serve_files(page, {"weights.safetensors": path})
    found = page.evaluate(BITS, dict(n=len(mu), k=1437))
    page.close()
    kept = torch.tensor(found["kept"])
    assert found["count"] == len(mu) and found["choice"] == pytest.approx(math.log2(math.comb(len(mu), 1437)), rel=1e-9)
    assert found["kl"] == pytest.approx(kl_to_prior([mu[kept]], [s[kept]]).item() / math.log(2), rel=1e-4)
    ratio = mu.abs() / s
    assert ratio[kept].min() >= ratio[~torch.isin(torch.arange(len(mu)), kept)].max() - 1e-6


def test_both_goals_are_reached_by_hand(prune):
    """Nine steps down to one weight in five, then the same share by size."""
    page = prune()
    reached = page.page.locator(".toy-reached")
    assert reached.count() == 0
    page.slide("Keep", keys=["ArrowLeft"] * 9)
    page.page.locator(".prune-status", has_text=re.compile("2,874 of .* costs")).wait_for(timeout=30_000)
    assert reached.count() == 1, status(page)
    page.press(re.compile(r"^\|μ\|$"), role="radio")
    page.page.locator(".toy-goal.toy-reached").nth(1).wait_for(timeout=30_000)
    page.page.locator("[aria-live=polite]", has_text="more than with all").wait_for(state="attached")


def test_the_message_is_shortest_with_all_weights(prune):
    def total(page):
        return int(page.page.locator(".prune-total .prune-number").text_content().replace(",", ""))

    whole, half = total(prune()), total(prune(keep=50))
    assert whole < half and "3,000 sentences" in prune().page.locator(".prune-costs").text_content()


@pytest.mark.parametrize("keyboard", [True, False])
def test_each_control_moves_the_pictures(prune, keyboard):
    page = prune()
    moves = [dict(keys=["ArrowLeft"] * 3)] * 2 if keyboard else [dict(share=0.8), dict(share=0.6)]
    page.changes(lambda: page.slide("Keep", **moves[0]), nth=0)
    page.changes(lambda: page.slide("Keep", **moves[1]), nth=1)
    finish(page)
    page.changes(lambda: page.press("chance", keyboard, "radio"))
    finish(page)
    page.changes(lambda: page.press("Start again", keyboard))
    assert "14,372 of 14,372" in status(page) and page.outside == [] and page.errors == []


def test_the_grammar_is_judged(prune):
    """With all weights most sentences are right, and what is right is what the grammar can make; by chance none is."""
    right = re.compile(r"✓right:\s+(.*)")
    lines = [line.text_content() for line in prune().page.locator(".prune-written li").all()]
    good = [match[1] for line in lines if (match := right.match(line))]
    assert len(lines) == 6 and len(good) >= 5 and all(grammar.is_sentence(line) for line in good)
    wrong = [match[1] for line in lines if (match := re.match(r"✗wrong:\s+(.*)", line))]
    assert len(good) + len(wrong) == 6 and not any(grammar.is_sentence(line) for line in wrong)
    assert "0 are right" in status(prune(keep=20, by="chance"))


@pytest.mark.parametrize("width, dark", [(360, True), (1280, False)])
def test_manners(prune, width, dark):
    page = prune(width=width, dark=dark, keep=20)
    page.check_manners()
    assert "20 %, 13." in page.page.locator(".toy canvas").nth(1).get_attribute("aria-label")


def test_traits_are_checked():
    for traits, advice in ((dict(keep=11), "Choose one of these"), (dict(sentences="the pen"), "end with a new line")):
        with pytest.raises(TraitError, match=advice):
            Prune(**traits)
    assert "may go" in Prune().still()
