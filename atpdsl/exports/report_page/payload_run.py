"""What was asked, what made the numbers, and what they cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from atpdsl.results.document import to_json
from atpdsl.results.harmless import harmless

if TYPE_CHECKING:
    from atpdsl.results.record import MethodRecord, Record
    from atpdsl.results.result import Result

Code = list[tuple[str, str]]


def run(result: Result) -> dict[str, Any]:
    """The data of the view `Run`."""
    record = result.record
    calibrated = any(one.calibrated for one in record.host.estimated.values())
    return {
        "spec": highlighted(record.spec.text),
        "included": [
            {"path": harmless(path), "text": highlighted(text)}
            for path, text in record.spec.included.items()
        ],
        "given": [
            [harmless(name), harmless(value)] for name, value in record.spec.given.items()
        ],
        "resolved": harmless_lines(
            json.dumps(to_json(record.spec)["resolved"], indent=2, ensure_ascii=False)
        ),
        "methods": [{"label": one.label, "facts": _conventions(one)} for one in record.methods],
        "expectations": [
            {
                "text": harmless(one.text),
                "holds": one.holds,
                "found": [harmless(found) for found in one.found],
                "undecided": harmless(one.undecided),
            }
            for one in record.expectations
        ],
        "warnings": [
            harmless(f"{one.code}: {one.message}. {one.help}") for one in record.warnings
        ],
        "stages": _stages(record),
        "costAbout": "Forwards and backwards are sequences, counted while running. "
        + (
            "Times were estimated from measurements on this machine."
            if calibrated
            else "Estimated times were assumed, not measured on this machine."
        )
        + f" The whole run took {record.host.seconds:.3g} s.",
        "provenance": _provenance(record),
    }


def highlighted(text: str) -> Code:
    """The text in pieces, each with a word for its colour; empty for plain text."""
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Comment, Keyword, Name, Number, String
    from pygments.util import ClassNotFound

    try:
        # Ours, by its entry point: the front end of editors is above exports.
        lexer = get_lexer_by_name("atp", stripnl=False, ensurenl=False)
    except ClassNotFound:
        return [("", harmless_lines(text))]
    words = (
        (Comment, "comment"),
        (Keyword, "keyword"),
        (String, "string"),
        (Number, "number"),
        (Name.Attribute, "name"),
    )
    found: Code = []
    for kind, piece in lexer.get_tokens(text):
        word = next((word for token, word in words if kind in token), "")
        shown = harmless_lines(piece)
        if found and found[-1][0] == word:
            found[-1] = (word, found[-1][1] + shown)
        else:
            found.append((word, shown))
    return found


def harmless_lines(text: str) -> str:
    """A text of several lines, its other control characters as pictures."""
    return "\n".join(harmless(line.replace("\t", "    ")) for line in text.splitlines()) + (
        "\n" if text.endswith("\n") else ""
    )


def _conventions(method: MethodRecord) -> list[list[str]]:
    settings = ", ".join(f"{name} = {value}" for name, value in method.settings.items())
    facts = {
        "method": method.method,
        "paper": method.paper,
        "direction": method.direction,
        "patched run": method.base,
        "values come from": method.donor,
        "formula": method.formula,
        "sign": method.sign,
        "absolute values": method.absolute,
        "settings": settings,
        "note": method.note,
    }
    return [[name, harmless(value)] for name, value in facts.items() if value]


def _stages(record: Record) -> list[dict[str, Any]]:
    found = []
    for stage in record.stages:
        said = record.host.estimated.get(stage.name)
        found.append(
            {
                "name": stage.name,
                "forwards": stage.counts.forward_sequences,
                "backwards": stage.counts.backward_sequences,
                "flops": None if said is None else said.flops,
                "memory": record.host.memory.get(stage.name, 0),
                "memory_said": None if said is None else said.memory,
                "seconds": record.host.stages.get(stage.name),
                "seconds_said": None if said is None else said.seconds,
            }
        )
    return found


def _provenance(record: Record) -> list[list[str]]:
    made = record.provenance
    model = made.model
    shape = model.shape
    facts: dict[str, object] = {
        "model": model.name,
        "from": model.kind,
        "revision": model.revision or "none",
        "architecture": shape.architecture,
        "layers": shape.n_layers,
        "heads": f"{shape.n_heads} ({shape.n_kv_heads} for keys and values)",
        "weights, SHA-256": model.weights_sha256,
        "tokenizer, SHA-256": model.tokenizer_sha256,
        "dtype": made.dtype,
        "device": made.device,
        "executor": made.executor,
        "deterministic": "on" if made.deterministic else "off",
        "seed": made.seed,
        **made.versions,
        "platform": record.host.platform,
        "threads": record.host.threads,
        "started": record.host.started,
    }
    return [[name, harmless(str(value))] for name, value in facts.items()]
