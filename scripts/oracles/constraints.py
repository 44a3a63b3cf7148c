"""The maps of constraints by PyTorch and SciPy where they have the same one, else by their formulas; determinants by autograd."""

import scipy.linalg
import torch
from torch.distributions import transforms
from torch.nn.functional import softplus

from oracle import flat, write


def triangle(raw, size, diagonal):
    """A square matrix with the numbers row by row, up to a diagonal."""
    rows, columns = torch.tril_indices(size, size, diagonal)
    return torch.zeros(size, size).index_put((rows, columns), raw)


def cholesky_cov(raw):
    lower = triangle(raw, 3, 0)
    return lower.tril(-1) + torch.diag(softplus(lower.diagonal()))


def cholesky_corr(raw):
    return transforms.CorrCholeskyTransform()(raw)


def gaps(raw):
    return torch.cat([raw[:1], softplus(raw[1:])]).cumsum(0)


def zero_sum(raw):
    return raw @ torch.from_numpy(scipy.linalg.helmert(len(raw) + 1))


def l1_ball(raw):
    t = torch.tanh(raw)
    left = torch.cumprod(1 - t.abs(), 0)
    return t * torch.cat([torch.ones(1), left[:-1]])


def orthogonal(raw):
    rows, columns = torch.tril_indices(4, 2, -1)
    vectors = torch.eye(4, 2).index_put((rows, columns), raw)
    return -torch.linalg.householder_product(vectors, 2 / (vectors**2).sum(0))


def weight_norm(raw):
    lengths, directions = raw[:, :1], raw[:, 1:] + torch.tensor([1.0, 0, 0])
    return torch._weight_norm(directions, lengths, 0)


def interval(raw):
    parts = [transforms.SigmoidTransform(), transforms.AffineTransform(-2.0, 5.0)]
    return transforms.ComposeTransform(parts)(raw)


LOWER = [0, 3, 4, 6, 7, 8]
BELOW = [3, 6, 7]

# Map, size of the raw tensor, and the free coordinates of the value where the map has a determinant.
MAPS = {
    "positive": (softplus, [3], range(3)),
    "lower(-2.5)": (lambda raw: softplus(raw) - 2.5, [3], range(3)),
    "upper(3)": (lambda raw: 3 - softplus(raw), [3], range(3)),
    "interval(-2, 3)": (interval, [3], range(3)),
    "offset_scale(-3, 0.25)": (transforms.AffineTransform(-3.0, 0.25), [3], range(3)),
    "ordered": (gaps, [4], range(4)),
    "positive_ordered": (lambda raw: softplus(raw).cumsum(0), [4], range(4)),
    "sum_to_zero": (zero_sum, [4], range(4)),
    "simplex": (lambda raw: torch.softmax(zero_sum(raw), 0), [4], range(4)),
    "unit_vector": (lambda raw: torch.nn.functional.normalize(raw + torch.eye(4)[0], dim=0), [4], None),
    "l2_ball(2.5)": (lambda raw: 2.5 * raw / torch.sqrt(1 + raw @ raw), [3], range(3)),
    "l1_ball(2.5)": (lambda raw: 2.5 * l1_ball(raw), [3], range(3)),
    "cholesky_corr": (cholesky_corr, [3], BELOW),
    "corr_matrix": (lambda raw: cholesky_corr(raw) @ cholesky_corr(raw).T, [3], BELOW),
    "cholesky_cov": (cholesky_cov, [6], LOWER),
    "cov_matrix": (lambda raw: cholesky_cov(raw) @ cholesky_cov(raw).T, [6], LOWER),
    "symmetric": (lambda raw: triangle(raw, 3, 0) + triangle(raw, 3, 0).tril(-1).T, [6], LOWER),
    "skew_symmetric": (lambda raw: triangle(raw, 3, -1) - triangle(raw, 3, -1).T, [3], BELOW),
    "lower_triangular": (lambda raw: triangle(raw, 3, 0), [6], LOWER),
    "orthogonal": (orthogonal, [5], None),
    "weight_norm": (weight_norm, [2, 4], None),
}


def log_det(function, raw, free):
    jacobian = torch.autograd.functional.jacobian(lambda given: function(given).flatten(), raw)
    return flat(torch.linalg.slogdet(jacobian[list(free)]).logabsdet)[0]


def entry(function, size, free):
    raw = 1.5 * torch.randn(size)
    value = function(raw)
    found = {"shape": list(value.shape), "raw": flat(raw), "value": flat(value)}
    return found if free is None else {**found, "log_det": log_det(function, raw, free)}


write("constraints", {text: entry(*parts) for text, parts in MAPS.items()})
