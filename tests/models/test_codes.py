import re
from pathlib import Path

import atpdsl
from atpdsl.problems.codes.model import CODES_MODEL


def test_codes_are_those_that_the_package_uses_in_order() -> None:
    sources = [
        path.read_text(encoding="utf-8")
        for path in Path(atpdsl.__path__[0]).rglob("*.py")
        if path.parent.name != "codes"
    ]
    used = sorted(set(re.findall(r'"(ATP3\d\d)"', "\n".join(sources))))

    assert [code.code for code in CODES_MODEL] == used


def test_codes_are_explained() -> None:
    assert all(code.title and len(code.explanation) > 60 for code in CODES_MODEL)
    assert all(bool(code.bad) <= bool(code.good) for code in CODES_MODEL)
