"""Metrics by torchmetrics. A whole weight counts an example as often as it says, which is what it means."""

import torch
import torchmetrics.classification as C
import torchmetrics.regression as R
from torchmetrics.text import Perplexity

from oracle import flat, write

classes = 4
logits = torch.randn(24, classes) * 2
label = torch.cat([torch.arange(classes), torch.randint(classes, (20,))])
# Predicted rightly more often than by chance.
logits[torch.arange(24), label] += 1.5
weight = torch.randint(4, (24,))
# Far from the bins of the thresholds, whatever sigmoid is used.
score = torch.randn(24) + (label % 2) * 1.2 - 0.6
# Exact in 32 bits.
target = torch.round(64 * (torch.randn(24) * 3 + 100)) / 64
prediction = target + torch.round(64 * torch.randn(24)) / 64


def counted(values, weighted):
    return values.repeat_interleave(weight, dim=0) if weighted else values


def both(metric, *inputs):
    return {
        "plain": flat(metric(*inputs)),
        "weighted": flat(metric(*(counted(value, True) for value in inputs))),
    }


def of(kind, *arguments, **options):
    """A metric of torchmetrics as a function; labels are whole numbers."""
    return lambda *inputs: kind(*arguments, **options)(*inputs)


macro = {"num_classes": classes, "average": "macro"}
positive = label % 2
metrics = {
    "Accuracy(4)": both(of(C.MulticlassAccuracy, classes, average="micro"), logits, label),
    "Accuracy(4, top: 2)": both(of(C.MulticlassAccuracy, classes, top_k=2, average="micro"), logits, label),
    "Precision(4)": both(of(C.MulticlassPrecision, **macro), logits, label),
    "Recall(4)": both(of(C.MulticlassRecall, **macro), logits, label),
    "F1(4)": both(of(C.MulticlassF1Score, **macro), logits, label),
    "Jaccard(4)": both(of(C.MulticlassJaccardIndex, **macro), logits, label),
    "ConfusionMatrix(4)": both(of(C.MulticlassConfusionMatrix, classes), logits, label),
    "Perplexity()": both(lambda x, y: Perplexity()(x[None], y[None]), logits, label),
    "BinaryAccuracy()": both(lambda x, y: C.BinaryAccuracy()(x.sigmoid(), y), score, positive),
    "BinaryScores()": both(
        lambda x, y: torch.stack(
            [kind()(x.sigmoid(), y) for kind in (C.BinaryPrecision, C.BinaryRecall, C.BinaryF1Score)]
        ),
        score,
        positive,
    ),
    "Ranking(bins: 11)": both(
        lambda x, y: torch.stack(
            [kind(thresholds=11)(x.sigmoid(), y) for kind in (C.BinaryAUROC, C.BinaryAveragePrecision)]
        ),
        score,
        positive,
    ),
    "MeanSquaredError()": both(of(R.MeanSquaredError), prediction, target),
    "RootMeanSquaredError()": both(of(R.MeanSquaredError, squared=False), prediction, target),
    "MeanAbsoluteError()": both(of(R.MeanAbsoluteError), prediction, target),
    "R2()": both(of(R.R2Score), prediction, target),
}

write(
    "metrics",
    {
        "inputs": {
            "logits": flat(logits),
            "label": flat(label),
            "score": flat(score),
            "positive": flat(positive),
            "prediction": flat(prediction),
            "target": flat(target),
            "weight": flat(weight),
        },
        **metrics,
    },
)
