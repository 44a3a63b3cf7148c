"""The run of bench/programs/digits.ltm by PyTorch Lightning, end to end: `digits.py digits FOLDER EPOCHS THREADS`."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchmetrics.classification import MulticlassAccuracy

from models import DigitNet, digits
from timing import arguments, memory

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
_, folder, epochs, threads = arguments()
torch.set_num_threads(threads)
L.seed_everything(1, verbose=False)
train, val, test = digits(folder)


class Classifier(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = DigitNet()
        self.accuracies = torch.nn.ModuleDict(
            {f"{phase}_accuracy": MulticlassAccuracy(10, average="micro") for phase in ("train", "val", "test")}
        )

    def judge(self, batch, phase):
        x, y = batch
        logits = self.net(x)
        value = F.cross_entropy(logits, y)
        accuracy = self.accuracies[f"{phase}_accuracy"]
        accuracy(logits, y)
        self.log(f"{phase}_loss", value, on_step=False, on_epoch=True)
        self.log(f"{phase}_accuracy", accuracy, on_step=False, on_epoch=True)
        return value

    def training_step(self, batch, _index):
        return self.judge(batch, "train")

    def validation_step(self, batch, _index):
        self.judge(batch, "val")

    def test_step(self, batch, _index):
        self.judge(batch, "test")

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=3e-3, weight_decay=0.01)
        steps = self.trainer.estimated_stepping_batches
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


trainer = L.Trainer(
    accelerator="cpu",
    max_epochs=epochs,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    num_sanity_val_steps=0,
)
module = Classifier()
trainer.fit(module, DataLoader(train, batch_size=32, shuffle=True), DataLoader(val, batch_size=32))
results = trainer.test(module, DataLoader(test, batch_size=32), verbose=False)
print({**results[0], **memory()})
