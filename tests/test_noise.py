"""Noise in the weights: the divergence, the prior and the gradients against oracles that know nothing of them."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from graves_nb import noise_check
from graves_nb.datasets import grammar
from graves_nb.noise import AdaptiveWeightNoise, WeightDrop, WeightNoise, gaussian_prior, kl_to_prior

torch.set_num_threads(1)


pytestmark = pytest.mark.usefixtures("float64")


def posterior():
    means = [torch.randn(4, 3), torch.randn(5) + 0.5]
    return means, [0.1 + torch.rand_like(mu) for mu in means]


def distributions(means, stds):
    mu_p, var_p = gaussian_prior(means, stds)
    prior = Normal(mu_p, var_p.sqrt())
    return [(Normal(mu, s), prior) for mu, s in zip(means, stds)]


def test_kl_is_that_of_torch_distributions():
    means, stds = posterior()
    wanted = sum(kl_divergence(q, p).sum() for q, p in distributions(means, stds))
    torch.testing.assert_close(kl_to_prior(means, stds), wanted)


def test_no_other_gaussian_prior_is_nearer():
    """The closed form against a search over the prior's mean and width."""
    means, stds = posterior()
    best = kl_to_prior(means, stds)
    mu_p, var_p = gaussian_prior(means, stds)
    searched = torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.LBFGS([searched], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def cost():
        optimiser.zero_grad()
        prior = Normal(searched[0], searched[1].exp())
        total = sum(kl_divergence(Normal(mu, s), prior).sum() for mu, s in zip(means, stds))
        total.backward()
        return total

    optimiser.step(cost)
    torch.testing.assert_close(cost().detach(), best)
    torch.testing.assert_close(searched.detach(), torch.stack([mu_p, var_p.sqrt().log()]), atol=1e-4, rtol=1e-3)


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3))

    def forward(self, x):
        return torch.tanh(x @ self.a.T + self.b).pow(2).sum(-1)


def drawn_gradients(noise, model, x, seed=3):
    with noise.drawn(seed):
        model(x).sum().div(len(x)).backward()
    noise.finish_gradients(len(x))


def test_reparameterised_gradients_are_those_of_autograd():
    """d/d(mu, s) of L(mu + s eps) + KL / S, the prior re-fitted, by automatic differentiation."""
    model, x, S = Toy(), torch.randn(6, 2), 50
    noise = AdaptiveWeightNoise(model.parameters(), S, std=0.3, curvature="reparameterised")
    for s in noise.stds:
        s.uniform_(0.1, 0.5)
    drawn_gradients(noise, model, x)
    means = [w.detach().clone().requires_grad_() for w in noise.weights]
    stds = [s.clone().requires_grad_() for s in noise.stds]
    drawn = dict(zip(("a", "b"), (mu + s * eps for mu, s, eps in zip(means, stds, noise.eps))))
    loss = torch.func.functional_call(model, drawn, x).mean() + kl_to_prior(means, stds) / S
    for found, wanted in zip([w.grad for w in noise.weights] + [s.grad for s in noise.stds],
                             torch.autograd.grad(loss, means + stds)):
        torch.testing.assert_close(found, wanted)


def test_squared_gradient_is_the_curvature_of_a_log_likelihood():
    """Where the data come from the model, E[s g^2] is the derivative of E[L] to s: the theory's one assumption.

    For L = (x - w)^2 / 2 with x ~ N(w, 1): E over w + s eps of L has the derivative s, and E[g^2] is 1 at w.
    """
    w = nn.Parameter(torch.full((20_000,), 0.7))  # so many weights, each with one observation
    noise = AdaptiveWeightNoise([w], S=1, std=0.05)
    x = 0.7 + torch.randn(20_000)
    with noise.drawn(1):
        ((x - w) ** 2 / 2).sum().backward()
    g = w.grad.clone()
    noise.finish_gradients(1)
    prior_part = noise.stds[0] / gaussian_prior([w.detach()], noise.stds)[1] - 1 / noise.stds[0]
    torch.testing.assert_close(noise.stds[0].grad - prior_part, 0.05 * g**2)
    assert (noise.stds[0].grad - prior_part).mean() == pytest.approx(0.05, rel=0.05)


def test_the_factor_b_mends_the_square_of_a_mean():
    """Of B independent gradients with mean 0: B times the squared mean is, on average, the mean square."""
    B, w = 8, nn.Parameter(torch.zeros(50_000))
    noise = AdaptiveWeightNoise([w], S=10**9, std=1.0)
    g = torch.randn(B, 50_000) * torch.linspace(0.5, 2, 50_000)
    with noise.drawn(0):
        pass
    w.grad = g.mean(0)
    noise.finish_gradients(B)
    assert noise.stds[0].grad.mean().item() == pytest.approx((g**2).mean().item(), rel=0.03)


def test_the_prior_pulls_means_together_and_widths_out():
    model = Toy()
    noise = AdaptiveWeightNoise(model.parameters(), S=1, std=0.01)
    with noise.drawn(0):
        pass
    for w in noise.weights:
        w.grad = torch.zeros_like(w)
    noise.finish_gradients(1)
    mu_p, _ = gaussian_prior(noise.weights, noise.stds)
    assert all(((w - mu_p) * w.grad > 0).all() for w in noise.weights) and all((s.grad < 0).all() for s in noise.stds)


@pytest.mark.parametrize("make", [lambda w: WeightNoise(w, 0.0), WeightNoise, lambda w: AdaptiveWeightNoise(w, 10)])
def test_the_weights_come_back_to_the_last_bit(make):
    model = Toy()
    before = copy.deepcopy(model.state_dict())
    noise = make(model.parameters())
    with pytest.raises(RuntimeError, match="on the way"), noise.drawn(1):
        changed = any(not torch.equal(a, before[name]) for name, a in model.state_dict().items())
        raise RuntimeError("on the way")
    assert changed == bool(noise.std)
    assert all(torch.equal(a, before[name]) for name, a in model.state_dict().items())


def test_draws_are_normal_of_the_stated_width_and_repeatable():
    w = nn.Parameter(torch.zeros(40_000))
    noise, seen = WeightNoise([w], 0.075), []
    for seed in (1, 1, 2):
        with noise.drawn(seed):
            seen.append(w.detach().clone())
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
    assert seen[0].std().item() == pytest.approx(0.075, rel=0.02) and abs(seen[0].mean().item()) < 0.002


def test_the_gradient_is_taken_at_the_noisy_weights_and_moves_the_noise_free_ones():
    w = nn.Parameter(torch.tensor([2.0]))
    noise = WeightNoise([w], 0.5)
    with noise.drawn(4):
        at = w.item()
        (w**2).sum().backward()
    noise.finish_gradients(1)
    assert w.item() == 2.0 and at != 2.0 and w.grad.item() == pytest.approx(2 * at)


def test_learnt_widths_are_wide_where_the_loss_does_not_care():
    """Ten weights that matter, and ten that do not: the others forget their means, and their widths become the prior's."""
    torch.manual_seed(5)
    wanted = torch.linspace(-1, 1, 20)[torch.randperm(20)]
    w = nn.Parameter(wanted.clone())
    noise = AdaptiveWeightNoise([w], S=20, std=0.075, curvature="reparameterised")
    before = noise.kl()
    optimiser = torch.optim.Adam(noise.parameters(), lr=3e-3)
    for step in range(2000):
        with noise.drawn(step):
            (20 * (w - wanted)[:10] ** 2).sum().backward()
        noise.finish_gradients(1)
        optimiser.step()
        noise.settle()
        optimiser.zero_grad()
    careful, careless = noise.stds[0][:10], noise.stds[0][10:]
    assert (w - wanted)[:10].abs().max() < 0.15 and careless.min() > 2 * careful.max()
    assert 0 < noise.kl() < before  # only ten weights have to be told


def test_a_width_never_passes_zero():
    noise = AdaptiveWeightNoise([nn.Parameter(torch.zeros(3))], S=1)
    noise.stds[0].sub_(1.0)
    noise.settle()
    assert (noise.stds[0] > 0).all()


def test_the_comparison_of_gradients_and_batches(tmp_path, monkeypatch):
    """A short run of `noise_check`: a row for each choice, whose parts add up as bits do."""
    torch.set_default_dtype(torch.float32)  # as where networks are trained
    monkeypatch.setattr(noise_check, "FIRST", 1)
    monkeypatch.setattr(noise_check, "CHOICES", [(500, 1, "squared"), (500, 1, "reparameterised")])
    monkeypatch.setattr(noise_check, "DRAWS", 1)
    result = noise_check.main(tmp_path)
    assert [row["curvature"] for row in result["rows"]] == ["squared", "reparameterised"]
    for row in result["rows"]:
        m = row["metrics"]
        assert m["message"] > m["weights"] > 0 and m["new_sentence"] > grammar.entropy()


def test_weight_drop_learns_at_the_weights_that_are_left():
    """The gradient is that of a network in which the others are zero; afterwards all are there again."""
    toy, x = Toy(), torch.randn(6, 2)
    before, noise = toy.a.detach().clone(), WeightDrop(toy.parameters(), [toy.a], 0.4)
    with noise.drawn(7):
        (x @ toy.a.T).tanh().sum().backward()
        dropped = toy.a.detach().clone()
    noise.finish_gradients(1)
    assert torch.equal(toy.a, before) and toy.b.grad is None
    (kept,) = noise.kept
    assert torch.equal(dropped, before * kept) and set(kept.unique().tolist()) == {0.0, 1 / 0.6}
    whole = before.clone().requires_grad_(True)
    (x @ (whole * kept).T).tanh().sum().backward()
    torch.testing.assert_close(toy.a.grad, whole.grad)
    with noise.drawn(8):
        assert not torch.equal(toy.a, dropped)


def test_weight_drop_drops_its_share():
    big = nn.Parameter(torch.ones(300, 300))
    noise = WeightDrop([big], [big], 0.3)
    with noise.drawn(1):
        assert (big == 0).double().mean().item() == pytest.approx(0.3, abs=0.01) and big.mean().item() == pytest.approx(1, abs=0.02)
