"""What the device answers a Flower server: properties, parameters, fit, evaluate."""

import time
from typing import Dict, FrozenSet, List, Tuple

import flwr
import numpy as np
import torch
from flwr.common import (
    Code,
    EvaluateIns,
    EvaluateRes,
    FitIns,
    FitRes,
    GetParametersIns,
    GetParametersRes,
    GetPropertiesIns,
    GetPropertiesRes,
    Parameters,
    Status,
)

from .config import Options
from .data.images import LocalData
from .evaluation import evaluate
from .exits import Refusal
from .instruction import Common, Scalar, kept_names, parse_evaluation, parse_fit
from .kept_state import KeptState
from .models import Model, build, first_values, read_arrays, write_arrays
from .progress import Progress
from .training import train

Metrics = Dict[str, Scalar]


class FedfleetClient(flwr.client.NumPyClient):
    """A NumPyClient. Its methods raise Refusal for an instruction that it cannot follow."""

    def __init__(self, options: Options, data: LocalData, device: torch.device, progress: Progress) -> None:
        self._options = options
        self._data = data
        self._device = device
        self._progress = progress
        self._kept = KeptState(options.state_dir, options.cid)

    def get_properties(self, config: Dict[str, Scalar]) -> Metrics:
        properties: Metrics = {
            "device": self._options.cid,
            "training_examples": len(self._data.train),
            "test_examples": len(self._data.test),
        }
        # A server that admits no client without the token asks for it.
        if config.get("want") == "join_token" and self._options.join_token is not None:
            properties["join_token"] = self._options.join_token
        return properties

    def get_parameters(self, config: Dict[str, Scalar]) -> List[np.ndarray]:
        """Initial weights, for servers that have none: PyTorch's own, from --seed."""
        torch.manual_seed(self._options.seed)
        return read_arrays(build(self._options.model, len(self._data.classes)))

    def fit(
        self, parameters: List[np.ndarray], config: Dict[str, Scalar]
    ) -> Tuple[List[np.ndarray], int, Metrics]:
        """Trains from `parameters` (those that travel, in the model's order) and returns them trained."""
        options, data = self._options, self._data
        fit = parse_fit(config, options, len(data.classes))
        common = fit.common
        if len(data.train) == 0:
            raise Refusal("it holds no training samples")
        torch.manual_seed(fit.seed)
        model, stays = self._assemble(common, parameters)
        parameters.clear()
        started = time.monotonic()
        self._progress.step(common.run, common.round, 0.0, None)
        trained = train(
            model,
            fit,
            data.train,
            data.mean,
            data.std,
            self._device,
            lambda fraction, loss: self._progress.step(common.run, common.round, fraction, loss),
        )
        seconds = time.monotonic() - started
        names = list(model.state_dict())
        arrays = read_arrays(model)
        if stays:
            kept = {name: array for name, array in zip(names, arrays) if name in stays}
            self._kept.save(common.run, common.round, kept, common.kept_from)
        self._progress.say(
            "fit",
            run=common.run,
            round=common.round,
            examples=trained.examples,
            loss=trained.loss,
            accuracy=trained.accuracy,
            seconds=round(seconds, 3),
        )
        metrics: Metrics = {
            "loss": trained.loss,
            "accuracy": trained.accuracy,
            "compute_ms": seconds * 1000,
            "device": options.cid,
        }
        return [array for name, array in zip(names, arrays) if name not in stays], trained.examples, metrics

    def evaluate(self, parameters: List[np.ndarray], config: Dict[str, Scalar]) -> Tuple[float, int, Metrics]:
        """Loss (mean cross-entropy in nats) of `parameters` on this device's test samples."""
        options, data = self._options, self._data
        common = parse_evaluation(config, options, len(data.classes))
        if len(data.test) == 0:
            raise Refusal("it holds no test samples")
        model, _ = self._assemble(common, parameters)
        parameters.clear()
        started = time.monotonic()
        found = evaluate(model, data.test, data.mean, data.std, self._device, common.classes)
        seconds = time.monotonic() - started
        self._progress.say(
            "evaluate",
            run=common.run,
            round=common.round,
            examples=found.examples,
            loss=found.loss,
            accuracy=found.accuracy,
            correct=found.correct,
            per_class=found.per_class,
            seconds=round(seconds, 3),
        )
        metrics: Metrics = {
            "accuracy": found.accuracy,
            "correct": found.correct,
            "compute_ms": seconds * 1000,
            "device": options.cid,
        }
        return found.loss, found.examples, metrics

    def _assemble(self, common: Common, received: List[np.ndarray]) -> Tuple[Model, FrozenSet[str]]:
        """The model on the device, and the names of the parameters that stay here. Its parameters came over the wire or
        were kept here (before the first round: the seeded first values).
        """
        model = build(common.model, common.classes, common.feature)
        state = model.state_dict()
        stays = kept_names(common, tuple(state))
        travelling = [name for name in state if name not in stays]
        if len(received) != len(travelling):
            raise Refusal(
                "{} with {} classes has {} travelling parameters; {} arrived".format(
                    common.model, common.classes, len(travelling), len(received)
                )
            )
        by_name = dict(zip(travelling, received))
        if stays and common.kept_from > 0:
            kept = self._kept.load(common.run, common.kept_from)
            for name in stays:
                if name not in kept:
                    raise Refusal("the kept state lacks {}".format(name))
                by_name[name] = kept[name]
        else:
            for name in stays:
                by_name[name] = first_values(name, tuple(state[name].shape), model, common.init_seed)
        write_arrays(model, [(name, by_name[name]) for name in state])
        return model.to(self._device), stays


class AnsweringClient(flwr.client.Client):
    """The client as flwr runs it. It answers an instruction that it refuses with the reason; flwr by itself would end the
    process without telling the server.
    """

    def __init__(self, client: FedfleetClient, cid: str, progress: Progress) -> None:
        self._inner = client.to_client()
        self._cid = cid
        self._progress = progress

    def get_properties(self, ins: GetPropertiesIns) -> GetPropertiesRes:
        return self._inner.get_properties(ins)

    def get_parameters(self, ins: GetParametersIns) -> GetParametersRes:
        return self._inner.get_parameters(ins)

    def fit(self, ins: FitIns) -> FitRes:
        try:
            return self._inner.fit(ins)
        except Refusal as refusal:
            status = self._refused("fit", refusal, Code.FIT_NOT_IMPLEMENTED)
            return FitRes(status, Parameters([], "numpy.ndarray"), 0, {"device": self._cid})

    def evaluate(self, ins: EvaluateIns) -> EvaluateRes:
        try:
            return self._inner.evaluate(ins)
        except Refusal as refusal:
            status = self._refused("evaluate", refusal, Code.EVALUATE_NOT_IMPLEMENTED)
            return EvaluateRes(status, 0.0, 0, {"device": self._cid})

    def _refused(self, stage: str, refusal: Refusal, code: Code) -> Status:
        # Flower has no other codes for an instruction that failed.
        self._progress.say("refused", stage=stage, message=str(refusal))
        return Status(code, str(refusal))


def answering_client(
    options: Options, data: LocalData, device: torch.device, progress: Progress
) -> AnsweringClient:
    return AnsweringClient(FedfleetClient(options, data, device, progress), options.cid, progress)
