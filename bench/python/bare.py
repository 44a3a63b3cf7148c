"""A loop of training in bare PyTorch: `bare.py MODEL FOLDER STEPS THREADS`. Batches are taken by index, as a fast loop does."""

import torch

from models import loss, models
from timing import Steps, arguments, device, sizes

model, folder, count, threads = arguments()
torch.set_num_threads(threads)
torch.manual_seed(1)
net, data, size = models[model](folder, **sizes())
net.to(device())
inputs, targets = (tensor.to(device()) for tensor in data.tensors)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
steps = Steps()


def batches():
    while True:
        order = torch.randperm(len(inputs), device=device())
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            yield inputs[rows], targets[rows]


for x, y in batches():
    optimizer.zero_grad()
    value = loss(net(x), y)
    value.backward()
    optimizer.step()
    steps.end(value.item())
    if len(steps.ends) == count:
        break
steps.report()
