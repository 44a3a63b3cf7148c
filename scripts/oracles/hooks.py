"""
The hooks that PyTorch Lightning calls on a callback, in order, with each step where it runs. Alone of the oracles this
one needs `lightning` (2.6), which Debian does not have.
"""

import contextlib
import logging
import tempfile
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import Callback

from oracle import write

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

calls = []


class Line(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(1, 1)

    def loss(self, batch):
        return self.line(batch[0]).square().mean()

    def training_step(self, batch, index):
        calls.append("training_step")
        return self.loss(batch)

    def validation_step(self, batch, index):
        calls.append("validation_step")
        self.log("loss", self.loss(batch))

    def test_step(self, batch, index):
        calls.append("test_step")

    def predict_step(self, batch, index):
        calls.append("predict_step")
        return self.line(batch[0])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Broken(Line):
    def training_step(self, batch, index):
        calls.append("training_step")
        raise ValueError("broken")


def spy():
    names = [name for name in dir(Callback) if name.startswith("on_")] + ["setup", "teardown"]

    def noting(name):
        return lambda self, *args, **kwargs: calls.append(name)

    return type("Spy", (Callback,), {name: noting(name) for name in names})()


def data(examples):
    points = torch.utils.data.TensorDataset(torch.arange(float(examples)).unsqueeze(1))
    return torch.utils.data.DataLoader(points, batch_size=1)


def trainer(**options):
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    return lightning.Trainer(accelerator="cpu", callbacks=[spy()], **dict.fromkeys(quiet, False), **options)


def trace(run):
    calls.clear()
    with contextlib.suppress(ValueError):
        run()
    return list(calls)


torch.set_default_dtype(torch.float32)
module = Line()
usual = {"accumulate_grad_batches": 2, "num_sanity_val_steps": 1}
fit = trainer(max_epochs=1, **usual)
traces = {"fit": trace(lambda: fit.fit(module, data(3), data(1)))}
with tempfile.NamedTemporaryFile(suffix=".ckpt") as file:
    fit.save_checkpoint(file.name)
    longer = trainer(max_epochs=2, limit_val_batches=0, **usual)
    traces["resumed"] = trace(lambda: longer.fit(module, data(3), ckpt_path=file.name, weights_only=False))
traces["validate"] = trace(lambda: trainer().validate(module, data(1), verbose=False))
traces["test"] = trace(lambda: trainer().test(module, data(1), verbose=False))
traces["predict"] = trace(lambda: trainer().predict(module, data(1)))
traces["failing"] = trace(lambda: trainer(max_epochs=1).fit(Broken(), data(1)))
write("hooks", {"lightning": lightning.__version__, "callbacks": sorted(n for n in dir(Callback) if n.startswith("on_")), **traces})
