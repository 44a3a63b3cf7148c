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


def published(update):
    """What a paper says, where PyTorch has it not: `update` takes parameter, gradient, state and count."""
    w, state, values = START.clone(), {}, []
    for t, gradient in enumerate(GRADIENTS, start=1):
        w = update(w, gradient, state, t)
        values.append(flat(w))
    return values


def lion(w, g, state, t, lr=0.1, beta1=0.8, beta2=0.95, decay=0.3):
    """Chen et al. 2023, algorithm 2."""
    m = state.get("m", torch.zeros_like(w))
    c = beta1 * m + (1 - beta1) * g
    state["m"] = beta2 * m + (1 - beta2) * g
    return w - lr * (torch.sign(c) + decay * w)


def lars(w, g, state, t, lr=0.5, momentum=0.8, trust=0.1, decay=0.2):
    """You et al. 2017, algorithm 1."""
    local = trust * w.norm() / (g.norm() + decay * w.norm())
    state["v"] = momentum * state.get("v", torch.zeros_like(w)) + lr * local * (g + decay * w)
    return w - state["v"]


def lamb(w, g, state, t, lr=0.1, beta1=0.8, beta2=0.95, eps=1e-4, decay=0.3):
    """You et al. 2020, algorithm 2, with the identity for its function of the norm."""
    state["m"] = beta1 * state.get("m", torch.zeros_like(w)) + (1 - beta1) * g
    state["v"] = beta2 * state.get("v", torch.zeros_like(w)) + (1 - beta2) * g**2
    m, v = state["m"] / (1 - beta1**t), state["v"] / (1 - beta2**t)
    r = m / (v.sqrt() + eps) + decay * w
    return w - lr * w.norm() / r.norm() * r


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
        "Sgd(lr: 0.05, momentum: 0.8, weight_decay: 0.1, nesterov: true)": path(
            lambda w: optim.SGD(w, lr=0.05, momentum=0.8, weight_decay=0.1, nesterov=True)
        ),
        "Adam(lr: 1e-3)": path(lambda w: optim.Adam(w, lr=1e-3)),
        "Adam(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.Adam(w, lr=0.1, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.3)
        ),
        "Adam(lr: 0.1, beta1: 0.5, beta2: 0.9, eps: 0.01)": path(
            lambda w: optim.Adam(w, lr=0.1, betas=(0.5, 0.9), eps=0.01)
        ),
        "AdamW(lr: 1e-3)": path(lambda w: optim.AdamW(w, lr=1e-3)),
        "AdamW(lr: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.AdamW(w, lr=0.1, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3)
        ),
        "Amsgrad(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4)": path(
            lambda w: optim.Adam(w, lr=0.1, betas=(0.8, 0.9), eps=1e-4, amsgrad=True)
        ),
        "Amsgrad(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.Adam(
                w, lr=0.1, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.3, amsgrad=True
            )
        ),
        "Adamax()": path(lambda w: optim.Adamax(w)),
        "Adamax(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4)": path(
            lambda w: optim.Adamax(w, lr=0.1, betas=(0.8, 0.9), eps=1e-4)
        ),
        "Adamax(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.Adamax(w, lr=0.1, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.3)
        ),
        "Nadam()": path(lambda w: optim.NAdam(w)),
        "Nadam(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4, momentum_decay: 0.1)": path(
            lambda w: optim.NAdam(w, lr=0.1, betas=(0.8, 0.9), eps=1e-4, momentum_decay=0.1)
        ),
        "Nadam(lr: 0.1, beta1: 0.8, beta2: 0.9, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.NAdam(w, lr=0.1, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.3)
        ),
        "Radam()": path(lambda w: optim.RAdam(w)),
        "Radam(lr: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-4)": path(
            lambda w: optim.RAdam(w, lr=0.1, betas=(0.8, 0.95), eps=1e-4)
        ),
        "Radam(lr: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-4, weight_decay: 0.3)": path(
            lambda w: optim.RAdam(w, lr=0.1, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3)
        ),
        "Rprop()": path(lambda w: optim.Rprop(w)),
        "Rprop(lr: 0.5, shrink: 0.7, grow: 1.5, least: 0.4, most: 0.8)": path(
            lambda w: optim.Rprop(w, lr=0.5, etas=(0.7, 1.5), step_sizes=(0.4, 0.8))
        ),
        "Rmsprop()": path(lambda w: optim.RMSprop(w)),
        "Rmsprop(lr: 0.1, alpha: 0.8, eps: 1e-4, momentum: 0.7, centered: true, weight_decay: 0.1)": path(
            lambda w: optim.RMSprop(
                w, lr=0.1, alpha=0.8, eps=1e-4, momentum=0.7, centered=True, weight_decay=0.1
            )
        ),
        "Adagrad()": path(lambda w: optim.Adagrad(w)),
        "Adagrad(lr: 0.5, lr_decay: 0.1, eps: 1e-4, weight_decay: 0.1)": path(
            lambda w: optim.Adagrad(w, lr=0.5, lr_decay=0.1, eps=1e-4, weight_decay=0.1)
        ),
        "Adadelta()": path(lambda w: optim.Adadelta(w)),
        "Adadelta(lr: 2.0, rho: 0.7, eps: 1e-3, weight_decay: 0.1)": path(
            lambda w: optim.Adadelta(w, lr=2.0, rho=0.7, eps=1e-3, weight_decay=0.1)
        ),
        "Lion(lr: 0.1, beta1: 0.8, beta2: 0.95, weight_decay: 0.3)": published(lion),
        "Lars(lr: 0.5, momentum: 0.8, trust: 0.1, weight_decay: 0.2)": published(lars),
        "Lamb(lr: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-4, weight_decay: 0.3)": published(lamb),
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
        "cosine(0.3, 6 updates, least: 0.1)": rates(
            lambda o: schedulers.CosineAnnealingLR(o, 6, eta_min=0.1), 0.3, 7
        ),
        "cosine_restarts(0.3, 3 updates)": rates(
            lambda o: schedulers.CosineAnnealingWarmRestarts(o, 3), 0.3, 9
        ),
        "cosine_restarts(0.3, 2 updates, stretch: 2, least: 0.05)": rates(
            lambda o: schedulers.CosineAnnealingWarmRestarts(o, 2, T_mult=2, eta_min=0.05), 0.3, 32
        ),
        "cosine_restarts(0.3, 1 updates, stretch: 3)": rates(
            lambda o: schedulers.CosineAnnealingWarmRestarts(o, 1, T_mult=3), 0.3, 45
        ),
        "milestone_decay(0.3, [2 updates, 5 updates], factor: 0.5)": rates(
            lambda o: schedulers.MultiStepLR(o, [2, 5], 0.5), 0.3, 8
        ),
        "exponential_decay(0.3, 1 updates, factor: 0.9)": rates(
            lambda o: schedulers.ExponentialLR(o, 0.9), 0.3, 6
        ),
        "polynomial_decay(0.3, 5 updates)": rates(lambda o: schedulers.PolynomialLR(o, 5), 0.3, 8),
        "polynomial_decay(0.3, 5 updates, power: 2)": rates(
            lambda o: schedulers.PolynomialLR(o, 5, 2.0), 0.3, 8
        ),
        "linear_ramp(0.06, 0.24, 5 updates)": rates(
            lambda o: schedulers.LinearLR(o, 0.2, 0.8, 5), 0.3, 8
        ),
        "warmup_linear(0.3, 4 updates, 10 updates)": rates(
            lambda o: schedulers.LambdaLR(
                o, lambda update: update / 4 if update < 4 else max(1 - (update - 4) / 6, 0)
            ),
            0.3,
            12,
        ),
        "one_cycle(0.3, 20 updates)": rates(lambda o: schedulers.OneCycleLR(o, 0.3, 20), 0.3, 20),
        "one_cycle(0.3, 12 updates, rise: 0.5, divisor: 10, final_divisor: 100)": rates(
            lambda o: schedulers.OneCycleLR(
                o, 0.3, 12, pct_start=0.5, div_factor=10, final_div_factor=100
            ),
            0.3,
            12,
        ),
        "triangular(0.1, 0.3, 4 updates)": rates(
            lambda o: schedulers.CyclicLR(o, 0.1, 0.3, 4, cycle_momentum=False), 0.1, 18
        ),
        "warmup_cosine(0.3, 4 updates, 10 updates)": rates(warmup, 0.3, 10),
    },
)

VALUES = [1.0, 0.9, 0.95, 0.9, 0.899, 0.91, 0.92, 0.5, 0.4999, 0.6, 0.6, 0.6, 0.6, 0.3, 0.31, 0.31, 0.31, 0.31, 0.31, 0.31]
RISING = [0.1, 0.2, 0.2, 0.2004, 0.19, 0.3, 0.3001, 0.3, 0.3, 0.3, 0.3, 0.3]


def plateau(values, lr=0.1, **settings):
    """The rate after each value."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule = schedulers.ReduceLROnPlateau(optimizer, **settings)
    rates = []
    for value in values:
        schedule.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return [float(f"{rate:.12g}") for rate in rates]


# PyTorch's patience is one less: it counts the looks that are forgiven.
write(
    "plateaus",
    {
        "values": VALUES,
        "rising": RISING,
        "0.1 * plateau(min: train.v, factor: 0.5, patience: 3, min_share: 1e-4)": plateau(
            VALUES, factor=0.5, patience=2
        ),
        "0.1 * plateau(min: train.v, factor: 0.5, patience: 1, cooldown: 2, min_share: 1e-4)": plateau(
            VALUES, factor=0.5, patience=0, cooldown=2
        ),
        "0.1 * plateau(min: train.v, factor: 0.1, patience: 2, cooldown: 1)": plateau(
            VALUES, patience=1, cooldown=1, threshold=0
        ),
        "0.1 * plateau(min: train.v, factor: 0.5, patience: 2, min_delta: 0.05)": plateau(
            VALUES, factor=0.5, patience=1, threshold=0.05, threshold_mode="abs"
        ),
        "0.1 * plateau(min: train.v, factor: 0.5, patience: 1, eps: 0.1)": plateau(
            VALUES, factor=0.5, patience=0, threshold=0, eps=0.01
        ),
        "max(0.02, 0.1 * plateau(min: train.v, factor: 0.5, patience: 2, min_share: 0.1))": plateau(
            VALUES, factor=0.5, patience=1, threshold=0.1, min_lr=0.02
        ),
        "0.1 * plateau(max: train.v, factor: 0.5, patience: 2, cooldown: 1, min_share: 0.01)": plateau(
            RISING, mode="max", factor=0.5, patience=1, cooldown=1, threshold=0.01
        ),
    },
)
