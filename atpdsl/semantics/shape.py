"""What the schema is made of: shapes of statements, and the keys of their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atpdsl.semantics.experiment import Setting
from atpdsl.semantics.signature import Param

Plain = Literal["int", "float", "bool", "word", "text"]
KeyType = Literal[Plain, "amount", "share", "bytes", "time", "expression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One `name = value` of a body.

    Attributes:
        type: `word` and `text` take a word or a string; `amount` a count (an int) or a
            percentage of all nodes (a float, 5% is 0.05); `share` a percentage or the number
            that it is (always a float); `bytes` memory as `4GB` (an int), `time` as `10min` (a
            float, in seconds); `expression` is read elsewhere.
        default: what holds where the key is left out; None is "chosen elsewhere".
        choices: the words allowed, for type `word`; empty is any.
        pattern: a regular expression for words beside the `choices`.
        synonyms: words that are not allowed, and what they probably mean.
        code: the problem of a value that is not allowed.
        later: part of the language, but not of this version.
        instead: for a `later` one: what there is in this version.
    """

    name: str
    type: KeyType
    doc: str
    default: Setting = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    synonyms: tuple[tuple[str, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    code: str = "ATP109"
    later: bool = False
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a statement may hold.

    Attributes:
        form: how it is written, with words in capitals for what is to be filled in.
        example: a line or two that show it, and can be run.
        keys: its settings.
        statements: words of statements allowed in its body; `selection` is a list of nodes.
        parts: words that may stand alone in its body, with settings of their own.
        once, required: at most one, at least one in a spec.
        later: part of the language, but not of this version.
    """

    word: str
    doc: str
    form: str = ""
    example: str
    keys: tuple[Key, ...] = ()
    statements: tuple[str, ...] = ()
    parts: tuple[Shape, ...] = ()
    once: bool = False
    required: bool = False
    later: bool = False

    def key(self, name: str) -> Key | None:
        """The key of that name, None if there is none."""
        return next((key for key in self.keys if key.name == name), None)


def key_of(param: Param) -> Key:
    """The key that sets a parameter of a method or metric."""
    return Key(
        name=param.name,
        type=param.type,
        doc=param.doc,
        default=param.default,
        choices=param.choices,
        minimum=param.minimum,
        maximum=param.maximum,
        synonyms=_switches(param.choices),
    )


def _switches(choices: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Other words for `on` and `off`, where these are among the choices."""
    words = {"on": ("true", "yes"), "off": ("false", "no", "none")}
    return tuple((other, word) for word in words if word in choices for other in words[word])


def later_keys(**docs: str) -> tuple[Key, ...]:
    """Keys of later versions, by name, each with what it will do."""
    return tuple(
        Key(name=name, type="expression", doc=doc, later=True) for name, doc in docs.items()
    )
