"""Batch normalisation: two batches of training by gradient descent, then evaluation on both, by PyTorch."""

import torch

from oracle import flat, write

x = torch.randn(8, 3, 2) * 2 + 1
norm = torch.nn.BatchNorm1d(3, momentum=0.3)
descent = torch.optim.SGD(norm.parameters(), lr=0.1)
losses = []
for batch in (x[:4], x[4:]):
    loss = ((norm(batch) - 1) ** 3).mean()
    descent.zero_grad()
    loss.backward()
    descent.step()
    losses.append(loss.detach())
norm.eval()

write(
    "batch-norm",
    {
        "x": flat(x),
        "loss": flat(sum(losses) / 2),
        "weight": flat(norm.weight.detach()),
        "offset": flat(norm.bias.detach()),
        "running_mean": flat(norm.running_mean),
        "running_var": flat(norm.running_var),
        "evaluated": flat(((norm(x) - 1) ** 3).mean().detach()),
    },
)
