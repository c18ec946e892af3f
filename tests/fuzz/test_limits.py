"""Small texts that ask for very much: each ends soon, with a problem that says why.

What is too deep or too large for the parser is in `tests/syntax/test_limits.py`.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from atpdsl.checking import check_source
from atpdsl.elaboration import values
from atpdsl.problems import Problem, Source
from atpdsl.syntax.limits import MOST_PROBLEMS
from tests.fuzz.front_end import OFFLINE, check_problems
from tests.semantics.words import complete

# The slowest takes a few seconds; without a bound all of them would take minutes or for ever.
MOST_SECONDS = 20.0
LINES = 'template "{A} b"\nslot A in 0..9\ncorrupt A -> other\nanswer " a" vs " b"\n'


def prompts(lines: str) -> str:
    return complete(f"prompts {{\n{lines}\n}}")


def chain(link: str, last: str, number: int = 40) -> str:
    """Definitions of which each needs the next one twice."""
    lets = [f"let a{n} = {link.replace('NEXT', f'a{n + 1}')}" for n in range(number)]
    return "\n".join([*lets, f"let a{number} = {last}"])


def slots(names: str, values: str) -> str:
    places = "".join(f"{{{name}}}" for name in names)
    lines = "\n".join(f"slot {name} in {values}" for name in names)
    return f'template "{places}"\n{lines}\ncorrupt A -> other\nanswer " a" vs " b"'


def study(text: str, base: Path) -> list[str]:
    """The codes of a text's problems, found in bounded time."""
    began = time.process_time()
    found = check_source(Source("a.atp", text), base, OFFLINE)
    check_problems(found.problems, found.source)

    assert time.process_time() - began < MOST_SECONDS
    assert len(found.problems) <= MOST_PROBLEMS + 1
    assert all(_readable(problem) for problem in found.problems)
    return [problem.code for problem in found.problems]


def _readable(problem: Problem) -> bool:
    return len(problem.help) < 5_000


ELABORATION = {
    "lists that double": (
        complete(chain("[NEXT, NEXT]", "[1, 2]") + "\nverify { top = a0 }"),
        "ATP144",
    ),
    "texts that double": (
        complete(chain('"{NEXT}{NEXT}"', '"xxxxxxxx"') + '\nexport "{a0}.csv"'),
        "ATP144",
    ),
    "powers": (complete(chain("NEXT * NEXT", "1000") + "\nverify { top = a0 }"), "ATP140"),
    "a circle": (complete("let a = b\nlet b = a\nverify { top = a }"), "ATP138"),
    "a division by zero": (complete("let a = 1 / (2 - 2)\nrun { seed = a }"), "ATP140"),
    "a product of sweeps": (
        complete("\n".join(f"sweep s{n} in 0..99" for n in range(10)) + "\nrun { seed = s0 }"),
        "ATP146",
    ),
    "a long sweep": (complete("sweep s in 0..999999999\nrun { seed = s }"), "ATP146"),
    "a sweep of many words": (
        complete(f"sweep s in [{', '.join(map(str, range(20_000)))}]\nrun {{ seed = s }}"),
        "ATP146",
    ),
    "many sets of prompts": (
        complete(
            "\n".join(f"prompts p{n} {{ {LINES.replace(chr(10), ';')} }}" for n in range(1_100))
        ),
        "ATP146",
    ),
    "a file that includes itself": (complete('include "self.atp"'), "ATP133"),
    "a chain of files": (complete('include "chain0.atp"'), "ATP131"),
    "a tree of files": (complete('include "tree0.atp" as t'), "ATP134"),
}
MEANING = {
    "a long range": (prompts(slots("A", "0..999999999999")), "ATP225"),
    "many long ranges": (prompts(slots("A", f"[{', '.join(['0..99999'] * 500)}]")), "ATP228"),
    "sums of long ranges": (
        prompts(slots("A", " + ".join(["[0..99999]"] * 30))),
        "ATP228",
    ),
    "many answers": (prompts(LINES.replace('" a" vs " b"', "0..99999 vs 1")), "ATP228"),
    "a long computed range": (
        complete("metric m = prob(two_digits(0..999999999)) at last"),
        "ATP233",
    ),
    "a wide format": (prompts(LINES.replace("{A}", "{A:0999999999}")), "ATP241"),
    "a precise format": (prompts(LINES.replace("{A}", "{A:.999999999f}")), "ATP241"),
    "very many pairs": (prompts(LINES + "count = 999999999999999"), "ATP109"),
    "a far-off layer": (complete("nodes { mlp[L999999999] at last }"), "ATP222"),
    "a far-off neuron": (complete("nodes { neurons[L0N999999999] at last }"), "ATP271"),
    "a far-off position": (complete("nodes { mlp at last - 999999999 }"), "ATP261"),
    "a name that no file can have": (complete(f'model "./{"x/" * 100_000}"'), "ATP302"),
    "a name that no model can have": (complete(f'model "{"x" * 500_000}"'), "ATP300"),
    "the same mistake very often": (
        complete("verify {\n" + "tpo = 20\n" * 5_000 + "}"),
        "ATP015",
    ),
    "a mistake in very many pairs": (
        prompts('pair "Mary went" -> "John went" { answer " xx" vs " yy" }\n' * 2_000),
        "ATP015",
    ),
    "very many equal selections": (
        complete("nodes {\n" + "heads.z at every\n" * 1_000 + "}"),
        "ATP015",
    ),
}
BINDING = {
    "a product of slots": (prompts(slots("ABCD", "0..9999") + "\ncount = 4"), "ATP256"),
    "a very long template": (
        prompts(LINES.replace(" b", "word " * 100_000, 1)),
        "ATP253",
    ),
    "very many slots": (
        prompts(
            'template "'
            + "".join(f"{{A{n}}}" for n in range(1_000))
            + '"\n'
            + "\n".join(f"slot A{n} in 0..9" for n in range(1_000))
            + '\ncorrupt A0 -> other\nanswer " a" vs " b"'
        ),
        "ATP253",
    ),
    "a condition that nothing fulfils": (
        prompts(LINES.replace("0..9", '0..5000 where token_count("{A}") == 99')),
        "ATP268",
    ),
    "pairs of which none is kept": (
        prompts(slots("AB", "0..99") + '\nkeep = token_count("{A}") == 99'),
        "ATP243",
    ),
}
PATTERNS = (
    r"(b+)+$",
    r"(b|b)*c",
    r"b{9999}{9999}",
    "(" * 100 + "b" + ")" * 100,
    r"(.*?,){11}P",
    r"(b*)*(b*)*(b*)*c",
    r"(?:(?:b*)*)*c",
    r"(b?){60}b{60}",
    "b" * 5_000,
    r"(?=(b+)+c)",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("limits")
    (base / "self.atp").write_text('atp 1\ninclude "self.atp"\n')
    for number in range(30):
        following = number + 1
        (base / f"chain{number}.atp").write_text(f'atp 1\ninclude "chain{following}.atp"\n')
        twice = "".join(f'include "tree{following}.atp" as {name}\n' for name in "xy")
        (base / f"tree{number}.atp").write_text(f"atp 1\n{twice}")
    return base


@pytest.mark.parametrize(("text", "code"), ELABORATION.values(), ids=ELABORATION)
def test_names_files_and_sweeps_are_bounded(folder, text, code, monkeypatch):
    # A tenth of what is allowed, so that the test takes a tenth of the time.
    monkeypatch.setattr(values, "LARGEST_EXPANSION", values.LARGEST_EXPANSION // 10)

    assert code in study(text, folder)


@pytest.mark.parametrize(("text", "code"), MEANING.values(), ids=MEANING)
def test_lists_numbers_and_problems_are_bounded(folder, text, code):
    assert code in study(text, folder)


@pytest.mark.parametrize(("text", "code"), BINDING.values(), ids=BINDING)
def test_prompts_are_bounded(folder, text, code):
    assert code in study(text, folder)


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_patterns_are_bounded(folder, pattern):
    lines = LINES.replace("{A} b", "b" * 40 + " {A}")

    study(prompts(f'{lines}pos p = match(r"{pattern}")'), folder)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"let s{n} = s{n + 1}" for n in range(2_000)) + "\nlet s2000 = 1",
        "\n".join(f"let s{n} = {n}" for n in range(5_000)),
        "\n".join(f'param p{n} = {n} {{ help = "x" }}' for n in range(2_000)),
        "let t = table(" + ", ".join(['["a", "b"]'] * 3_000) + ")",
        "nodes { heads.z[" + ", ".join(["L0..L3"] * 3_000) + "] at last }",
        "nodes { heads.z at " + ", ".join(["last"] * 3_000) + " }",
        "export " + ", ".join(f'"a{n}.csv"' for n in range(1_000)),
        "metric m = " + " + ".join(['prob(" Rome")'] * 60) + " at last",
        "# x\n" * 30_000,
        "let " + "a" * 100_000 + " = 1",
        "verify { " + "; ".join(f"{'ab' * 500}{n} = 1" for n in range(200)) + " }",
        'let a = "x"\nmodel "' + "{a}" * 20_000 + '"',
    ],
    ids=range(12),
)
def test_long_specs_are_checked_in_reasonable_time(folder, text):
    study(complete(text), folder)
