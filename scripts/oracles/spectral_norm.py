"""Spectral normalisation: three steps of gradient descent, then evaluation, by PyTorch."""

import torch
from torch.nn.utils.parametrizations import spectral_norm

from oracle import flat, write

x = torch.randn(6, 3)
layer = spectral_norm(torch.nn.Linear(3, 2, bias=False), n_power_iterations=2)
kept = layer.parametrizations.weight[0]
start = {
    "raw": flat(layer.parametrizations.weight.original.detach()),
    "u": flat(kept._u),
    "v": flat(kept._v),
}
descent = torch.optim.SGD(layer.parameters(), lr=0.1)
losses = []
for batch in (x[:2], x[2:4], x[4:]):
    loss = ((layer(batch) - 1) ** 3).mean()
    descent.zero_grad()
    loss.backward()
    descent.step()
    losses.append(loss.detach())
layer.eval()

write(
    "spectral-norm",
    {
        "x": flat(x),
        **{f"start_{name}": values for name, values in start.items()},
        "loss": flat(sum(losses) / 3),
        "raw": flat(layer.parametrizations.weight.original.detach()),
        "u": flat(kept._u),
        "v": flat(kept._v),
        "value": flat(layer.weight.detach()),
        "evaluated": flat(((layer(x) - 1) ** 3).mean().detach()),
    },
)
