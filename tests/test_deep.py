"""Deep stacks and the two predictors: their joints, their weights, and every path against the plain loop."""

import pytest
import torch
from torch import nn

from graves_nb.kernels import cpu
from graves_nb.lstm import DeepLSTM, LSTMState, OneHot, PeepholeLSTMCell
from graves_nb.mixture import mixture_loss
from graves_nb.models import HandwritingPredictor, TextPredictor
from graves_nb.sequence import best_path
from graves_nb.tied import TiedTextPredictor

torch.set_num_threads(1)


pytestmark = pytest.mark.usefixtures("float64")


def weights(model):
    return sum(w.numel() for w in model.parameters())


def test_weight_counts_of_the_paper():
    with torch.device("meta"):
        assert weights(HandwritingPredictor(900, 1)) == 3_366_121  # section 4: "approximately 3.4M"
        assert weights(HandwritingPredictor(400, 3)) == 3_368_121
        assert weights(TextPredictor(50)) == 4_257_050 and weights(TextPredictor(49)) == 4_252_049  # 3.1: 4.3M
        assert weights(TextPredictor(10_000)) == 54_017_000  # 3.1: 54M
        # 3.2 says seven layers and 21.3M weights: it is five that have so many
        assert round(weights(TextPredictor(205, 700, 5)) / 1e5) == 213
        assert round(weights(TextPredictor(205, 700, 7)) / 1e5) == 305


def text_loss(logits, y):
    return nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum")


def text_case(layers=3, V=11, hidden=10, T=9, B=4, **parts):
    model = TextPredictor(V, hidden, layers, **parts)
    x = torch.randint(0, V, (T, B))
    x[0] = -1  # the null vector
    return model, x, torch.randint(0, V, (T, B)), text_loss


def ink_case(layers=3, hidden=10, T=9, B=4, **parts):
    model = HandwritingPredictor(hidden, layers, 4, **parts)
    y = torch.cat([torch.randn(T, B, 2), (torch.rand(T, B, 1) > 0.5).double()], -1)
    return model, torch.randn(T, B, 3), y, lambda y_hat, y: mixture_loss(y_hat, y).sum()


def tied_case(layers=3, V=11, hidden=10, T=9, B=4, clip_output=None, **parts):
    _, *rest = text_case(V=V, T=T, B=B)
    return TiedTextPredictor(V, hidden, layers, 6, **parts).eval(), *rest


CASES = {"text": text_case, "ink": ink_case, "tied": tied_case}


def gradients(model, x, y, loss, path):
    model.zero_grad()
    y_hat, state = model(x, path=path)
    loss(y_hat, y).backward()
    return y_hat.detach(), state, [w.grad.double() for w in model.parameters()]


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("clips", [dict(clip_lstm=None), dict(clip_lstm=0.05, clip_output=0.3)])
def test_steps_equal_the_loop(case, layers, clips):
    model, *rest = CASES[case](layers, **clips)
    for w in model.parameters():  # large enough for every joint to matter
        nn.init.normal_(w, std=0.4)
    loop, whole = (gradients(model, *rest, path) for path in ("plain", "steps"))
    for a, b in zip(whole, loop):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("operands, limit", [(None, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize("case", CASES)
def test_native_gradients_are_those_of_the_loop(case, operands, limit):
    if not cpu.available() or (operands and not cpu.has_bfloat16()):
        pytest.skip("no C++ compiler, or no products of bfloat16 pairs")
    model, x, y, loss = CASES[case](hidden=50, T=30, B=5)
    exact = gradients(model, x, y, loss, "plain")[2]
    narrow = [a.float() if a.is_floating_point() else a for a in (x, y)]
    model.float().operands = operands
    assert best_path(model, narrow[0]) == "native"
    found = gradients(model, *narrow, loss, "native")[2]
    error = sum(((a - b) ** 2).sum() for a, b in zip(found, exact)) / sum((b**2).sum() for b in exact)
    assert error.sqrt() < limit


@pytest.mark.parametrize("case", CASES)
def test_gradients_against_finite_differences(case):
    model, x, y, loss = CASES[case](T=5, clip_lstm=None, clip_output=None)
    exact = gradients(model, x, y, loss, "steps")[2]
    for w, g in zip(model.parameters(), exact):
        flat, i = w.data.view(-1), int(g.abs().argmax())
        values = []
        for step in (1e-5, -2e-5):
            flat[i] += step
            values.append(loss(model(x)[0], y).item())
        flat[i] += 1e-5
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(g.flatten()[i].item(), rel=1e-6)


def test_labels_stand_for_one_hot_vectors():
    """A network told labels is the network told dense one-hot rows, and -1 is the null vector."""
    model, x, *_ = text_case()
    dense = nn.functional.one_hot(x.clamp(min=0), 11) * (x >= 0).unsqueeze(-1)
    for path in ("plain", "steps"):
        torch.testing.assert_close(model(x, path=path), model(dense.double(), path=path))


def test_a_one_hot_row_picks_a_row():
    matrix, h = torch.randn(7, 5), torch.randn(3, 2)
    rows = torch.cat([torch.eye(5)[[4, 0, 1]], h], -1)
    torch.testing.assert_close(OneHot(torch.tensor([4, 0, 1]), h) @ matrix, rows @ matrix)
    assert (OneHot(torch.tensor([-1])) @ matrix == 0).all()


def test_a_stack_of_one_without_peepholes_is_nn_lstm():
    stack, oracle = DeepLSTM(5, 7, 1, clip=None), nn.LSTM(5, 7)
    stack.join_output(2)
    cell = stack.layers[0]
    nn.init.zeros_(cell.peephole)
    oracle.weight_ih_l0.data, oracle.weight_hh_l0.data = cell.weight_x.data, cell.weight_h.data
    oracle.bias_ih_l0.data, oracle.bias_hh_l0.data = cell.bias.data, torch.zeros(28)
    x = torch.randn(9, 2, 5)
    torch.testing.assert_close(stack(x)[0], stack.output(oracle(x)[0]))


def test_the_input_reaches_every_layer_and_every_layer_the_output():
    model, x, *_ = ink_case(T=1)
    usual = model(x)[0]
    for n, cell in enumerate(model.layers):
        assert cell.input_size == 3 + (10 if n else 0)
        for part in (cell.weight_x[:, :3], model.output.weight[:, 10 * n : 10 * n + 10]):
            before = part.detach().clone()
            part.data.zero_()
            assert not torch.allclose(model(x)[0], usual)
            part.data.copy_(before)
    torch.testing.assert_close(model(x)[0], usual)


@pytest.mark.parametrize("case", CASES)
def test_stretches_with_the_state_carried_give_the_same_outputs(case):
    model, x, *_ = CASES[case]()
    whole, last = model(x)
    first, state = model(x[:4])
    second, state = model(x[4:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(state, last)


@pytest.mark.parametrize("case", CASES)
def test_one_step_at_a_time_gives_the_same_outputs(case):
    model, x, *_ = CASES[case]()
    state, outputs = model.initial_state(x.shape[1]), []
    for x_t in x:
        h, state = model.step(x_t, state)
        outputs.append(model.readout(h))
    torch.testing.assert_close(torch.stack(outputs), model(x)[0])


@pytest.mark.parametrize("case", CASES)
def test_another_cell_changes_the_network(case):
    class Forgetful(PeepholeLSTMCell):
        def forward(self, x, state):
            return super().forward(x, LSTMState(state.h, 0 * state.c))

    usual, x, *_ = CASES[case]()
    edited, *_ = CASES[case](cell=Forgetful)
    edited.load_state_dict(usual.state_dict())
    assert best_path(edited, x) == "plain"
    assert not torch.allclose(usual(x)[0], edited(x)[0])
    torch.testing.assert_close(usual(x[:1])[0], edited(x[:1])[0])


def test_a_symbol_has_one_vector_at_both_ends():
    """Where it is not read, it moves its own logit alone; where it is read, all of them."""
    model, *_ = tied_case()
    others = [k for k in range(11) if k != 7]
    absent, read = torch.full((4, 1), 2), torch.full((4, 1), 7)
    before = [model(x)[0] for x in (absent, read)]
    model.vectors.data[7] += 1
    after = [model(x)[0] for x in (absent, read)]
    torch.testing.assert_close(after[0][..., others], before[0][..., others])
    assert not torch.isclose(after[0][..., 7], before[0][..., 7]).any() and not torch.isclose(after[1], before[1]).any()
    assert (model.look_up(torch.tensor([-1])) == 0).all()


def test_dropout_takes_the_same_numbers_all_along_a_sequence():
    model = TiedTextPredictor(11, 10, 1, 6, dropout=0.3)
    ones = torch.ones(5, 4000, 6)
    assert (model.eval().thinned(ones) == 1).all()
    thin = model.train().thinned(ones)
    assert (thin == thin[:1]).all() and (thin == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert thin.mean().item() == pytest.approx(1, abs=0.02)


def test_keys_are_those_of_the_synthesizer():
    keys = set(text_case()[0].state_dict())
    assert "layers.0.weight_x" in keys and "output.bias" in keys and all(k.split(".")[0] in ("layers", "output") for k in keys)


def test_symbols_are_seen_from_the_start():
    """The first V columns of every layer meet one-hot inputs, so each has the scale of a single weight."""
    for std in (1.0, 0.3):
        for layer in TextPredictor(200, 30, 2, input_std=std).layers:
            assert layer.weight_x[:, :200].std().item() == pytest.approx(std, rel=0.05)


def test_logits_take_the_narrow_operands_and_stay_float():
    model, h = TextPredictor(300, 64).float(), torch.randn(5, 2, 64, dtype=torch.float32)
    exact = model.readout(h)
    model.operands = torch.bfloat16
    narrow = model.readout(h)
    assert narrow.dtype == torch.float32 and 0 < (narrow - exact).abs().max() < 0.05
