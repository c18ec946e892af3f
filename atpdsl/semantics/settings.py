"""Bodies of settings, checked against the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from atpdsl.problems import Label, Span
from atpdsl.problems.fixes import replaced
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Setting
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.numbers import hundredths, number_of, percentage
from atpdsl.semantics.quantities import EXAMPLES, meant_unit, quantity_of, units_in_words
from atpdsl.semantics.schema import ON_OFF, SELECTION, SHAPES, Key, Shape
from atpdsl.syntax import tree as t

NUMBERS = ("int", "float", "amount", "share")
# What stands for `on` and `off` elsewhere.
SWITCHES = {
    **dict.fromkeys(("yes", "true", "1", "on", "enabled"), "on"),
    **dict.fromkeys(("no", "false", "0", "off", "none", "disabled"), "off"),
}
# Names of settings elsewhere, and what they are called here.
ALIASES = {
    "precision": "dtype",
    "samples": "count",
    "size": "count",
    "n": "count",
    "k": "top",
    "top_k": "top",
    "batch_size": "batch",
    "max_rows": "limit",
    "count": "limit",
    "padding": "align",
    "methods": "method",
}
WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "`on` or `off`",
    "amount": "a whole number, or a percentage as `5%`",
    "share": "a percentage as `5%`, or a number between 0 and 1",
    "bytes": f"an amount of memory as `{EXAMPLES['bytes']}`",
    "time": f"a time as `{EXAMPLES['time']}`",
    "word": "a word",
    "text": "a string",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A setting that was written: its value, and where.

    `value` is None for keys of type `expression`, and where the value was refused.
    """

    value: Setting
    written: t.Setting


class Settings:
    """The settings of a body by name, defaults included."""

    def __init__(self, keys: tuple[Key, ...], given: Mapping[str, Given]) -> None:
        self.defaults = {key.name: key.default for key in keys}
        self.given = given

    def __getitem__(self, name: str) -> Setting:
        given = self.given.get(name)
        value = None if given is None else given.value
        return self.defaults[name] if value is None else value

    def integer(self, name: str) -> int:
        """The value of a key of type `int` that has a default."""
        value = self[name]
        if not isinstance(value, int):
            raise TypeError(f"`{name}` has no default")
        return value

    def optional_integer(self, name: str) -> int | None:
        """The value of a key of type `int`, None where it is left out."""
        return None if self[name] is None else self.integer(name)

    def optional_number(self, name: str) -> float | None:
        """The value of a key of type `float` or `time`, None where it is left out."""
        return None if self[name] is None else self.number(name)

    def amount(self, name: str) -> tuple[int, float | None]:
        """The value of a key of type `amount`: a count, or 0 and a share."""
        value = self[name]
        return (0, value) if isinstance(value, float) else (self.integer(name), None)

    def number(self, name: str) -> float:
        """The value of a key of type `float` or `share` that has a default."""
        value = self[name]
        if not isinstance(value, int | float):
            raise TypeError(f"`{name}` has no default")
        return float(value)

    def text(self, name: str) -> str:
        """The value of a key of type `word` that has a default."""
        return str(self[name])


def read_settings(
    body: t.Body | None, shape: Shape, findings: Findings, *, owner: str = ""
) -> Settings:
    """The settings in a body; everything else that may not stand there is a problem.

    Args:
        body: the body, None if there is none.
        shape: what it may hold.
        findings: takes the problems.
        owner: what the body belongs to, in words; the statement's word if not given.
    """
    owner = owner or f"`{shape.word}`"
    given: dict[str, Given] = {}
    for statement in body.statements if body else ():
        if isinstance(statement, t.Setting):
            _take(statement, shape, owner, given, findings)
        else:
            _check_allowed(statement, shape, owner, findings)
    return Settings(shape.keys, given)


def _take(
    setting: t.Setting, shape: Shape, owner: str, given: dict[str, Given], findings: Findings
) -> None:
    name = setting.name.text
    key = shape.key(name)
    if key is None:
        _unknown_key(setting.name, shape, owner, findings)
        return
    if key.later:
        what = f"the setting `{name}` of {owner}"
        findings.not_yet(what, setting.name.span, advice=key.instead)
        return
    if name in given:
        first = given[name].written.name.span
        findings.error(
            "ATP106",
            f"`{name}` is set twice",
            setting.name.span,
            advice="remove one of the two",
            also=(Label(first, "set here first"),),
        )
        return
    if setting.body is not None:
        findings.error(
            "ATP107",
            f"`{name}` takes no block",
            setting.body.span,
            advice=f"write `{name} = ...` alone",
        )
    given[name] = Given(value=read_value(key, setting.value, findings), written=setting)


def _unknown_key(name: t.Name, shape: Shape, owner: str, findings: Findings) -> None:
    names = tuple(key.name for key in shape.keys if not key.later)
    have = f"{owner} has the settings {listed(names)}" if names else "remove it"
    homes = homes_of(name.text)
    known = ALIASES.get(name.text)
    if homes and known not in names:
        advice = (
            f"`{name.text}` belongs into {_or(homes)}: `{homes[0]} {{ {name.text} = ... }}`"
        )
    else:
        meant = known if known in names else closest(name.text, names)
        advice = did_you_mean(meant, have)
    findings.error("ATP105", f"{owner} has no setting `{name.text}`", name.span, advice=advice)


def homes_of(key: str) -> tuple[str, ...]:
    """The statements, and parts of them, that have a setting of this name."""
    return tuple(
        shape.word
        for shape in (*SHAPES, *(part for whole in SHAPES for part in whole.parts))
        if not shape.later and any(k.name == key and not k.later for k in shape.keys)
    )


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(f"`{word}`" for word in words)


def _check_allowed(
    statement: t.BodyStatement, shape: Shape, owner: str, findings: Findings
) -> None:
    if isinstance(statement, t.Select):
        if SELECTION not in shape.statements:
            _stray_selection(statement, shape, owner, findings)
        return
    word = _word_of(statement)
    if word.text not in shape.statements:
        allowed = tuple(w for w in shape.statements if w != SELECTION)
        findings.error(
            "ATP107",
            f"`{word.text}` has no place in {owner}",
            word.span,
            advice=_place_of(word.text, allowed),
        )


def _place_of(word: str, allowed: tuple[str, ...]) -> str:
    """Where a statement of a body belongs, or what may stand here instead of it."""
    homes = tuple(shape.word for shape in SHAPES if word in shape.statements)
    if homes:
        return f"`{word}` belongs into {_or(homes)}"
    return f"there it may be {listed(allowed)}" if allowed else "remove it"


def _word_of(statement: t.BodyStatement) -> t.Name:
    if isinstance(statement, t.Setting | t.Select):
        raise TypeError("settings and selections begin with no keyword")
    return statement.word


def _stray_selection(select: t.Select, shape: Shape, owner: str, findings: Findings) -> None:
    """Something in a body that is no setting: `top == 5`, `cancellation`, `run { }`."""
    first = select.items[0]
    names = tuple(key.name for key in shape.keys if not key.later)
    if isinstance(first, t.Binary) and first.operator == "==":
        left = first.left.text if isinstance(first.left, t.Name) else "name"
        findings.error(
            "ATP107",
            "`==` compares; a setting has `=`",
            first.span,
            advice=f"write `{left} = ...`",
            fix=replaced(Span(first.left.span.end, first.right.span.start), " = ", "write `=`"),
        )
        return
    if isinstance(first, t.Name) and first.text in names:
        findings.error(
            "ATP107",
            f"`{first.text}` has no value",
            first.span,
            advice=f"write `{first.text} = ...`",
        )
        return
    meant = closest(first.text, names) if isinstance(first, t.Name) else None
    advice = f"did you mean `{meant} = ...`?" if meant else f"settings: {listed(names)}"
    findings.error(
        "ATP107",
        f"{owner} holds settings, `name = value`",
        first.span,
        advice=advice if names else "remove it",
    )


def read_value(key: Key, value: t.Expression, findings: Findings) -> Setting:
    """The value of a setting, None (and a problem) if it is not of the key's type."""
    match key.type:
        case "expression":
            return None
        case "int" | "float":
            return _number(key, value, findings)
        case "amount":
            return _amount(key, value, findings)
        case "share":
            return _share(key, value, findings)
        case "bytes" | "time":
            return _quantity(key, value, findings)
        case "bool":
            if isinstance(value, t.Name) and value.text in ON_OFF:
                return ON_OFF[value.text]
        case "word" | "text":
            return _word(key, value, findings)
    _wrong_type(key, value, findings)
    return None


def _number(key: Key, value: t.Expression, findings: Findings) -> Setting:
    number = number_of(value)
    if number is None or (key.type == "int" and not isinstance(number, int)):
        _wrong_type(key, value, findings)
        return None
    too_small = key.minimum is not None and number < key.minimum
    too_large = key.maximum is not None and number > key.maximum
    if too_small or too_large:
        bound = f"at least {key.minimum:,}" if too_small else f"at most {key.maximum:,}"
        message = f"`{key.name}` is {bound}, not {number:,}"
        findings.error(key.code, message, value.span, advice=key.doc)
        return None
    return number


def _amount(key: Key, value: t.Expression, findings: Findings) -> Setting:
    """A count as an int, a percentage as a float between 0 and 1."""
    if not (isinstance(value, t.Number) and value.unit == "%"):
        return _number(replace(key, type="int"), value, findings)
    if value.value > 100:
        advice = "100% is all of them"
        findings.error(key.code, f"`{key.name}` is at most 100%", value.span, advice=advice)
        return None
    return float(value.value) / 100


def _share(key: Key, value: t.Expression, findings: Findings) -> Setting:
    """A percentage, or the number that it is, as a float."""
    percent = isinstance(value, t.Number) and value.unit == "%"
    if isinstance(value, t.Number) and percent:
        share = hundredths(value)
    else:
        number = number_of(value)
        if number is None:
            _wrong_type(key, value, findings)
            return None
        share = float(number)
    low, high = key.minimum or 0.0, 1.0 if key.maximum is None else key.maximum
    if not low <= share <= high:
        bound = f"at least {percentage(low)}" if share < low else f"at most {percentage(high)}"
        written = percentage(share) if percent else f"{share:g}"
        message = f"`{key.name}` is {bound}, not {written}"
        findings.error(key.code, message, value.span, advice=key.doc)
        return None
    return share


def _quantity(key: Key, value: t.Expression, findings: Findings) -> Setting:
    """An amount of memory in bytes, or a time in seconds."""
    quantity = quantity_of(value, key.type)
    if quantity is None:
        _wrong_quantity(key, value, findings)
    elif quantity <= 0:
        message = f"`{key.name}` is more than nothing"
        findings.error(key.code, message, value.span, advice=key.doc)
        return None
    return quantity


def _wrong_quantity(key: Key, value: t.Expression, findings: Findings) -> None:
    message, fix = f"`{key.name}` is {WANTED[key.type]}", None
    advice = f"the units are {units_in_words(key.type)}"
    if isinstance(value, t.Number):
        meant = meant_unit(value.unit, key.type)
        if not value.unit:
            message = f"`{key.name}` needs a unit"
        elif meant is None:
            message = f"`{key.name}` has no unit `{value.unit}`"
        else:
            better = value.text.removesuffix(value.unit) + meant
            message = f"the unit `{value.unit}` is written `{meant}`"
            advice = f"write `{key.name} = {better}`"
            fix = replaced(value.span, better)
    findings.error("ATP108", message, value.span, advice=advice, fix=fix)


def _word(key: Key, value: t.Expression, findings: Findings) -> Setting:
    if not isinstance(value, t.Name | t.String):
        _wrong_type(key, value, findings)
        return None
    word = value.text if isinstance(value, t.Name) else value.value
    allowed = word in key.choices or (key.pattern and re.fullmatch(key.pattern, word))
    if key.choices and not allowed:
        meant = dict(key.synonyms).get(word.lower()) or closest(word, key.choices)
        advice = did_you_mean(meant, f"it may be {listed(key.choices)}")
        findings.error(key.code, f"`{key.name}` cannot be `{word}`", value.span, advice=advice)
        return None
    if not word.strip():
        findings.error(key.code, f"`{key.name}` is empty", value.span, advice=key.doc)
        return None
    return word


def _wrong_type(key: Key, value: t.Expression, findings: Findings) -> None:
    wanted = WANTED[key.type]
    if key.type == "word" and key.choices:
        wanted = f"one of {listed(key.choices)}"
    message, better = f"`{key.name}` is {wanted}", ""
    match value:
        case t.Number(unit="%"):
            message = f"{message}, not a percentage"
        case t.Number(unit=unit, text=text) if unit and key.type in NUMBERS:
            message, better = f"`{key.name}` has no unit", text.removesuffix(unit)
        case t.String(value=text) if key.type in NUMBERS and text.strip().isdecimal():
            message, better = f"{message}, without quotes", text.strip()
        case t.Name(text=text) | t.Number(text=text) if key.type == "bool":
            better = SWITCHES.get(text.lower(), "")
        case t.String(value=text) if key.type == "bool":
            better = SWITCHES.get(text.strip().lower(), "")
        case _:
            pass
    advice = f"write `{key.name} = {better}`" if better else key.doc
    fix = replaced(value.span, better) if better else None
    findings.error("ATP108", message, value.span, advice=advice, fix=fix)
