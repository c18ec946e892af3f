"""Every kind of problem by its code.

Where codes stand; a new one takes the next free number of its range, none is used again:

| codes | about | file |
|---|---|---|
| 001-018 | the text: what cannot be parsed | `syntax.py` |
| 100-122, 161-169 | statements and settings; `circuit`, `expect`, later ones | `spec.py` |
| 130-151 | names and files: `include`, `let`, `param`, `sweep`, sets of prompts | `names.py` |
| 170-177 | computed metrics | `metric.py` |
| 180-185 | `diagnose`, and a `verify` that goes on | `diagnosis.py` |
| 203-234 | `prompts` blocks and selections of nodes, as written | `prompts.py` |
| 240-268, 280-287 | pairs as texts and tokens, data files and sets | `binding.py` |
| 270-279 | nodes that a model has or lacks | `nodes.py` |
| 300-337 | models: where they are, and what is wrong with their files | `model.py` |
| 404-435 | runs and what keeps one from starting | `run.py` |
| 440-457 | results, their folders, and exports | `run.py` |
| 460-463 | results compared, served, and in notebooks | `looking.py` |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from atpdsl.problems.codes.binding import CODES_BINDING
from atpdsl.problems.codes.code import Code
from atpdsl.problems.codes.diagnosis import CODES_DIAGNOSIS
from atpdsl.problems.codes.looking import CODES_LOOKING
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
            *CODES_DIAGNOSIS,
            *CODES_PROMPTS,
            *CODES_BINDING,
            *CODES_MODEL,
            *CODES_RUN,
            *CODES_LOOKING,
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
