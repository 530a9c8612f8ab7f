# SPDX-License-Identifier: Apache-2.0
"""The names that columns of runs usually have."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Any

COUNTS = ("params", "tokens", "unique_tokens")
ROLES = ("params", "tokens", "loss", "unique_tokens", "weight")

_COUNTED = ("n", "num", "number_of", "total", "model", "active", "trainable", "non_embedding", "n_non_embedding")
_SEEN = ("n", "num", "number_of", "total", "train", "training", "n_train", "num_train", "num_training", "total_train")
_MEASURED = ("val", "validation", "valid", "eval", "evaluation", "test", "dev", "held_out", "heldout")
_STAGES = ("final", *_MEASURED, "train", "training", *(f"final_{stage}" for stage in (*_MEASURED, "train")))
_USUAL: dict[str, tuple[str, ...]] = {
    "params": (
        *("params", "parameters", "N", "model_size", "param_count", "params_count", "parameter_count", "n_non_embedding"),
        *(f"{how}_{what}" for how in _COUNTED for what in ("params", "parameters")),
        *(f"{what}_{how}" for how in ("total", "active", "non_embedding") for what in ("params", "parameters")),
        *("nonembedding_params", "num_nonembedding_params", "num_non_embedding_params", "num_total_params"),
        *("model_num_parameters", "num_active_params", "num_trainable_params", "num_trainable_parameters"),
    ),
    "tokens": (
        *("tokens", "D", "token_count", "tokens_seen", "tokens_total", "tokens_trained", "seen_tokens", "consumed_tokens"),
        *(f"{how}_tokens" for how in _SEEN),
        *(f"{how}_tokens_seen" for how in ("n", "num", "total", "train")),
        *("total_training_tokens", "train_tokens_total", "tokens_processed"),
    ),
    "loss": (
        *("loss", "L", "nll", "cross_entropy", "ce_loss", "lm_loss", "nll_per_token"),
        *(f"{stage}_loss" for stage in _STAGES),
        *(f"loss_{stage}" for stage in (*_MEASURED, "train", "final")),
        *(f"{stage}_{what}" for stage in _MEASURED for what in ("nll", "cross_entropy", "ce_loss", "lm_loss")),
    ),
    "unique_tokens": ("unique_tokens", "U", "n_unique_tokens", "num_unique_tokens"),
    "weight": ("weight", "weights"),
    "corpus": ("corpus", "corpora", "dataset", "dataset_name", "train_dataset", "training_dataset", "train_data", "data_mix"),
    "steps": ("step", "steps", "global_step", "global_steps", "iteration", "iterations", "iter", "n_steps", "num_steps"),
}
_WORDS = {
    "params": ("param", "modelsize"),
    "tokens": ("token",),
    "loss": ("loss", "nll", "entropy", "perplexity", "ppl", "bits", "bpb", "bpc"),
    "flops": ("flop", "compute", "budget"),
    "corpus": ("corpus", "corpora", "dataset", "dataset_name", "train_dataset", "training_dataset", "train_data", "data_mix"),
    "steps": ("step", "iter"),
    "unique_tokens": ("unique",),
    "weight": ("weight",),
}
# Where trackers and trainers put a name: "config.model.n_params", "params.tokens", "train/tokens".
_FOLDERS = frozenset(("config", "summary", "params", "metrics", "tags", "hparams", "args", "model", "data", "run", "value"))
_COUNTERS = frozenset(("train", "training", "trainer", "throughput", "perf", "progress", "stats"))
# "params (M)", "tokens_b", "D [billions]": the power of ten that a heading takes out of its cells.
_POWERS = {"k": 3, "m": 6, "b": 9, "g": 9, "t": 12, "thousands": 3, "millions": 6, "billions": 9, "trillions": 12}
_UNIT = re.compile(r"(?P<base>.*?\w)(?:\s*[(\[]|[\s_]+)(?:in )?(?P<unit>[kmbgt]|\w+illions|thousands)[)\]]?", re.IGNORECASE)
_PERPLEXITY = re.compile(r"perplexity|(?<![a-z])ppl(?![a-z])")
_BITS = re.compile(r"(?<![a-z])(bits|bpb|bpc|bpt|bpw)(?![a-z])")
_RATE = re.compile(r"(?<![a-z])per(?![a-z])|/s$")
_BYTES = re.compile(r"(?<![a-z])bpb(?![a-z])|per[ _]?byte")


@lru_cache(4096)
def key(name: Any) -> str:
    """A name without what people spell differently: case, spaces and signs."""
    return re.sub(r"[^a-z0-9]+", "", str(name).lower())


@lru_cache(4096)
def leaf(name: Any, folders: frozenset[str] = _FOLDERS) -> str:
    """`key` of a name without the folders it lies in: "config.model.n_params" is "nparams"."""
    parts = [part for part in map(key, re.split(r"[/.]", str(name))) if part]
    while len(parts) > 1 and parts[0] in folders:
        parts = parts[1:]
    if len(parts) > 1 and parts[1].startswith(parts[0]):  # eval/eval_loss
        parts = parts[1:]
    return "".join(parts)


_KEYS = {role: frozenset(map(key, names)) for role, names in _USUAL.items()}


def power_of(name: Any) -> tuple[Any, int]:
    """A name without the unit in it, and the power of ten of that unit, 0 for none."""
    found = _UNIT.fullmatch(name.strip()) if isinstance(name, str) else None
    power = 0 if found is None else _POWERS.get(found["unit"].lower(), 0)
    return (name, 0) if found is None or not power else (found["base"], power)


def is_usual(role: str, name: Any) -> bool:
    """Whether a column of this name usually plays this role; single letters as they are: d and l are widths and layers."""
    if not isinstance(name, str):
        return False
    if role in COUNTS and leaf(name) not in _KEYS[role]:
        name = power_of(name)[0]
    folders = _FOLDERS if role == "loss" else _FOLDERS | _COUNTERS
    *outer, last = (part.strip() for part in re.split(r"[/.]", name))
    if len(last) == 1:
        return last in _USUAL[role] and {key(part) for part in outer} <= folders  # D/N is no N
    return leaf(name, folders) in _KEYS[role]


def is_nearly_usual(role: str, name: str) -> bool:
    """Whether a column's name is a misspelt one of this role."""
    return len(key(name)) > 2 and bool(difflib.get_close_matches(key(name), _KEYS[role], n=1, cutoff=0.75))


def of_training(name: str) -> bool:
    """Whether a loss is by its name the one of training."""
    return "train" in leaf(name)


def reminds_of(role: str, name: str) -> bool:
    """Whether a column of this name may play this role: what a message suggests."""
    if role == "flops" and name == "C":
        return True
    rate = role != "loss" and _RATE.search(name.lower())  # flops_per_step is no compute, bits_per_byte a loss
    return not rate and any(word in key(name) for word in _WORDS[role])


def unit_of(name: str) -> str | None:
    """The unit that the name of a loss tells, where it is not nats."""
    spelt = name.lower()
    return "perplexity" if _PERPLEXITY.search(spelt) else "bits" if _BITS.search(spelt) else None


def per_byte(name: str) -> bool:
    """Whether a loss is by its name one per byte."""
    return _BYTES.search(name.lower()) is not None
