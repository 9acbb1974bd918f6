"""The paper's RMSProp (eqs 38-45)."""

import torch


class GravesRMSprop(torch.optim.Optimizer):
    """Divide each gradient by a running estimate of its standard deviation, with momentum.

    It is not `torch.optim.RMSprop(centered=True)`: daleth stands inside the root, and the momentum
    holds steps that are scaled already. The names are the paper's aleph, beth, gimel and daleth.
    """

    def __init__(self, params, aleph=0.95, beth=0.9, gimel=1e-4, daleth=1e-4):
        super().__init__(params, dict(aleph=aleph, beth=beth, gimel=gimel, daleth=daleth))

    @torch.no_grad()
    def step(self, closure=None):
        """Move every weight once."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is not None:
                    self._move(w, self.state[w], group)
        return loss

    @staticmethod
    def _move(w, state, group):
        aleph, beth, gimel, daleth = (group[k] for k in ("aleph", "beth", "gimel", "daleth"))
        if not state:
            state.update({name: torch.zeros_like(w) for name in ("n", "g", "delta")})
        n, g, delta = state["n"], state["g"], state["delta"]
        n.mul_(aleph).addcmul_(w.grad, w.grad, value=1 - aleph)  # eq. (38)
        g.mul_(aleph).add_(w.grad, alpha=1 - aleph)  # eq. (39)
        scale = (n - g * g + daleth).sqrt_()
        delta.mul_(beth).addcdiv_(w.grad, scale, value=-gimel)  # eq. (40)
        w.add_(delta)  # eq. (41)
