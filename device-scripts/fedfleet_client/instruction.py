"""The server's instructions, checked strictly: the lab's JSON under `fedfleet`, or the plain keys of the original project.

The fields are those of `Recipe` in src-main/contract/jobs.ts.
"""

import json
import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Optional, Tuple, Union

from .config import Options
from .exits import Refusal
from .model_names import FEATURE_NAMES, MODEL_NAMES, OPTIMIZER_NAMES, PLAIN
from .seeds import derive_seed

Scalar = Union[bool, bytes, float, int, str]
FROM_CLIENT = "from-client"
UINT32 = 2**32 - 1


@dataclass(frozen=True)
class Common:
    round: int
    run: str
    model: str
    classes: int
    keeps: Tuple[str, ...]
    kept_from: int
    init_seed: int
    # how the head sees the feature
    feature: str = PLAIN


@dataclass(frozen=True)
class Optimizer:
    kind: str
    lr: float
    momentum: float
    nesterov: bool
    weight_decay: float


@dataclass(frozen=True)
class Loss:
    """kind "ce", "prox" (mu) or "ntd" (tau, beta, tau_squared)."""

    kind: str
    mu: float = 0.0
    tau: float = 1.0
    beta: float = 0.0
    tau_squared: bool = True


@dataclass(frozen=True)
class Fit:
    common: Common
    epochs: int
    batch_size: int
    optimizer: Optimizer
    loss: Loss
    seed: int


class _Fields:
    """Takes fields out of one JSON object, each once and checked; a field that is left at the end is unknown."""

    def __init__(self, value: Any, where: str, what: str) -> None:
        self._where = where
        self._what = what
        if not isinstance(value, dict):
            raise self.wrong("", "expected an object")
        self._left = dict(value)

    def wrong(self, field: str, problem: str) -> Refusal:
        path = ".".join(part for part in (self._where, field) if part) or "its root"
        return Refusal('the {} configuration under "fedfleet" is wrong at {}: {}'.format(self._what, path, problem))

    def take(self, field: str, expected: str, fits: Callable[[Any], bool]) -> Any:
        if field not in self._left:
            raise self.wrong(field, "it is missing")
        value = self._left.pop(field)
        if not fits(value):
            raise self.wrong(field, "expected {}, got {}".format(expected, json.dumps(value)[:80]))
        return value

    def whole(self, field: str, least: int, most: int = 2**53 - 1) -> int:
        return int(
            self.take(
                field,
                "a whole number from {} to {}".format(least, most),
                lambda v: _is_number(v) and float(v).is_integer() and least <= v <= most,
            )
        )

    def number(self, field: str) -> float:
        return float(self.take(field, "a number", _is_number))

    def flag(self, field: str) -> bool:
        return self.take(field, "true or false", lambda v: isinstance(v, bool))

    def text(self, field: str) -> str:
        return self.take(field, "a text", lambda v: isinstance(v, str) and v != "")

    def one_of(self, field: str, choices: Tuple[str, ...]) -> str:
        return self.take(field, "one of " + ", ".join(choices), lambda v: isinstance(v, str) and v in choices)

    def inner(self, field: str) -> "_Fields":
        value = self.take(field, "an object", lambda v: isinstance(v, dict))
        return _Fields(value, field, self._what)

    def has(self, field: str) -> bool:
        return field in self._left

    def end(self) -> None:
        if self._left:
            raise self.wrong(sorted(self._left)[0], "this client does not know this field; update its image")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _common(fields: _Fields, options: Options, classes: int) -> Common:
    model = fields.one_of("model", MODEL_NAMES + (FROM_CLIENT,))
    number = fields.whole("numClasses", 0 if model == FROM_CLIENT else 1)
    own = model == FROM_CLIENT
    return Common(
        round=fields.whole("round", 0),
        run=fields.text("run"),
        model=options.model if own else model,
        classes=classes if own else number,
        keeps=tuple(
            fields.take(
                "keeps", "a list of names", lambda v: isinstance(v, list) and all(isinstance(n, str) for n in v)
            )
        ),
        kept_from=fields.whole("keptFrom", 0),
        init_seed=fields.whole("initSeed", 0, UINT32),
        feature=_feature(fields),
    )


def _feature(fields: _Fields) -> str:
    """Absent where it is plain, and in what earlier servers send."""
    if not fields.has("feature"):
        return PLAIN
    inner = fields.inner("feature")
    kind = inner.one_of("kind", FEATURE_NAMES)
    inner.end()
    return kind


def _parsed(config: Dict[str, Scalar], what: str) -> Optional[_Fields]:
    if "fedfleet" not in config:
        return None
    text = config["fedfleet"]
    if not isinstance(text, str):
        raise Refusal('the {} configuration has no text under "fedfleet"'.format(what))
    try:
        value = json.loads(text)
    except ValueError:
        raise Refusal('the {} configuration under "fedfleet" is not JSON'.format(what)) from None
    return _Fields(value, "", what)


def _loss(fields: _Fields) -> Loss:
    kind = fields.one_of("kind", ("ce", "prox", "ntd"))
    loss = Loss(kind)
    if kind == "prox":
        loss = Loss(kind, mu=fields.number("mu"))
    elif kind == "ntd":
        tau = fields.number("tau")
        if tau <= 0:
            raise fields.wrong("tau", "expected a number above 0, got {}".format(tau))
        loss = Loss(kind, tau=tau, beta=fields.number("beta"), tau_squared=fields.flag("tauSquared"))
    fields.end()
    return loss


def parse_fit(config: Dict[str, Scalar], options: Options, classes: int) -> Fit:
    """The fit configuration. Refusal where it is wrong.

    classes: the number of classes of this device's data, for servers that do not say.
    """
    fields = _parsed(config, "fit")
    if fields is None:
        return _plain_fit(config, options, classes)
    common = _common(fields, options, classes)
    inner = fields.inner("optimizer")
    optimizer = Optimizer(
        kind=inner.one_of("kind", OPTIMIZER_NAMES),
        lr=inner.number("lr"),
        momentum=inner.number("momentum"),
        nesterov=inner.flag("nesterov"),
        weight_decay=inner.number("weightDecay"),
    )
    inner.end()
    fit = Fit(
        common=common,
        epochs=fields.whole("localEpochs", 1),
        batch_size=fields.whole("batchSize", 1),
        optimizer=optimizer,
        loss=_loss(fields.inner("loss")),
        seed=fields.whole("seed", 0, UINT32),
    )
    fields.end()
    return fit


def parse_evaluation(config: Dict[str, Scalar], options: Options, classes: int) -> Common:
    """The evaluation configuration. Refusal where it is wrong."""
    fields = _parsed(config, "evaluate")
    if fields is None:
        return _plain_common(_Plain(config, "evaluate"), options, classes)
    common = _common(fields, options, classes)
    fields.end()
    return common


class _Plain:
    """The plain keys that servers of the original project and Flower's own strategies send.

    The original's clients cast them with int() and float(), so texts are accepted; a value that such a cast does not
    understand is refused.
    """

    def __init__(self, config: Dict[str, Scalar], what: str) -> None:
        self._config = config
        self._what = what

    def number(self, key: str, default: float, fits: Callable[[float], bool], expected: str) -> float:
        value = self._config.get(key, default)
        try:
            number = float("nan") if isinstance(value, (bool, bytes)) else float(value)
        except ValueError:
            number = float("nan")
        if not math.isfinite(number) or not fits(number):
            raise Refusal(
                "the {} configuration is wrong at {}: expected {}, got {!r}".format(self._what, key, expected, value)
            )
        return number

    def whole(self, key: str, default: int, least: int) -> int:
        fits = lambda n: n.is_integer() and n >= least  # noqa: E731
        return int(self.number(key, default, fits, "a whole number of at least {}".format(least)))

    def optimizer(self, default: str) -> str:
        value = self._config.get("optimizer", default)
        if isinstance(value, str) and value.lower() in OPTIMIZER_NAMES:
            return value.lower()
        raise Refusal(
            "the {} configuration is wrong at optimizer: expected SGD, Adam or RMSprop, got {!r}".format(
                self._what, value
            )
        )


def _plain_common(plain: _Plain, options: Options, classes: int) -> Common:
    number = plain.whole("server_round", plain.whole("epoch_global", 0, -1), -1)
    return Common(max(number, 0), "external", options.model, classes, (), 0, options.seed)


def _plain_fit(config: Dict[str, Scalar], options: Options, classes: int) -> Fit:
    plain = _Plain(config, "fit")
    common = _plain_common(plain, options, classes)
    mu = plain.number("proximal_mu", 0.0, lambda x: x >= 0, "a number of at least 0")
    return Fit(
        common=common,
        epochs=plain.whole("epochs", options.epochs, 1),
        batch_size=plain.whole("batch_size", options.batch_size, 1),
        optimizer=Optimizer(
            kind=plain.optimizer(options.optimizer),
            lr=plain.number("lr", options.lr, lambda x: x > 0, "a number above 0"),
            momentum=options.momentum,
            nesterov=False,
            weight_decay=options.weight_decay,
        ),
        loss=Loss("prox", mu=mu) if mu > 0 else Loss("ce"),
        seed=derive_seed(options.seed, options.cid, "round", common.round),
    )


def kept_names(common: Common, names: Tuple[str, ...]) -> FrozenSet[str]:
    """Names of the parameters that stay here. Refusal for a name that the model does not have."""
    for name in common.keeps:
        if name not in names:
            raise Refusal("{} has no parameter called {} to keep".format(common.model, name))
    return frozenset(common.keeps)
