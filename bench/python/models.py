"""The models and the data of bench/programs in PyTorch: the same layers, batches and optimizers."""

import csv
import gzip
import math
import struct

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import TensorDataset


def idx(path):
    """An array of bytes in the format of MNIST."""
    with gzip.open(path) as file:
        data = file.read()
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    return torch.frombuffer(bytearray(data[4 + 4 * rank :]), dtype=torch.uint8).reshape(shape)


def handwriting(folder):
    images = idx(folder / "images.gz").float() / 255
    return images, idx(folder / "labels.gz").long()


class ConvNet(nn.Module):
    def __init__(self, channels=32):
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.head = nn.Linear(2 * channels * 7 * 7, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return self.head(x.flatten(1))


class Block(nn.Module):
    """Pre-norm attention and perceptron; attention is PyTorch's own, which is its fastest."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, width)

    def forward(self, x):
        n, t, d = x.shape
        qkv = self.project(self.norm1(x)).view(n, t, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(n, t, d))
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


class Writer(nn.Module):
    def __init__(self, symbols=256, length=64, width=128, depth=4, heads=4):
        super().__init__()
        self.embed = nn.Embedding(symbols, width)
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        self.body = nn.Sequential(*[Block(width, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, symbols)

    def forward(self, text):
        return self.head(self.norm(self.body(self.embed(text) + self.place[: text.shape[1]])))


def plays(folder):
    """Windows of 64 characters, and the characters that follow each."""
    text = (folder / "plays.txt").read_text()
    number = {symbol: i for i, symbol in enumerate(sorted(set(text)))}
    tokens = torch.tensor([number[symbol] for symbol in text])
    count = (len(tokens) - 1) // 64
    return tokens[: count * 64].reshape(count, 64), tokens[1 : count * 64 + 1].reshape(count, 64)


def mlp(folder, width=128, batch_size=32):
    images, labels = handwriting(folder)
    net = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))
    return net, TensorDataset(images.flatten(1), labels), batch_size


def conv(folder, batch_size=64, **sizes):
    images, labels = handwriting(folder)
    return ConvNet(**sizes), TensorDataset(images[:, None], labels), batch_size


def transformer(folder, batch_size=16, **sizes):
    return Writer(**sizes), TensorDataset(*plays(folder)), batch_size


class DigitNet(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.third = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4 * channels * 2 * 2, 10)

    def forward(self, x):
        x = F.relu(self.first(x))
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        x = F.max_pool2d(F.relu(self.third(x)), 2)
        return self.head(self.drop(x.flatten(1)))


def digits(folder):
    """Training, validation and test splits of 0.8, 0.1 and 0.1."""
    with gzip.open(folder / "digits.csv.gz", "rt") as file:
        table = torch.tensor([[float(cell) for cell in row] for row in csv.reader(file)])
    table = table[torch.randperm(len(table))]
    images, labels = table[:, :64].reshape(-1, 1, 8, 8) / 16, table[:, 64].long()
    ends = [0, math.floor(0.8 * len(table)), math.floor(0.9 * len(table)), len(table)]
    return [TensorDataset(images[a:b], labels[a:b]) for a, b in zip(ends, ends[1:])]


def loss(logits, target):
    return F.cross_entropy(logits.flatten(0, -2), target.flatten())


models = {"mlp": mlp, "conv": conv, "transformer": transformer}
