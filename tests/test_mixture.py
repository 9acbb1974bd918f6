"""The mixture density against a library's distributions and the paper's printed gradients, in float64."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, MixtureSameFamily, MultivariateNormal

from graves_nb.mixture import Mixture, log_normal, mixture_loss, mixture_parameters, sample_mixture, split_outputs

pytestmark = pytest.mark.usefixtures("float64")


def targets(n):
    return torch.cat([2 * torch.randn(n, 2), (torch.rand(n, 1) > 0.5).double()], -1)


def library(y_hat):
    """The same mixture, built by torch.distributions."""
    p = mixture_parameters(y_hat)
    rows = [p.sigma1**2, p.rho * p.sigma1 * p.sigma2, p.rho * p.sigma1 * p.sigma2, p.sigma2**2]
    covariance = torch.stack(rows, -1).unflatten(-1, (2, 2))
    gaussians = MultivariateNormal(torch.stack([p.mu1, p.mu2], -1), covariance)
    return MixtureSameFamily(Categorical(p.pi), gaussians), Bernoulli(p.e)


def test_the_loss_is_that_of_a_library():
    y_hat, x = torch.randn(50, 1 + 6 * 20), targets(50)
    offsets, pen = library(y_hat)
    expected = -offsets.log_prob(x[:, :2]) - pen.log_prob(x[:, 2])
    torch.testing.assert_close(mixture_loss(y_hat, x), expected)


def printed_gradients(y_hat, x):
    """Eqs (27) to (37) as they are printed, for one point and one mixture."""
    p = mixture_parameters(y_hat)
    M = len(p.pi)
    weighted = torch.zeros(M)
    gradients = torch.zeros(1 + 6 * M)
    d1, d2 = (x[0] - p.mu1) / p.sigma1, (x[1] - p.mu2) / p.sigma2
    z = d1**2 + d2**2 - 2 * p.rho * d1 * d2
    for j in range(M):
        area = 2 * math.pi * p.sigma1[j] * p.sigma2[j] * torch.sqrt(1 - p.rho[j] ** 2)
        weighted[j] = p.pi[j] * torch.exp(-z[j] / (2 * (1 - p.rho[j] ** 2))) / area  # eq. (28)
    gamma = weighted / weighted.sum()  # eq. (29)
    gradients[0] = x[2] - p.e  # eq. (27)
    for j in range(M):
        c = 1 / (1 - p.rho[j] ** 2)  # eq. (37)
        parts = (
            p.pi[j] - gamma[j],  # eq. (30)
            -gamma[j] * c / p.sigma1[j] * (d1[j] - p.rho[j] * d2[j]),  # eqs (31) and (32)
            -gamma[j] * c / p.sigma2[j] * (d2[j] - p.rho[j] * d1[j]),  # eq. (33)
            -gamma[j] * (c * d1[j] * (d1[j] - p.rho[j] * d2[j]) - 1),  # eq. (34)
            -gamma[j] * (c * d2[j] * (d2[j] - p.rho[j] * d1[j]) - 1),  # eq. (35)
            -gamma[j] * (d1[j] * d2[j] + p.rho[j] * (1 - c * z[j])),  # eq. (36)
        )
        for k, part in enumerate(parts):
            gradients[1 + k * M + j] = part
    return gradients


def test_the_gradients_are_the_printed_ones():
    for x in targets(5):
        y_hat = torch.randn(1 + 6 * 4, requires_grad=True)
        (found,) = torch.autograd.grad(mixture_loss(y_hat, x), y_hat)
        torch.testing.assert_close(found, printed_gradients(y_hat.detach(), x))


def test_the_density_integrates_to_one():
    y_hat = torch.randn(1 + 6 * 3)
    grid = torch.linspace(-25, 25, 1201)
    x = torch.stack([*torch.meshgrid(grid, grid, indexing="ij"), torch.zeros(1201, 1201)], -1)
    density = torch.exp(-mixture_loss(y_hat, x)) / (1 - mixture_parameters(y_hat).e)
    assert density.sum() * (grid[1] - grid[0]) ** 2 == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("rho_hat", [0.0, 9.0, -40.0, 300.0])
@pytest.mark.parametrize("distance", [0.0, 1.0, 1e4])
def test_loss_and_gradient_are_finite_at_the_edge(rho_hat, distance):
    y_hat = torch.zeros(7, dtype=torch.float32)
    y_hat[6] = rho_hat
    y_hat.requires_grad_()
    loss = mixture_loss(y_hat, torch.tensor([distance, distance, 1.0], dtype=torch.float32))
    assert torch.isfinite(loss)
    (gradient,) = torch.autograd.grad(loss, y_hat)
    assert torch.isfinite(gradient).all()


def test_bias_sharpens_weights_and_spreads_and_nothing_else():
    y_hat, b = torch.randn(10, 1 + 6 * 5), 1.7
    plain, biased = mixture_parameters(y_hat), mixture_parameters(y_hat, b)
    torch.testing.assert_close(biased.sigma1, plain.sigma1 * math.exp(-b))
    torch.testing.assert_close(biased.pi, torch.softmax(split_outputs(y_hat)[1] * (1 + b), -1))
    for name in ("e", "mu1", "mu2", "rho"):
        torch.testing.assert_close(getattr(biased, name), getattr(plain, name))


def test_draws_follow_the_density():
    """The mean loss of drawn points is the mixture's entropy, as the library's own draws estimate it."""
    y_hat, n = torch.randn(1 + 6 * 4), 200_000
    chance = torch.cat([torch.rand(n, 2), torch.randn(n, 2)], -1)
    drawn = sample_mixture(Mixture(*(p.expand(n, *p.shape) for p in mixture_parameters(y_hat))), chance)
    offsets, pen = library(y_hat)
    others = torch.cat([offsets.sample((n,)), pen.sample((n, 1))], -1)
    assert mixture_loss(y_hat, drawn).mean() == pytest.approx(mixture_loss(y_hat, others).mean().item(), abs=0.02)
    torch.testing.assert_close(drawn.mean(0), others.mean(0), atol=0.03, rtol=0)


def test_the_first_and_last_component_can_be_drawn():
    y_hat = torch.zeros(1 + 6 * 3)
    mixture = Mixture(*(p.expand(2, *p.shape) for p in mixture_parameters(y_hat)))
    mixture = mixture._replace(mu1=torch.tensor([[1.0, 2.0, 3.0]] * 2))
    chance = torch.tensor([[0.0, 0.9, 0.0, 0.0], [1.0, 0.1, 0.0, 0.0]])
    assert sample_mixture(mixture, chance)[:, 0].tolist() == [1.0, 3.0]


def test_log_normal_of_every_component():
    y_hat, x = torch.randn(6, 1 + 6 * 3), torch.randn(6, 2)
    p = mixture_parameters(y_hat)
    for j in range(3):
        both = p.rho[:, j] * p.sigma1[:, j] * p.sigma2[:, j]
        covariance = torch.stack([p.sigma1[:, j] ** 2, both, both, p.sigma2[:, j] ** 2], -1).unflatten(-1, (2, 2))
        expected = MultivariateNormal(torch.stack([p.mu1[:, j], p.mu2[:, j]], -1), covariance).log_prob(x)
        torch.testing.assert_close(log_normal(y_hat, x)[:, j], expected)
