"""What PyTorch makes of a checkpoint of the lab: logits, one training step, and the file written again.

Usage: torch_roundtrip.py MODEL FEATURE IMAGES STEPS IN.safetensors OUT.safetensors STEPPED.safetensors
FEATURE is plain or l2-normalised. Prints JSON: {"logits": ..., "ce": loss, "ntd": [loss before each step]}. OUT holds the weights as PyTorch saves
them, STEPPED those after STEPS SGD steps of not-true distillation from the loaded model.
"""
import copy
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import torch_models as tm  # noqa: E402

name, feature, count, steps, source, same, stepped = sys.argv[1:]
logits_of = {"plain": lambda model, x: model(x), "l2-normalised": tm.normalised_logits}[feature]
pixels, labels = tm.formula_images(int(count))
x, y = tm.normalise(pixels), torch.from_numpy(labels)
model = tm.build(name)
state = tm.read_safetensors(source)
assert sorted(state) == sorted(model.state_dict()), "names differ"
model.load_state_dict(state, strict=True)
model.eval()
with torch.no_grad():
    logits = logits_of(model, x)
tm.write_safetensors(same, model.state_dict())

teacher = copy.deepcopy(model)
model.train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9, weight_decay=1e-5)
losses = []
for _ in range(int(steps)):
    optimizer.zero_grad()
    loss = tm.not_true_distillation(logits_of(model, x), logits, y, 2.0, 1.0, True)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
tm.write_safetensors(stepped, model.state_dict())
print(json.dumps({"logits": logits.tolist(), "ce": F.cross_entropy(logits, y).item(), "ntd": losses}))
