"""Dynamic evaluation: no peeking, each symbol once, and Krause's rule against a few lines of its own."""

import copy

import pytest
import torch

from graves_nb.dynamic import DecayingRMS, read, training_rms
from graves_nb.models import TextPredictor

torch.set_num_threads(1)


@pytest.fixture
def model():
    torch.manual_seed(1)
    return TextPredictor(V=6, hidden=12)


def text(n=60, length=10, seed=2):
    """Sequences of (inputs, targets), each from the null vector on."""
    y = torch.randint(0, 6, (n,), generator=torch.Generator().manual_seed(seed))
    for part in y.split(length):
        yield torch.cat([torch.tensor([-1]), part[:-1]]), part


def losses(model, sequences, lr=0.5, stretch=0):
    model = copy.deepcopy(model)
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9) if lr else None
    return torch.cat([nats for nats, _ in read(model, sequences, optimiser, stretch)])


@pytest.mark.parametrize("stretch", [0, 4])
def test_no_peeking(model, stretch):
    """Another future: every loss before it is the same, to the last bit, and the future's own losses are not."""
    usual = losses(model, text(), stretch=stretch)
    for first in (20, 33, 59):  # the first symbol that is another one
        other = list(text())
        n, i = divmod(first, 10)
        y = torch.cat([y for _, y in other])
        y[first:] = (y[first:] + 1) % 6
        other = [(torch.cat([torch.tensor([-1]), part[:-1]]), part) for part in y.split(10)]
        changed = losses(model, other, stretch=stretch)
        assert torch.equal(changed[:first], usual[:first])
        assert (changed[first:] != usual[first:]).any()


def test_nothing_is_learnt_within_a_sequence_from_itself(model):
    """The first sequence is scored by the weights as they came: static and dynamic agree on it, not after it."""
    static, dynamic = losses(model, text(), lr=0), losses(model, text())
    assert torch.equal(static[:10], dynamic[:10]) and not torch.allclose(static[10:], dynamic[10:])


def test_static_reading_is_a_plain_pass(model):
    x, y = next(text())
    expected = torch.nn.functional.cross_entropy(model(x[:, None])[0].squeeze(1), y, reduction="none")
    torch.testing.assert_close(losses(model, [(x, y)], lr=0), expected.detach())
    assert all(w.grad is None for w in model.parameters())


def test_stretches_carry_the_state(model):
    """Without learning, stretches give the losses of the whole."""
    torch.testing.assert_close(losses(model, text(), lr=0, stretch=3), losses(model, text(), lr=0))


def test_each_symbol_is_predicted_once(model):
    seen = [right for _, right in read(model, text(), None)]
    assert sum(map(len, seen)) == 60 and all(r.dtype == torch.bool for r in seen)


def test_a_text_that_repeats_itself_is_learnt(model):
    part = torch.tensor([0, 1, 2, 3, 4, 5, 0, 3, 1, 5])
    again = [(torch.cat([torch.tensor([-1]), part[:-1]]), part)] * 40
    assert losses(model, again, lr=0.02)[-10:].mean() < 0.5 * losses(model, again, lr=0)[-10:].mean()


def test_krauses_rule_is_the_printed_one():
    start, rms, g = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 0.1]), torch.tensor([0.3, -0.2])
    w = torch.nn.Parameter(start.clone())
    optimiser = DecayingRMS([w], [rms], lr=0.1, lamb=0.2, eps=0.01)
    expected, decay = start.clone(), (rms / rms.mean()).clamp(max=1 / 0.2)
    for _ in range(3):
        w.grad = g
        optimiser.step()
        expected = expected + 0.2 * decay * (start - expected) - 0.1 * g / (rms + 0.01)
    torch.testing.assert_close(w.detach(), expected)


def test_training_rms_is_the_root_of_the_mean_square(model):
    sequences, squares = list(text(n=30)), 0
    for x, y in sequences:
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(x[:, None])[0].squeeze(1), y, reduction="sum").backward()
        squares = squares + model.output.weight.grad ** 2
    rms = training_rms(model, sequences)
    torch.testing.assert_close(rms[-2], (squares / 3).sqrt())
    optimiser = DecayingRMS(model.parameters(), rms)
    assert len(list(read(model, sequences, optimiser))) == 3
