"""The native writer against the one that the chapters teach: the same points, the same ends."""

import pytest
import torch

from conftest import missing
from graves_nb.kernels import cpu
from graves_nb.kernels.writer import quick
from graves_nb.models import HandwritingSynthesizer
from graves_nb.noise import WeightNoise
from graves_nb.sampling import Prime, Writer, draws
from graves_nb.window import SoftWindow


@pytest.fixture(params=[1, 2])
def threads(request):
    if not cpu.available():
        missing("no C++ compiler: the native writer cannot be tested here")
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def both(model, texts, bias, steps=60, prime=None):
    """What each writer writes of the same chance."""
    chance = torch.stack([draws(seed, steps) for seed in range(len(texts))]).float()
    native = quick(Writer, model)
    assert native is not Writer
    return [kind(model, texts, prime).write(bias, chance) for kind in (native, Writer)]


@pytest.mark.parametrize("texts, bias, layers, prime", [(["hello there"], 0.0, 3, None), (["abc", "a longer text", "x"], 1.5, 2, None),
                                                        (["and on"], 0.3, 1, Prime("so ", draws(9, 12)[:, :3].float()))])
def test_the_native_writer_writes_the_same(threads, texts, bias, layers, prime):
    model = HandwritingSynthesizer(hidden=20, layers=layers).requires_grad_(False)
    for mine, theirs in zip(*both(model, texts, bias, prime=prime)):
        assert (mine.text, mine.stopped) == (theirs.text, theirs.stopped)
        torch.testing.assert_close(mine.offsets, theirs.offsets, atol=1e-4, rtol=1e-3)


def test_it_follows_weights_that_change(threads):
    model = HandwritingSynthesizer(hidden=20).requires_grad_(False)
    both(model, ["ab"], 0.5)
    for w in model.parameters():
        w.mul_(0.9)
    mine, theirs = both(model, ["ab"], 0.5)
    torch.testing.assert_close(mine[0].offsets, theirs[0].offsets, atol=1e-4, rtol=1e-3)


def test_the_stop_rule_holds_at_the_same_step(threads):
    model = HandwritingSynthesizer(hidden=20).requires_grad_(False)
    model.window.linear.bias[20:] = -1.0  # a quick reader
    mine, theirs = both(model, ["abc", "abcdefgh"], 0.5)
    assert [line.stopped for line in mine] == ["rule", "rule"]
    assert [len(line.offsets) for line in mine] == [len(line.offsets) for line in theirs]


def test_parts_of_ones_own_are_left_to_the_readable_writer():
    class Mine(SoftWindow):
        pass

    assert quick(Writer, HandwritingSynthesizer(hidden=8, window=Mine)) is Writer
    assert quick(Writer, HandwritingSynthesizer(hidden=8).double()) is Writer


def test_weights_that_changed_through_data_are_seen(threads):
    """Noise is lent to a network in this way, and readers set weights so."""
    model = HandwritingSynthesizer(hidden=20, layers=1).requires_grad_(False)
    before, noise = both(model, ["abc"], 0.0)[0], WeightNoise(model.parameters(), 0.3)
    with noise.drawn(1):
        native, readable = both(model, ["abc"], 0.0)
    after = both(model, ["abc"], 0.0)[0]
    torch.testing.assert_close(native[0].offsets, readable[0].offsets, atol=1e-4, rtol=1e-3)
    assert torch.equal(before[0].offsets, after[0].offsets) and not torch.equal(before[0].offsets, native[0].offsets)
