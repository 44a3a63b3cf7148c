"""The same training by PyTorch Lightning, as its documentation writes it: `fit.py MODEL FOLDER STEPS THREADS`."""

import logging
import warnings

import lightning as L
import torch
from torch.utils.data import DataLoader

from models import loss, models
from timing import Steps, arguments, device, sizes

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
model, folder, count, threads = arguments()
torch.set_num_threads(threads)
L.seed_everything(1, verbose=False)
net, data, size = models[model](folder, **sizes())
steps = Steps()


class Module(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = net

    def training_step(self, batch, _index):
        x, y = batch
        value = loss(self.net(x), y)
        self.log("loss", value)
        return value

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


class Marks(L.Callback):
    def on_train_batch_end(self, _trainer, _module, outputs, _batch, _index):
        steps.end(outputs["loss"].item())


trainer = L.Trainer(
    accelerator="cpu" if device() == "cpu" else "gpu",
    devices=1,
    max_steps=count,
    max_epochs=-1,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    callbacks=[Marks()],
)
trainer.fit(Module(), DataLoader(data, batch_size=size, shuffle=True, drop_last=True))
steps.report()
