"""Texts that are nearly, or not at all, specs. A seed gives a text again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

from atpdsl.problems.codes import CODES
from atpdsl.syntax.tokens import rough_tokens
from atpdsl.syntax.words import BODY_STATEMENTS, STATEMENTS
from tests.fuzz.specs import write_spec
from tests.fuzz.trust import write_trust
from tests.semantics.words import DEFAULTS, complete

ROOT = Path(__file__).parents[2]
WHOLE_LANGUAGE = ROOT / "tests" / "syntax" / "whole_language.atp"
WORDS = (
    *"{}[]()\"'=:;,*+-/<>#.\\%`\n\t\0",
    *('"""', 'r"', "\r\n", "\r", "##", "->", "..", "==", ">=", "<=", "!=", "\\u{", "{{", "}}"),
    *(
        "{S}",
        "{S as S2}",
        "{x:02}",
        "{x:0999999999}",
        "{row.x}",
        "{x:>5}",
        "{x!r}",
        "{0}",
        "{}",
    ),
    *("atp", "atp*", "atp 1", "model", "prompts", "nodes", "method", "verify", "export", "run"),
    *("let", "param", "sweep", "include", "edges", "diagnose", "circuit", "expect", "metric"),
    *(
        "pair",
        "template",
        "slot",
        "corrupt",
        "answer",
        "pos",
        "at",
        "in",
        "vs",
        "where",
        "from",
    ),
    *(
        "not",
        "and",
        "or",
        "as",
        "heads.q",
        "heads.z[L9H6]",
        "L9H6",
        "9.6",
        "5%",
        "10min",
        "last",
    ),
    *(
        "every",
        "sequence",
        "row.x",
        "x",
        '"x"',
        '""',
        "[]",
        "()",
        "{ }",
        "[1, 2]",
        'match(r"(")',
    ),
    *(
        "1e999",
        "999999999999",
        "-1",
        "0",
        "1_000",
        "0..999999999",
        "8..",
        "..3",
        "1e15",
        "99..1",
    ),
    *(
        "\ufeff",
        "\u202e",
        "\ud800",
        "\u2019",
        "\u201cx\u201d",
        "日",
        "é",
        "\u0301",
        "\U0001f600",
    ),
    *(
        "\u2028",
        "\u00a0",
        "\x0b",
        "\x0c",
        "\x85",
        "\x1b[31m",
        "→",
        "–",
        "lib:names",
        "lib:",
        "..",
    ),
    *("prob_diff", "kl", "logprob", "prob", "logit", "entropy", "int", "lines", "csv", "jsonl"),
    *("cancellation", "subset_sampling", "index", "missed_effect", "misses(top = 5) < 5%"),
    *("hf", "single_token", "two_digits", "token_count", "table", "other", "greedy", "sample"),
)
LETTERS = "abz_ AZ09{}()[]\"\\#;.,=-+*/<>\n\t\r'é日\u202e\u2028\ud800\U0001f600\0\x1b"
DEEP = (
    "(",
    "[",
    "{ a ",
    "f(",
    "not ",
    "-",
    "x.",
    "1 + ",
    "[[",
    "({",
    "a = b { ",
    "a[",
    "{ run ",
)
NUMBER = re.compile(r"[0-9]+")
EXAMPLE = re.compile(r"^```atp\S*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


PAIR = """\
prompts {
  pair "Mary went to the store" -> "John went to the store" { answer " Mary" vs " John" }
}"""


@cache
def shipped_specs() -> tuple[str, ...]:
    """Whole specs, most of them without mistakes and for the model that comes with atpdsl."""
    shipped = (*ROOT.glob("specs/*.atp"), *ROOT.glob("atpdsl/library/*.atp"), WHOLE_LANGUAGE)
    return tuple(path.read_text(encoding="utf-8") for path in sorted(shipped))


@cache
def examples() -> tuple[str, ...]:
    """The examples of the documentation and of the problems' explanations, made whole."""
    pages = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/*.md"))]
    found = [example for page in pages for example in EXAMPLE.findall(page)]
    found += [spec for code in CODES.values() for spec in (code.good, code.bad) if spec]
    return tuple(map(_whole, found))


def _whole(example: str) -> str:
    """An example with the block that it belongs into and the statements that it lacks."""
    first = example.split(maxsplit=1)[0]
    if first in BODY_STATEMENTS and first != "let":
        example = f"prompts {{\n{example}\n}}"
    elif first not in STATEMENTS and not first.startswith(("#", "{", "[")):
        example = f"nodes {{\n{example}\n}}"
    return complete(example).replace(DEFAULTS["prompts"], PAIR)


# ---- kinds of texts ----


def _generated(random: Random) -> str:
    return write_spec(random)


def _trusting(random: Random) -> str:
    """A whole spec about how far its estimates can be trusted; some with one small change."""
    text = complete(write_trust(random)).replace(DEFAULTS["prompts"], PAIR)
    return _mutation(random)(text, random) if random.randrange(4) == 0 else text


def _mutated(random: Random) -> str:
    """A spec, or two spliced, with a few words changed."""
    text = _spec(random)
    for _ in range(1 + random.randrange(4)):
        text = _mutation(random)(text, random)
    return text


def _mutated_once(random: Random) -> str:
    """A whole spec with one small change, so that much of it is still right."""
    texts = shipped_specs() if random.randrange(3) else examples()
    return random.choice((_borrow, _borrow, _number, _copy_lines))(random.choice(texts), random)


def _soup(random: Random) -> str:
    space = random.choice(("", " ", " ", "\n"))
    return space.join(random.choices(WORDS, k=random.randrange(60)))


def _letters(random: Random) -> str:
    return "".join(random.choices(LETTERS, k=random.randrange(300)))


def _bytes(random: Random) -> str:
    raw = random.randbytes(random.randrange(200))
    return raw.decode("utf-8", random.choice(("replace", "surrogateescape", "ignore")))


def _spec(random: Random) -> str:
    kind = random.randrange(6)
    if kind == 0:
        return write_spec(random)
    return random.choice(shipped_specs() if kind < 4 else examples())


KINDS: tuple[Callable[[Random], str], ...] = (
    *(_mutated_once,) * 6,
    *(_mutated,) * 5,
    *(_generated,) * 3,
    *(_trusting,) * 2,
    _soup,
    _letters,
    _bytes,
)


def text_of(seed: int) -> str:
    """The text of a seed."""
    random = Random(seed)
    return random.choice(KINDS)(random)


# ---- mutations ----


def _words(text: str) -> list[tuple[int, int]]:
    return [(token.start, token.end) for token in rough_tokens(text)] or [(0, len(text))]


def _pick(text: str, random: Random) -> tuple[int, int]:
    return random.choice(_words(text))


def _delete(text: str, random: Random) -> str:
    start, end = _pick(text, random)
    return text[:start] + text[end:]


def _double(text: str, random: Random) -> str:
    start, end = _pick(text, random)
    return text[:end] + random.choice(("", " ", "\n")) + text[start:end] + text[end:]


def _insert(text: str, random: Random) -> str:
    start, _ = _pick(text, random)
    return f"{text[:start]}{random.choice(WORDS)} {text[start:]}"


def _replace(text: str, random: Random) -> str:
    start, end = _pick(text, random)
    return text[:start] + random.choice(WORDS) + text[end:]


def _swap(text: str, random: Random) -> str:
    """Two words change places."""
    (a, b), (c, d) = sorted((_pick(text, random), _pick(text, random)))
    return text if b > c else text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _borrow(text: str, random: Random) -> str:
    """A word in the place of another one of its sort, so that the shape stays right."""
    tokens = rough_tokens(text)
    if not tokens:
        return text
    place = random.choice(tokens)
    other = random.choice([token for token in tokens if token.mark is place.mark])
    return text[: place.start] + text[other.start : other.end] + text[place.end :]


def _truncate(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    return random.choice((text[:at], text[at:]))


def _splice(text: str, random: Random) -> str:
    other = _spec(random)
    return text[: random.randrange(len(text) + 1)] + other[random.randrange(len(other) + 1) :]


def _drop_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    del lines[random.randrange(len(lines))]
    return "\n".join(lines)


def _copy_lines(text: str, random: Random) -> str:
    """Some lines once more, somewhere."""
    lines = text.split("\n")
    start = random.randrange(len(lines))
    at = random.randrange(len(lines) + 1)
    lines[at:at] = lines[start : start + 1 + random.randrange(4)]
    return "\n".join(lines)


def _character(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(LETTERS) + text[at + random.randrange(3) :]


def _number(text: str, random: Random) -> str:
    """A number becomes another one, some of them absurd."""
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return text
    chosen = random.choice(numbers)
    new = random.choice(("0", "1", "2", "7", "31", "1000", "999999999", "1" * 30, "1" * 500))
    return text[: chosen.start()] + new + text[chosen.end() :]


def _deepen(text: str, random: Random) -> str:
    start, _ = _pick(text, random)
    return text[:start] + random.choice(DEEP) * random.choice((3, 30, 70, 1000)) + text[start:]


def _lengthen(text: str, random: Random) -> str:
    """A very long line."""
    start, end = _pick(text, random)
    return text[:start] + (text[start:end] + random.choice((" ", "", ", "))) * 300 + text[end:]


MUTATIONS: Sequence[Callable[[str, Random], str]] = (
    *(_replace, _borrow, _borrow, _borrow, _swap, _number, _number, _drop_line, _copy_lines)
    * 2,
    *(_delete, _delete, _double, _insert, _truncate, _splice, _character),
    *(_deepen, _lengthen),
)


def _mutation(random: Random) -> Callable[[str, Random], str]:
    return random.choice(MUTATIONS)
