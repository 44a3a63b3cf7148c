"""What the oracles share. They run on Debian's python3-torch and python3-scipy, in float64, and write test/data/*.json."""

import json
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)

DATA = Path(__file__).resolve().parents[2] / "test" / "data"


def flat(tensor):
    """All elements, row by row, with 12 digits."""
    return [float(f"{value:.12g}") for value in torch.as_tensor(tensor).double().flatten().tolist()]


def case(function, **inputs):
    """A function's value, and the gradient of its product with fixed weights, for each input."""
    leaves = {name: value.clone().requires_grad_() for name, value in inputs.items()}
    value = function(*leaves.values())
    by = torch.cos(torch.arange(value.numel()).double() + 1).reshape(value.shape)
    (value * by).sum().backward()
    return {
        "shapes": {name: list(leaf.shape) for name, leaf in leaves.items()},
        "inputs": {name: flat(leaf.detach()) for name, leaf in leaves.items()},
        "shape": list(value.shape),
        "value": flat(value.detach()),
        "by": flat(by),
        "gradients": {
            name: flat(torch.zeros_like(leaf) if leaf.grad is None else leaf.grad)
            for name, leaf in leaves.items()
        },
    }


def write(name, data):
    """One entry a line; `npx biome format --write test/data` then lays it out as the rest."""
    DATA.mkdir(parents=True, exist_ok=True)
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in data.items()]
    (DATA / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
