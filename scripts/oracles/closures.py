"""Optimizers that evaluate the loss again: LBFGS by PyTorch, SAM and ASAM by their papers."""

import torch

from oracle import flat, write


def rosenbrock(w):
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


SCALES = torch.tensor([1.0, 10.0, 0.1, 3.0])
CENTRE = torch.tensor([0.5, -1.0, 2.0, 0.0])


def quadratic(w):
    return (SCALES * (w - CENTRE) ** 2).sum() + 0.5 * w[0] * w[1]


POINTS = torch.tensor(
    [[0.5, 1.0], [1.5, -0.5], [-1.0, 0.25], [2.0, 1.0], [-0.5, -1.5], [0.0, 0.75], [1.0, 2.0], [-2.0, 0.5]]
)
LABELS = torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0])


def logistic(w):
    """Two weights, then an offset; the penalty keeps the minimum finite."""
    logits = POINTS @ w[:2] + w[2]
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, LABELS) + 0.05 * (w[:2] ** 2).sum()


PROBLEMS = {
    "rosenbrock": (rosenbrock, [-1.5, 2.0]),
    "quadratic": (quadratic, [3.0, -2.0, 0.5, 1.0]),
    "logistic": (logistic, [0.1, -0.2, 0.3]),
}


def descend(problem, updates, step):
    """The loss before each update, and the parameters after it; `step` makes one."""
    loss_of, start = PROBLEMS[problem]
    w = torch.tensor(start)
    rows = []
    for t in range(updates):
        before = loss_of(w).item()
        w = step(w, loss_of, t)
        rows.append([before, *w.tolist()])
    return [flat(torch.tensor(row)) for row in rows]


def lbfgs(problem, updates, **settings):
    loss_of, start = PROBLEMS[problem]
    w = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], **{"history_size": 10, **settings})
    looks = 0

    def closure():
        nonlocal looks
        looks += 1
        optimizer.zero_grad()
        loss = loss_of(w)
        loss.backward()
        return loss

    rows = []
    for _ in range(updates):
        before = looks
        loss = optimizer.step(closure)
        rows.append([loss.item(), *w.tolist(), looks - before])
    return [flat(torch.tensor(row)) for row in rows]


def gradient(loss_of, w):
    w = w.clone().requires_grad_()
    return torch.autograd.grad(loss_of(w), w)[0]


def sam(rho, lr, momentum=0.0, decay=0.0, adaptive=False):
    """Foret et al. 2021, equation 2 and algorithm 1; adaptive: Kwon et al. 2021, equation 6, without their constant."""
    state = {}

    def step(w, loss_of, t):
        g = gradient(loss_of, w)
        scale = w.abs() if adaptive else torch.ones_like(w)
        away = rho * scale**2 * g / (scale * g).norm()
        sharp = gradient(loss_of, w + away) + decay * w
        state["v"] = momentum * state.get("v", torch.zeros_like(w)) + sharp
        return w - lr * state["v"]

    return step


write(
    "closures",
    {
        "rosenbrock Lbfgs(lr: 0.1)": lbfgs("rosenbrock", 3, lr=0.1),
        "rosenbrock Lbfgs(lr: 0.5, max_iter: 5, history: 3)": lbfgs(
            "rosenbrock", 5, lr=0.5, max_iter=5, history_size=3
        ),
        "rosenbrock Lbfgs(line_search: true)": lbfgs("rosenbrock", 3, line_search_fn="strong_wolfe"),
        "rosenbrock Lbfgs(lr: 0.01, max_iter: 4, history: 2, line_search: true)": lbfgs(
            "rosenbrock", 8, lr=0.01, max_iter=4, history_size=2, line_search_fn="strong_wolfe"
        ),
        "rosenbrock Lbfgs(lr: 30, max_eval: 9, line_search: true)": lbfgs(
            "rosenbrock", 6, lr=30, max_eval=9, line_search_fn="strong_wolfe"
        ),
        "quadratic Lbfgs(lr: 0.3, max_eval: 4)": lbfgs("quadratic", 6, lr=0.3, max_eval=4),
        "quadratic Lbfgs(line_search: true)": lbfgs("quadratic", 2, line_search_fn="strong_wolfe"),
        "quadratic Lbfgs(tolerance_grad: 0.5, line_search: true)": lbfgs(
            "quadratic", 3, tolerance_grad=0.5, line_search_fn="strong_wolfe"
        ),
        "quadratic Lbfgs(lr: 0.5, tolerance_change: 0.05)": lbfgs("quadratic", 4, lr=0.5, tolerance_change=0.05),
        "logistic Lbfgs(max_iter: 3)": lbfgs("logistic", 4, max_iter=3),
        "logistic Lbfgs(line_search: true)": lbfgs("logistic", 2, line_search_fn="strong_wolfe"),
        "rosenbrock Sam(lr: 1e-3)": descend("rosenbrock", 6, sam(0.05, 1e-3)),
        "quadratic Sam(lr: 0.02, rho: 0.2, momentum: 0.9)": descend("quadratic", 6, sam(0.2, 0.02, momentum=0.9)),
        "logistic Sam(lr: 0.5, rho: 0.1, weight_decay: 0.01)": descend(
            "logistic", 5, sam(0.1, 0.5, decay=0.01)
        ),
        "logistic Sam(lr: 0.5, rho: 0.5, momentum: 0.5, adaptive: true)": descend(
            "logistic", 5, sam(0.5, 0.5, momentum=0.5, adaptive=True)
        ),
    },
)
