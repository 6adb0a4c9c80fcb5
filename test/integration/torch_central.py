"""PyTorch's accuracy and loss of a checkpoint on the test images of the bundled sample.

Usage: torch_central.py MODEL FEATURE MEAN STD SAMPLE_FOLDER WEIGHTS.safetensors
FEATURE is plain or l2-normalised; MEAN and STD are three numbers with commas. Prints JSON: {"loss", "correct", "examples"}.
"""
import gzip
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import torch_models as tm  # noqa: E402

name, feature, mean, std, folder, weights = sys.argv[1:]


def idx(file, header):
    return np.frombuffer(gzip.open(pathlib.Path(folder) / file).read(), np.uint8, offset=header)


labels = torch.from_numpy(idx("t10k-labels-idx1-ubyte.gz", 8).astype(np.int64))
images = torch.from_numpy(idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28).copy())
mean, std = (torch.tensor([float(v) for v in text.split(",")]).view(1, 3, 1, 1) for text in (mean, std))
x = (F.pad(images, (2, 2, 2, 2)).float().div(255).expand(-1, 3, -1, -1) - mean) / std

model = tm.build(name)
model.load_state_dict(tm.read_safetensors(weights), strict=True)
model.eval()
with torch.no_grad():
    logits = model(x) if feature == "plain" else tm.normalised_logits(model, x)
correct = int((logits.argmax(1) == labels).sum())
print(json.dumps({"loss": F.cross_entropy(logits, labels).item(), "correct": correct, "examples": len(labels)}))
