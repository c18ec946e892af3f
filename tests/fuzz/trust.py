"""Specs that verify, diagnose and expect at random; about a third of them has a meaning."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from atpdsl.semantics.diagnosis import FLAG_QUANTITIES
from atpdsl.semantics.diagnosis_schema import DIAGNOSE, VERIFY
from atpdsl.semantics.shape import Key

NODES = (
    "heads.q, heads.k at every",
    "heads.z, heads.q at last",
    "heads.k, mlp at every",
    "neurons[L0] at last",
)
METHODS = (
    *("atp", "atp*", "ap", "back = atp { direction = denoising }", "star = atp*"),
    *("some = atp { qk_fix = on; grad_drop = every_layer }", "subsampling { inclusion = 3% }"),
    *("hierarchical { most = 5% }", "random", "blocks"),
)
LABELS = ("atp", "atp*", "ap", "back", "star", "subsampling", "[atp, atp*]", "[]", "truth")
# Numbers of which some are right for each setting.
COUNTS = ("5", "20", "100", "5%", "50%")
SHARES = ("1%", "2%", "50%", "90%", "99%", "99.9%")
ODD = ("0", "1", "0.5", "-1", "1000000", "100%", "1e9", "many")
OPERATORS = ("<", "<=", "==", "!=", ">=", ">")
PARTS = tuple(part.word for part in DIAGNOSE.parts)
QUANTITIES = tuple(name for names in FLAG_QUANTITIES.values() for name in names)
DEEPEST = 3


def write_trust(random: Random) -> str:
    """Lines of a spec, without its model, prompts and metric."""
    return _Writer(random).lines()


class _Writer:
    """Writes the lines of one spec, with something odd in one place of thirty."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.labels: tuple[str, ...] = LABELS

    def one(self, choices: Sequence[str]) -> str:
        return self.random.choice(choices)

    def odd(self) -> bool:
        return self.random.randrange(30) == 0

    def lines(self) -> str:
        methods = self.random.sample(METHODS, self.random.randrange(1, 4))
        self.labels = tuple(name.split()[0] for name in methods)
        lines = [f"nodes {{ {self.one(NODES)} }}", *(f"method {name}" for name in methods)]
        if self.random.randrange(5):
            lines.append(f"verify {{ {self.settings(VERIFY.keys)} }}")
        if self.random.randrange(6):
            parts = self.random.sample(DIAGNOSE.parts, self.random.randrange(1, 4))
            written = (self.part(part.word, part.keys) for part in parts)
            lines.append(f"diagnose {{ {'; '.join(written)} }}")
        if self.random.randrange(3) == 0:
            lines.append(f"expect {{ {self.expectation()} }}")
        return "\n".join(lines)

    def part(self, word: str, keys: Sequence[Key]) -> str:
        body = f" {{ {self.settings(keys, word)} }}" if self.random.randrange(3) else ""
        return f"{word}{body}"

    # ---- settings ----

    def settings(self, keys: Sequence[Key], part: str = "") -> str:
        now = [key for key in keys if not key.later]
        chosen = self.random.sample(now, self.random.randrange(len(now) + 1))
        return "; ".join(f"{key.name} = {self.value(key, part)}" for key in chosen)

    def value(self, key: Key, part: str) -> str:
        if self.odd():
            return self.one((*ODD, *SHARES))
        match key.name, key.type:
            case "flag", _:
                return self.condition(part, 0)
            case "stop_when", _:
                return f"misses(top = {self.one(('2', '5', '20'))}) < {self.one(SHARES[:3])}"
            case "method", _:
                return self.label()
            case _, "bool":
                return self.one(("on", "off"))
            case _, "share":
                return self.one(SHARES[:3] if key.maximum == 0.5 else SHARES[2:])
            case _, "word":
                return self.one(key.choices)
            case _, "amount":
                return self.one(COUNTS)
            case _:
                return self.one(COUNTS[:3])

    def label(self) -> str:
        return self.one(LABELS if self.odd() else self.labels)

    # ---- flags ----

    def condition(self, part: str, depth: int) -> str:
        kind = self.random.randrange(6 if depth < DEEPEST else 3)
        if kind < 3:
            first = f" {self.quantity(part)} {self.one('+-*/')} {self.number(part, depth)} "
            return f"{first}{self.one(OPERATORS)}{self.number(part, depth)}"
        if kind == 3:
            return f"not {self.condition(part, depth + 1)}"
        sides = (self.condition(part, depth + 1), self.condition(part, depth + 1))
        return self.one((" and ", " or ")).join(sides)

    def number(self, part: str, depth: int) -> str:
        kind = self.random.randrange(8 if depth < DEEPEST else 6)
        if kind < 6:
            return f" {self.quantity(part) if kind < 3 else self.one((*COUNTS, *SHARES))} "
        sides = (self.number(part, depth + 1), self.number(part, depth + 1))
        return f" ({self.one('+-*/').join(sides)}) "

    def quantity(self, part: str) -> str:
        own = tuple(FLAG_QUANTITIES.get(part, QUANTITIES))
        return self.one(QUANTITIES if self.odd() else own)

    # ---- questions ----

    def expectation(self) -> str:
        arguments = [f"method = {self.label()}"] if self.random.randrange(2) else []
        if self.random.randrange(2):
            asked = ", ".join((self.one(PARTS), *arguments))
            return f"flagged({asked}) {self.one(OPERATORS)} 5"
        if self.random.randrange(2):
            arguments.append(f"confidence = {self.one(SHARES)}")
        return f"upper_bound({', '.join(('missed_effect', *arguments))}) < 0.1"
