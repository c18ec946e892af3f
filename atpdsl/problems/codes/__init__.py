"""Every kind of problem by its code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from atpdsl.problems.codes.binding import CODES_BINDING
from atpdsl.problems.codes.code import Code
from atpdsl.problems.codes.metric import CODES_METRIC
from atpdsl.problems.codes.model import CODES_MODEL
from atpdsl.problems.codes.names import CODES_NAMES
from atpdsl.problems.codes.prompts import CODES_PROMPTS
from atpdsl.problems.codes.run import CODES_RUN
from atpdsl.problems.codes.spec import CODES_SPEC
from atpdsl.problems.codes.syntax import CODES_SYNTAX

CODES: Mapping[str, Code] = MappingProxyType(
    {
        code.code: code
        for code in (
            *CODES_SYNTAX,
            *CODES_SPEC,
            *CODES_NAMES,
            *CODES_METRIC,
            *CODES_PROMPTS,
            *CODES_BINDING,
            *CODES_MODEL,
            *CODES_RUN,
        )
    }
)

_HUNDREDS = (
    "the text of a spec",
    "statements, settings and names",
    "prompts, answers, positions and nodes",
    "models",
    "runs, results and exports",
)
GROUPS: tuple[tuple[str, tuple[Code, ...]], ...] = tuple(
    (title, tuple(CODES[code] for code in sorted(CODES) if int(code[3:]) // 100 == hundred))
    for hundred, title in enumerate(_HUNDREDS)
)

__all__ = ["CODES", "GROUPS", "Code"]
