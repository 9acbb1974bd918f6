"""The paper's RMSProp against a few lines of NumPy, and against the one that it is not."""

import numpy as np
import torch

from graves_nb.optim import GravesRMSprop


def numpy_rmsprop(w, gradients):
    n = g = delta = np.zeros_like(w)
    for eps in gradients:
        n, g = 0.95 * n + 0.05 * eps**2, 0.95 * g + 0.05 * eps
        delta = 0.9 * delta - 1e-4 * eps / np.sqrt(n - g**2 + 1e-4)
        w = w + delta
    return w


def follow(optimiser, w, gradients):
    for eps in gradients:
        w.grad = torch.from_numpy(eps)
        optimiser.step()
    return w.detach().numpy()


def test_equals_five_lines_of_numpy():
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=6), rng.normal(size=(40, 6)) * np.logspace(-3, 2, 6)
    w = torch.nn.Parameter(torch.from_numpy(start.copy()))
    moved = follow(GravesRMSprop([w]), w, gradients)
    np.testing.assert_allclose(moved, numpy_rmsprop(start, gradients), rtol=1e-12)


def test_it_is_not_torch_centered_rmsprop():
    gradients = [np.full(1, 1e-3)] * 30
    ours, theirs = (torch.nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(2))
    a = follow(GravesRMSprop([ours]), ours, gradients)
    b = follow(torch.optim.RMSprop([theirs], lr=1e-4, alpha=0.95, eps=1e-4, momentum=0.9, centered=True), theirs, gradients)
    assert abs(b[0]) > 3 * abs(a[0])


def test_a_weight_without_a_gradient_stays():
    w, unused = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    w.grad = torch.ones(1)
    GravesRMSprop([w, unused]).step()
    assert w.item() < 1 and unused.item() == 1
