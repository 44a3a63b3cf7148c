"""When training steps end, and what the process comes to; the lines that bench/training.ts reads."""

import json
import os
import re
import sys
import time
from pathlib import Path


class Steps:
    """Marks the end of each step. The first is told at once, for whoever waits for it."""

    def __init__(self):
        self.ends = []
        self.losses = []

    def end(self, loss):
        self.ends.append(time.perf_counter())
        if len(self.ends) == 1:
            print("first step", flush=True)
        self.losses.append(loss)

    def report(self, **more):
        """Milliseconds from the end of each step to the end of the next, and every step's loss."""
        ms = [round((b - a) * 1000, 4) for a, b in zip(self.ends, self.ends[1:])]
        print(json.dumps({"ms": ms, "losses": [round(loss, 5) for loss in self.losses], **memory(), **more}))


def memory():
    """The peak of resident memory in MB, where the system tells it."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return {} if found is None else {"peak_mb": int(found[1]) / 1024}


def device():
    """What computes: the processor, or what `LTM_DEVICE` names."""
    return os.environ.get("LTM_DEVICE", "cpu")


def sizes():
    """Sizes of a model in the place of its own, by the names of the hypers of bench/programs."""
    return json.loads(os.environ.get("LTM_SIZES", "{}"))


def arguments():
    """`MODEL FOLDER STEPS THREADS`."""
    _, model, folder, steps, threads = sys.argv
    return model, Path(folder), int(steps), int(threads)
