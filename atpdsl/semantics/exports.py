"""`export` statements: which files, in which formats."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.problems import Label
from atpdsl.problems.fixes import replaced
from atpdsl.registry import closest
from atpdsl.semantics.experiment import ExportCall
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.paths import objection
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t


def read_exports(
    statements: Iterable[t.Export], vocabulary: Vocabulary, findings: Findings
) -> tuple[ExportCall, ...]:
    """The files to write, each once."""
    calls: dict[str, ExportCall] = {}
    for statement in statements:
        for item in statement.items:
            call = _export(item, vocabulary, findings)
            if call is None:
                continue
            if call.path in calls:
                findings.error(
                    "ATP119",
                    f"`{call.path}` is written twice",
                    call.span,
                    advice="remove one of the two",
                    also=(Label(calls[call.path].span, "the first is here"),),
                )
                continue
            above = next((path for path in calls if _nested(path, call.path)), None)
            if above is not None:
                findings.error(
                    "ATP119",
                    f"`{call.path}` and `{above}` cannot both be written: one is in the other",
                    call.span,
                    advice="give one of the two another name",
                    also=(Label(calls[above].span, "the other"),),
                )
                continue
            calls[call.path] = call
    return tuple(calls.values())


def _nested(first: str, second: str) -> bool:
    """Whether one path needs a folder where the other has a file."""
    return second.startswith(f"{first}/") or first.startswith(f"{second}/")


def _export(
    item: t.Expression, vocabulary: Vocabulary, findings: Findings
) -> ExportCall | None:
    chosen: t.Name | None = None
    path = item
    if isinstance(item, t.Call) and isinstance(item.function, t.Name):
        chosen = item.function
        path = _only_argument(item)
    if not isinstance(path, t.String):
        advice = 'write `export "scores.csv"`'
        name = _dotted(path)
        fix = replaced(path.span, f'"{name}"') if name else None
        findings.error(
            "ATP108", "a file name is wanted here", path.span, advice=advice, fix=fix
        )
        return None
    if not _allowed(path, findings):
        return None
    if chosen is None:
        form = _by_suffix(path, vocabulary, findings)
    else:
        form = _by_name(chosen, vocabulary, findings)
    return ExportCall(path=path.value, format=form, span=item.span) if form else None


def _dotted(value: t.Expression) -> str:
    """`scores.csv`, written without quotes; "" for anything else."""
    if isinstance(value, t.Attribute) and isinstance(value.base, t.Name):
        return f"{value.base.text}.{value.name.text}"
    return ""


def _only_argument(call: t.Call) -> t.Expression:
    """What stands in `csv("scores.txt")`; the call itself if that is anything else."""
    first = call.arguments[0] if len(call.arguments) == 1 else None
    plain = first is not None and first.name is None and first.position is None
    return first.value if first is not None and plain else call


def _allowed(path: t.String, findings: Findings) -> bool:
    reason = objection(path.value)
    if reason:
        findings.error(
            "ATP117",
            f"this file cannot be written: {reason}",
            path.span,
            advice='name a file in the result\'s folder, as `"scores.csv"`',
        )
    return not reason


def _by_suffix(path: t.String, vocabulary: Vocabulary, findings: Findings) -> str | None:
    name = path.value.rsplit("/", 1)[-1]
    formats = _formats(vocabulary, known=name.count(".") == 1 and bool(_own(name, vocabulary)))
    found = longest_suffix(name, formats)
    if found:
        return formats[found]
    suffix = _suffix(name)
    known = f"formats are {listed(tuple(formats))}"
    message = f"`{suffix}` is no format" if suffix else "this name does not say the format"
    advice = did_you_mean(closest(suffix, formats), known) if suffix else known
    findings.error("ATP118", message, path.span, advice=advice)
    return None


def _by_name(name: t.Name, vocabulary: Vocabulary, findings: Findings) -> str | None:
    known = any(name.text == own for _, own in vocabulary.exports)
    names = tuple(dict.fromkeys(_formats(vocabulary, known=known).values()))
    if name.text in names:
        return name.text
    advice = did_you_mean(closest(name.text, names), f"formats are {listed(names)}")
    findings.error("ATP118", f"`{name.text}` is no format", name.span, advice=advice)
    return None


def _formats(vocabulary: Vocabulary, *, known: bool) -> dict[str, str]:
    """Suffix -> format; those of other packages too, unless ours are enough."""
    return dict((*vocabulary.exports, *(() if known else vocabulary.more_exports())))


def _own(name: str, vocabulary: Vocabulary) -> str:
    return longest_suffix(name, (suffix for suffix, _ in vocabulary.exports))


def longest_suffix(name: str, suffixes: Iterable[str]) -> str:
    """The longest of the suffixes that a file's name ends with, "" if it has none of them."""
    lower = name.lower()
    return max((s for s in suffixes if lower.endswith(s)), key=len, default="")


def _suffix(name: str) -> str:
    return "." + name.rsplit(".", 1)[1].lower() if "." in name else ""
