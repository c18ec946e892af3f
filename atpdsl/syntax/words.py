"""The words that begin statements, kept equal to the grammar's by a test; known settings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STATEMENTS: tuple[str, ...] = (
    "atp",
    "include",
    "let",
    "param",
    "sweep",
    "model",
    "prompts",
    "metric",
    "nodes",
    "edges",
    "method",
    "verify",
    "diagnose",
    "circuit",
    "expect",
    "export",
    "run",
)
BODY_STATEMENTS: tuple[str, ...] = (
    "pair",
    "template",
    "slot",
    "corrupt",
    "answer",
    "pos",
    "let",
)
# A setting's name -> the statements whose blocks have it, for settings met elsewhere; a test
# keeps them equal to the schema's.
SETTINGS: dict[str, tuple[str, ...]] = {
    "revision": ("model",),
    "dtype": ("model",),
    "count": ("prompts",),
    "align": ("prompts",),
    "bos": ("prompts",),
    "limit": ("prompts",),
    "clean": ("prompts",),
    "corrupted": ("prompts",),
    "split": ("prompts",),
    "keep": ("prompts", "circuit"),
    "normalize": ("metric",),
    "direction": ("method",),
    "top": ("verify",),
    "random": ("verify",),
    "stop_when": ("verify",),
    "most": ("verify",),
    "device": ("run",),
    "seed": ("run",),
    "batch": ("run",),
    "threads": ("run",),
    "per_pair": ("run",),
    "executor": ("run",),
    "memory": ("run",),
    "budget": ("run",),
    "deterministic": ("run",),
}
# What may stand directly behind a number; a test keeps the units equal to those of settings.
UNITS: tuple[str, ...] = (
    *("%", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"),
    *("s", "min", "h"),
)
# How they are written elsewhere, in lower case.
SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        **{unit.lower(): unit for unit in UNITS},
        **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
        **dict.fromkeys(("mins", "minute", "minutes"), "min"),
        **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
        "percent": "%",
    }
)
