"""The cell, its clip, the window and the network against oracles that know nothing of them."""

import numpy as np
import pytest
import torch
from torch import nn

from graves_nb.lstm import LSTMState, PeepholeLSTMCell, clip_gradient
from graves_nb.mixture import mixture_loss
from graves_nb.models import HandwritingSynthesizer
from graves_nb.window import SoftWindow, WindowState

torch.set_num_threads(1)


pytestmark = pytest.mark.usefixtures("float64")


def small_model(**parts):
    model = HandwritingSynthesizer(hidden=12, layers=3, M=4, K=3, V=9, **parts)
    for w in model.parameters():  # large enough for every path to matter
        nn.init.normal_(w, std=0.4)
    return model


def small_batch(T=11, B=3, U=6, V=9):
    x = torch.randn(T, B, 3)
    y = torch.cat([torch.randn(T, B, 2), (torch.rand(T, B, 1) > 0.5).double()], -1)
    text = nn.functional.one_hot(torch.randint(0, V, (B, U)), V).double()
    text[0, 4:] = 0  # a shorter line
    return x, y, text


def gradients(model, x, y, text, path):
    model.zero_grad()
    y_hat, state = model(x, text, path=path)
    mixture_loss(y_hat, y).sum().backward()
    return y_hat.detach(), state, [w.grad.clone() for w in model.parameters()]


def test_without_peepholes_the_cell_is_nn_lstm():
    cell, oracle = PeepholeLSTMCell(5, 7), nn.LSTM(5, 7)
    nn.init.zeros_(cell.peephole)
    oracle.weight_ih_l0.data, oracle.weight_hh_l0.data = cell.weight_x.data, cell.weight_h.data
    oracle.bias_ih_l0.data, oracle.bias_hh_l0.data = cell.bias.data, torch.zeros(28)
    x, state = torch.randn(9, 2, 5), cell.initial_state(2)
    expected, _ = oracle(x)
    for x_t, h_t in zip(x, expected):
        state = cell(x_t, state)
        torch.testing.assert_close(state.h, h_t)


def test_the_output_gate_sees_the_new_cell():
    cell = PeepholeLSTMCell(1, 1)
    for w in cell.parameters():
        nn.init.zeros_(w)
    cell.bias.data = torch.tensor([50.0, -50.0, 50.0, 0.0])  # write a 1, forget what was there
    cell.peephole.data[2] = 3.0
    state = cell(torch.zeros(1, 1), LSTMState(torch.zeros(1, 1), torch.full((1, 1), -1.0)))
    expected = torch.sigmoid(torch.tensor(3.0)) * torch.tanh(torch.tensor(1.0))
    torch.testing.assert_close(state.h.squeeze(), expected)


def test_clip_leaves_values_and_cuts_derivatives():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = clip_gradient(x, 10.0)
    torch.testing.assert_close(y, x)
    (y * torch.tensor([25.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [10.0, 3.0]


def test_clip_acts_at_every_time_step():
    """Two steps, each with a derivative of 30 at its input: 10 + 10, not clip(60)."""
    cell = PeepholeLSTMCell(1, 1, clip=10.0)
    for w in cell.parameters():
        nn.init.zeros_(w)
    nn.init.constant_(cell.bias, 2.0)
    total = sum(cell(torch.ones(1, 1), cell.initial_state(1)).h.sum() for _ in range(2))
    (1000 * total).backward()
    assert cell.bias.grad.abs().max() == 20.0


def test_whole_path_equals_the_loop_clips_included():
    x, y, text = small_batch()
    for clips in (dict(clip_lstm=None, clip_output=None), dict(clip_lstm=0.05, clip_output=0.3)):
        model = small_model(**clips)
        loop, whole = (gradients(model, x, y, text, path) for path in ("plain", "steps"))
        torch.testing.assert_close(whole[0], loop[0])
        torch.testing.assert_close(whole[1], loop[1])
        torch.testing.assert_close(whole[2], loop[2])


def test_the_clips_act_in_that_test():
    x, y, text = small_batch()
    free = gradients(small_model(clip_lstm=None, clip_output=None), x, y, text, "plain")[2]
    torch.manual_seed(0)
    x, y, text = small_batch()
    clipped = gradients(small_model(clip_lstm=0.05, clip_output=0.3), x, y, text, "plain")[2]
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(free, clipped))


def test_stretches_with_the_state_carried_give_the_same_outputs():
    model, (x, _, text) = small_model(), small_batch()
    whole, last = model(x, text)
    first, state = model(x[:4], text)
    second, state = model(x[4:], text, state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(state, last)


def test_clipped_gradient_of_a_batch_is_the_mean_of_its_lines():
    model, (x, y, text) = small_model(clip_lstm=0.05, clip_output=0.3), small_batch()
    together = [g / 3 for g in gradients(model, x, y, text, "steps")[2]]
    alone = [gradients(model, x[:, b : b + 1], y[:, b : b + 1], text[b : b + 1], "steps")[2] for b in range(3)]
    for mean, *each in zip(together, *alone):
        torch.testing.assert_close(mean, sum(each) / 3)


def test_gradients_against_finite_differences():
    model, (x, y, text) = small_model(clip_lstm=None, clip_output=None), small_batch(T=5)
    exact = gradients(model, x, y, text, "steps")[2]
    for w, g in zip(model.parameters(), exact):
        i = tuple(int(n) for n in np.unravel_index(int(g.abs().argmax()), g.shape))
        values = []
        for step in (1e-5, -2e-5):
            w.data[i] += step
            values.append(mixture_loss(model(x, text)[0], y).sum().item())
        w.data[i] += 1e-5
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(g[i].item(), rel=1e-6)


def test_layers_are_joined_as_the_paper_says():
    """The input reaches every layer, every layer reaches the output."""
    model, (x, _, text) = small_model(), small_batch(T=1)
    first, *rest = model.layers
    assert first.input_size == 3 + 9 and all(cell.input_size == 3 + 9 + 12 for cell in rest)
    assert model.output.in_features == 3 * 12 and model.output.out_features == 1 + 6 * 4
    for n in range(3):
        changed = model.output.weight.detach().clone()
        changed[:, 12 * n : 12 * (n + 1)] = 0
        y_hat = model(x, text)[0]
        original, model.output.weight.data = model.output.weight.data, changed
        assert not torch.allclose(model(x, text)[0], y_hat)
        model.output.weight.data = original


def test_weight_counts():
    count = sum(w.numel() for w in HandwritingSynthesizer(V=57).parameters())
    assert count == 3_653_751  # 3.7 million in the paper, with its 57 characters
    assert sum(w.numel() for w in HandwritingSynthesizer(V=76).parameters()) == 3_744_951


def test_another_cell_changes_the_network():
    class Forgetful(PeepholeLSTMCell):
        def forward(self, x, state):
            return super().forward(x, LSTMState(state.h, 0 * state.c))

    x, _, text = small_batch()
    usual = small_model()
    edited = small_model(cell=Forgetful)
    edited.load_state_dict(usual.state_dict())
    assert not torch.allclose(usual(x, text)[0], edited(x, text)[0])
    torch.testing.assert_close(usual(x[:1], text)[0], edited(x[:1], text)[0])


def test_another_window_changes_the_network():
    class Blind(SoftWindow):
        def forward(self, h, text, state):
            return super().forward(h, 0 * text, state)

    x, _, text = small_batch()
    usual, edited = small_model(), small_model(window=Blind)
    edited.load_state_dict(usual.state_dict())
    assert not torch.allclose(usual(x, text)[0], edited(x, text)[0])


def printed_window_gradients(shape, step, text, dw, dkappa_next):
    """Eqs (56-60), term by term, for one line."""
    alpha, beta, kappa = (p[0] for p in shape)
    K, U = len(alpha), text.shape[1]
    d_alpha, d_beta, d_kappa = torch.zeros(K), torch.zeros(K), torch.zeros(K)
    for k in range(K):
        for u in range(1, U + 1):
            eps = alpha[k] * torch.exp(-beta[k] * (kappa[k] - u) ** 2) * (dw[0] @ text[0, u - 1])
            d_alpha[k] += eps
            d_beta[k] -= beta[k] * eps * (kappa[k] - u) ** 2
            d_kappa[k] += 2 * beta[k] * eps * (u - kappa[k])
    d_kappa = d_kappa + dkappa_next[0]
    return torch.cat([d_alpha, d_beta, step[0] * d_kappa])


def test_window_gradients_are_the_printed_ones():
    window, text = SoftWindow(4, 3), small_batch()[2][1:2]
    hats = torch.randn(1, 9, requires_grad=True)
    window.linear = nn.Identity()
    dw, dkappa = torch.randn(1, 9), torch.randn(1, 3)
    state = WindowState(torch.rand(1, 3) * 3, torch.zeros(1, 9))
    after = window(hats, text, state)
    ((after.w * dw).sum() + (after.kappa * dkappa).sum()).backward()
    step = torch.exp(hats[:, 6:].detach())
    shape = [p.detach() for p in window.shape(hats, state.kappa)]
    torch.testing.assert_close(hats.grad[0], printed_window_gradients(shape, step, text, dw, dkappa))


def test_log_phi_is_finite_where_phi_is_not():
    window = SoftWindow(4, 3).float()
    shape = window.shape(torch.zeros(1, 4, dtype=torch.float32), torch.full((1, 3), 90.0, dtype=torch.float32))
    u = torch.tensor([1.0, 2.0])
    assert (shape.phi(u.float()) == 0).all() and torch.isfinite(shape.log_phi(u.float())).all()
    near = torch.tensor([89.0, 90.0, 91.0], dtype=torch.float32)
    torch.testing.assert_close(shape.log_phi(near).exp(), shape.phi(near))


def test_the_window_never_goes_back():
    window, text = SoftWindow(4, 3), small_batch()[2]
    state = window.initial_state(3, 9)
    for _ in range(20):
        before, state = state.kappa, window(10 * torch.randn(3, 4), text, state)
        assert (state.kappa > before).all()
