"""Multiply-adds of the models of test/summary.test.ts as PyTorch counts them: two operations each."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu, max_pool2d, relu
from torch.utils.flop_counter import FlopCounterMode

from oracle import write


class ConvNet(nn.Module):
    """examples/digits."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 32, 3, padding=1)
        self.third = nn.Conv2d(32, 64, 3, padding=1)
        self.head = nn.Linear(256, 10)

    def forward(self, x):
        x = max_pool2d(relu(self.second(relu(self.first(x)))), 2)
        return self.head(max_pool2d(relu(self.third(x)), 2).flatten(1))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attention(self, x):
        n, t, width = x.shape
        q, k, v = (
            layer(x).reshape(n, t, self.heads, -1).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        seen = torch.softmax(q @ k.transpose(-1, -2) / (width / self.heads) ** 0.5, -1)
        return self.out((seen @ v).transpose(1, 2).reshape(n, t, width))

    def forward(self, x):
        h = x + self.attention(self.norm1(x))
        return h + self.down(gelu(self.up(self.norm2(h))))


class Transformer(nn.Module):
    """test/cases/summary/transformer."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(64, 32)
        self.blocks = nn.Sequential(Block(32, 4), Block(32, 4))
        self.head = nn.Linear(32, 64)

    def forward(self, ids):
        return self.head(self.blocks(self.embed(ids)))


def counted(model, x, target):
    with FlopCounterMode(display=False) as forward:
        loss = cross_entropy(model(x).flatten(0, -2), target)
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "forward": forward.get_total_flops() // 2,
        "backward": backward.get_total_flops() // 2,
    }


ids = torch.randint(0, 64, (8, 20))
write(
    "multiply-adds",
    {
        "convolutions": counted(ConvNet(), torch.randn(32, 1, 8, 8), torch.randint(0, 10, (32,))),
        "transformer": counted(Transformer(), ids, ids.flatten()),
    },
)
