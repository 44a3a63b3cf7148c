"""Optimizers: six updates of a parameter under changing gradients, by PyTorch; learning-rate schedules."""

import torch

from oracle import flat, write

START = torch.tensor([1.0, -2.0, 0.5, 0.0])
GRADIENTS = [
    torch.tensor([0.1 * (step + 1), -1.0 / (step + 1), 1e-9 * step, (-1.0) ** step * 30]) for step in range(6)
]


def path(make):
    w = START.clone().requires_grad_()
    optimizer = make([w])
    values = []
    for gradient in GRADIENTS:
        w.grad = gradient.clone()
        optimizer.step()
        values.append(flat(w.detach()))
    return values


def rates(make, lr, count):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = make(optimizer)
    values = []
    for _ in range(count):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return [float(f"{value:.12g}") for value in values]


optim = torch.optim
write(
    "optimizers",
    {
        "start": flat(START),
        "gradients": [flat(gradient) for gradient in GRADIENTS],
        "Sgd(lr: 0.1)": path(lambda w: optim.SGD(w, lr=0.1)),
        "Sgd(lr: 0.1, momentum: 0.9)": path(lambda w: optim.SGD(w, lr=0.1, momentum=0.9)),
        "Sgd(lr: 0.05, momentum: 0.5, weight_decay: 0.2)": path(
            lambda w: optim.SGD(w, lr=0.05, momentum=0.5, weight_decay=0.2)
        ),
        "Adam(lr: 1e-3)": path(lambda w: optim.Adam(w, lr=1e-3)),
        "Adam(lr: 0.1, beta1: 0.5, beta2: 0.9, eps: 0.01)": path(
            lambda w: optim.Adam(w, lr=0.1, betas=(0.5, 0.9), eps=0.01)
        ),
        "AdamW(lr: 1e-3)": path(lambda w: optim.AdamW(w, lr=1e-3)),
        "AdamW(lr: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.AdamW(w, lr=0.1, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3)
        ),
    },
)

TARGET = torch.tensor([0.5, 0.5, -3.0, 1e-3])


def losses(make):
    """The losses of ten updates that minimise a distance."""
    w = START.clone().requires_grad_()
    optimizer = make([w])
    values = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = ((w - TARGET) ** 2).sum()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    return flat(torch.tensor(values))


write(
    "descents",
    {
        "start": flat(START),
        "target": flat(TARGET),
        "Sgd(lr: 0.05, momentum: 0.9)": losses(lambda w: optim.SGD(w, lr=0.05, momentum=0.9)),
        "Adam(lr: 0.1)": losses(lambda w: optim.Adam(w, lr=0.1)),
        "AdamW(lr: 0.1, weight_decay: 0.5)": losses(
            lambda w: optim.AdamW(w, lr=0.1, weight_decay=0.5)
        ),
    },
)

schedulers = optim.lr_scheduler


def warmup(optimizer):
    rise = schedulers.LambdaLR(optimizer, lambda update: update / 4)
    return schedulers.SequentialLR(
        optimizer, [rise, schedulers.CosineAnnealingLR(optimizer, 6)], milestones=[4]
    )


write(
    "schedules",
    {
        "cosine(0.3, 8 updates)": rates(lambda o: schedulers.CosineAnnealingLR(o, 8), 0.3, 9),
        "step_decay(0.3, 3 updates)": rates(lambda o: schedulers.StepLR(o, 3), 0.3, 9),
        "step_decay(0.3, 2 updates, factor: 0.5)": rates(lambda o: schedulers.StepLR(o, 2, 0.5), 0.3, 9),
        "warmup_cosine(0.3, 4 updates, 10 updates)": rates(warmup, 0.3, 10),
    },
)
