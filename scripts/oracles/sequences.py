"""Attention, transformers, positions and recurrent layers: values and gradients by PyTorch."""

import math

import torch
import torch.nn.functional as F
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from oracle import case, write

lengths = torch.tensor([4, 2])
mask = (torch.arange(4) < lengths[:, None]).double()
x = torch.randn(2, 4, 4)
memory = torch.randn(2, 3, 4)
causal = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)


def padding(mask):
    """PyTorch's masks say what is left out."""
    return mask < 0.5


def module(made, call, **inputs):
    """A module with random parameters: its inputs, then its parameters in PyTorch's order."""
    parameters = {name: torch.randn_like(value) * 0.5 for name, value in made.named_parameters()}

    def function(*leaves):
        given = dict(zip(parameters, leaves[len(inputs) :]))
        called = {f"made.{name}": value for name, value in given.items()}
        return functional_call(Called(made, call), called, leaves[: len(inputs)])

    return case(function, **inputs, **parameters)


class Called(torch.nn.Module):
    """A call that is more than `forward`, as a module, for `functional_call`."""

    def __init__(self, made, call):
        super().__init__()
        self.made = made
        self.call = call

    def forward(self, *inputs):
        return self.call(self.made, *inputs)


def attention(**options):
    return torch.nn.MultiheadAttention(4, 2, batch_first=True, **options)


def attend(made, q, k, mask=None, attn_mask=None):
    given = None if mask is None else padding(mask)
    return made(q, k, k, key_padding_mask=given, attn_mask=attn_mask, need_weights=False)[0]


def layer(kind, **options):
    return kind(4, 2, dim_feedforward=3, dropout=0.0, batch_first=True, **options)


def rotary(x):
    """As in Hugging Face's models of the form of GPT-NeoX."""
    d = x.shape[-1]
    rate = 1.0 / (10000.0 ** (torch.arange(0, d, 2).double() / d))
    angle = torch.outer(torch.arange(x.shape[-2]).double(), rate)
    angle = torch.cat([angle, angle], dim=-1)
    turned = torch.cat([-x[..., d // 2 :], x[..., : d // 2]], dim=-1)
    return x * angle.cos() + turned * angle.sin()


def sinusoidal(x):
    """As in PyTorch's tutorial of translation with transformers."""
    t, d = x.shape
    rate = torch.exp(-torch.arange(0, d, 2).double() * math.log(10000) / d)
    angle = torch.arange(t).double().reshape(t, 1)
    table = torch.zeros(t, d)
    table[:, 0::2] = torch.sin(angle * rate)
    table[:, 1::2] = torch.cos(angle * rate)
    return x + table


q, k, v = torch.randn(2, 2, 3, 4), torch.randn(2, 2, 5, 4), torch.randn(2, 2, 5, 2)
square = torch.randn(2, 4, 4)
data = {
    "attention": case(F.scaled_dot_product_attention, q=q, k=k, v=v),
    "attention causal": case(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        q=square,
        k=square.flip(0),
        v=square + 1,
    ),
    "multi-head": module(attention(), lambda m, x: attend(m, x, x), x=x),
    "multi-head bare": module(attention(bias=False), lambda m, x: attend(m, x, x), x=x),
    "multi-head causal": module(
        attention(), lambda m, x, mask: attend(m, x, x, mask, causal), x=x, mask=mask
    ),
    "multi-head across": module(
        attention(),
        lambda m, x, memory, mask: attend(m, x, memory, mask),
        x=x,
        memory=memory,
        mask=mask[:, 1:],
    ),
    "encoder layer": module(
        layer(torch.nn.TransformerEncoderLayer),
        lambda m, x, mask: m(x, src_key_padding_mask=padding(mask)),
        x=x,
        mask=mask,
    ),
    "encoder": module(
        torch.nn.TransformerEncoder(
            layer(torch.nn.TransformerEncoderLayer, norm_first=True, activation="gelu"),
            2,
            norm=torch.nn.LayerNorm(4),
            enable_nested_tensor=False,
        ),
        lambda m, x: m(x, mask=causal),
        x=x,
    ),
    "decoder layer": module(
        layer(torch.nn.TransformerDecoderLayer),
        lambda m, x, memory, mask: m(x, memory, tgt_mask=causal, memory_key_padding_mask=padding(mask)),
        x=x,
        memory=memory,
        mask=mask[:, 1:],
    ),
    "decoder layer norm first": module(
        layer(torch.nn.TransformerDecoderLayer, norm_first=True),
        lambda m, x, memory: m(x, memory),
        x=x,
        memory=memory,
    ),
    "sinusoidal": case(sinusoidal, x=torch.zeros(5, 6)),
    "rotary": case(rotary, x=torch.randn(2, 3, 6)),
}


def packed(made, x):
    all, state = made(pack_padded_sequence(x, lengths, batch_first=True))
    return pad_packed_sequence(all, batch_first=True)[0], state


def recurrent(kind, **options):
    return kind(3, 2, batch_first=True, **options)


signal = torch.randn(2, 4, 3)
state = {"x": torch.randn(2, 3), "h": torch.randn(2, 2), "c": torch.randn(2, 2)}
gated = {"x": state["x"], "h": state["h"]}
both = {"num_layers": 2, "bidirectional": True}
data |= {
    "lstm cell": module(torch.nn.LSTMCell(3, 2), lambda m, x, h, c: torch.cat(m(x, (h, c)), -1), **state),
    "gru cell": module(torch.nn.GRUCell(3, 2), lambda m, x, h: m(x, h), **gated),
    "gru cell bare": module(torch.nn.GRUCell(3, 2, bias=False), lambda m, x, h: m(x, h), **gated),
    "lstm": module(recurrent(torch.nn.LSTM), lambda m, x: m(x)[0], x=signal),
    "lstm bare": module(recurrent(torch.nn.LSTM, bias=False), lambda m, x: m(x)[0], x=signal),
    "lstm masked": module(
        recurrent(torch.nn.LSTM, **both), lambda m, x, mask: packed(m, x)[0], x=signal, mask=mask
    ),
    "lstm states": module(
        recurrent(torch.nn.LSTM, **both), lambda m, x, mask: torch.cat(packed(m, x)[1], -1), x=signal, mask=mask
    ),
    "gru": module(recurrent(torch.nn.GRU), lambda m, x: m(x)[0], x=signal),
    "gru masked": module(
        recurrent(torch.nn.GRU, **both), lambda m, x, mask: packed(m, x)[0], x=signal, mask=mask
    ),
    "gru states": module(
        recurrent(torch.nn.GRU, **both), lambda m, x, mask: packed(m, x)[1], x=signal, mask=mask
    ),
}

write("sequences", data)
