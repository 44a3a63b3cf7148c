"""Functions, losses and layers: values and gradients by PyTorch."""

import torch
import torch.nn.functional as F

from oracle import case, write

x = torch.tensor([-90.0, -20, -4, -1.5, -0.3, 0, 1e-6, 0.7, 2, 8, 20, 90])
# Exact in 32 bits, since logit magnifies what rounding does to its argument.
inside = torch.tensor([2.0**-20, 0.125, 0.25, 0.5, 0.8125, 1 - 2.0**-10])
above = torch.tensor([1e-6, 0.01, 0.5, 1, 3, 15, 90])
grid = torch.randn(3, 4)
logits = torch.tensor([[0.3, -1.2, 2.0], [90, -90, 0], [-5, -5, -5], [0.1, 0.2, 90]])
labels = torch.tensor([2, 1, 0, 2])
y = torch.tensor([0.0, 1, 0.3, 1, 0, 0.5, 1, 0, 1, 0.2, 1, 0])


def cross_entropy(smoothing=0.0):
    return lambda logits, label: F.cross_entropy(
        logits, label.long(), reduction="none", label_smoothing=smoothing
    )


functions = {
    "softplus": case(lambda x: F.softplus(x, threshold=1e9), x=x),
    "softplus_inverse": case(lambda x: x + torch.log(-torch.expm1(-x)), x=above),
    "logit": case(torch.logit, x=inside),
    "sigmoid": case(torch.sigmoid, x=x),
    "gelu": case(F.gelu, x=x),
    "leaky_relu": case(lambda x: F.leaky_relu(x, 0.01), x=x),
    "leaky_relu 0.2": case(lambda x: F.leaky_relu(x, 0.2), x=x),
    "silu": case(F.silu, x=x),
    "clamp": case(lambda x: torch.clamp(x, -1.0, 2.5), x=x),
    "flatten": case(lambda x: torch.flatten(x, 1), x=torch.randn(2, 3, 2, 2)),
    "variance": case(lambda x: torch.var(x, dim=1, unbiased=False), x=grid),
    "variance 0": case(lambda x: torch.var(x, dim=0, unbiased=False), x=grid),
    "std": case(lambda x: torch.std(x, dim=-1, unbiased=False), x=grid),
    "dot": case(lambda x, y: (x * y).sum(-1), x=torch.randn(2, 3), y=torch.randn(2, 3)),
    "norm": case(lambda x: torch.linalg.vector_norm(x, dim=-1), x=torch.tensor([[3.0, -4], [0, 0]])),
    "norm 0": case(lambda x: torch.linalg.vector_norm(x, dim=0), x=grid),
    "entropy": case(
        lambda p: torch.special.entr(p).sum(-1),
        p=torch.tensor([[0.5, 0.25, 0.25], [2.0**-20, 0.75, 0.25]]),
    ),
    "normal_log_prob": case(
        lambda x, m, d: torch.distributions.Normal(m, d).log_prob(x),
        x=torch.randn(2, 3),
        m=torch.randn(3),
        d=torch.rand(3) + 0.2,
    ),
}

losses = {
    "mse": case(
        lambda p, t: F.mse_loss(p, t, reduction="none"), p=torch.randn(2, 3), t=torch.randn(2, 3)
    ),
    "cross_entropy": case(cross_entropy(), logits=logits, label=labels.double()),
    "cross_entropy smoothed": case(cross_entropy(0.1), logits=logits, label=labels.double()),
    "cross_entropy uniform": case(cross_entropy(1.0), logits=logits, label=labels.double()),
    "cross_entropy one class": case(
        cross_entropy(0.1), logits=torch.tensor([[3.0], [-90.0]]), label=torch.zeros(2)
    ),
    "cross_entropy batched": case(
        lambda logits, label: F.cross_entropy(
            logits.permute(0, 2, 1), label.long(), reduction="none", label_smoothing=0.2
        ),
        logits=torch.randn(2, 2, 3),
        label=torch.tensor([[0.0, 2], [1, 1]]),
    ),
    "bce": case(
        lambda l, t: F.binary_cross_entropy_with_logits(l, t, reduction="none"), l=x, t=y
    ),
}


def conv(stride, padding):
    return lambda x, w, b: F.conv2d(x, w, b, stride=stride, padding=padding)


def image(*shape):
    return torch.randn(*shape)


layers = {
    "linear": case(F.linear, x=torch.randn(2, 3), weight=torch.randn(4, 3), bias=torch.randn(4)),
    "linear bare": case(F.linear, x=torch.randn(1, 3), weight=torch.randn(2, 3)),
    "linear batched": case(
        F.linear, x=torch.randn(2, 2, 3), weight=torch.randn(1, 3), bias=torch.randn(1)
    ),
    "mlp": case(
        lambda x, w0, b0, w1, b1: F.linear(F.relu(F.linear(x, w0, b0)), w1, b1),
        x=torch.randn(2, 3),
        w0=torch.randn(4, 3),
        b0=torch.randn(4),
        w1=torch.randn(2, 4),
        b1=torch.randn(2),
    ),
    "mlp without hidden layers": case(
        F.linear, x=torch.randn(1, 4), w0=torch.randn(2, 4), b0=torch.randn(2)
    ),
}

layers["embedding"] = case(
    lambda ids, table: F.embedding(ids.long(), table),
    ids=torch.tensor([[0.0, 2, 2], [1, 0, 2]]),
    table=torch.randn(3, 2),
)
for name, x in {
    "layer_norm": torch.randn(2, 4),
    "layer_norm batched": torch.randn(2, 2, 4) * 30 + 90,
    "layer_norm of equals": torch.ones(1, 4),
}.items():
    layers[name] = case(
        lambda x, w, b: F.layer_norm(x, [4], w, b), x=x, w=torch.randn(4), b=torch.randn(4)
    )

for stride, pad, kernel, size in [(1, 0, 3, 5), (1, 1, 3, 4), (2, 1, 3, 5), (2, 0, 2, 5), (3, 2, 3, 4), (1, 0, 1, 2)]:
    layers[f"conv2d {kernel} {stride} {pad} {size}"] = case(
        conv(stride, pad),
        x=image(2, 2, size, size + 1),
        w=torch.randn(3, 2, kernel, kernel),
        b=torch.randn(3),
    )

for stride, pad, kernel, size in [(2, 0, 2, 4), (1, 0, 2, 3), (2, 1, 3, 5), (3, 0, 2, 6), (1, 1, 3, 3), (2, 1, 2, 5)]:
    shape = (2, 2, size, size + 1)
    below = image(*shape) - 3  # a padding of zeros would win against these
    layers[f"max_pool {kernel} {stride} {pad} {size}"] = case(
        lambda x: F.max_pool2d(x, kernel, stride, pad), x=below
    )
    layers[f"avg_pool {kernel} {stride} {pad} {size}"] = case(
        lambda x: F.avg_pool2d(x, kernel, stride, pad, count_include_pad=True), x=below
    )

# PyTorch gives all of a tied window's gradient to its first element.
layers["max_pool ties"] = case(lambda x: F.max_pool2d(x, 2, 1), x=torch.tensor([[[[1.0, 1, 0], [1, 1, 0], [0, 0, 0]]]]))

write("functions", functions)
write("losses", losses)
write("layers", layers)
