"""JUnit XML, as CI services and editors read it: a suite for every run, a case for every line.

There is no standard; this is what pytest writes (its `xunit2`), which all readers take: suites
with counts, cases with `failure` for what does not hold or cannot be decided, and `error`
where there is no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from atpdsl.cli.testing import Case, Outcome, Suite
from atpdsl.problems.clean import clean
from atpdsl.results.harmless import harmless


def junit(suites: Sequence[Suite]) -> str:
    """The report as text, with an XML declaration for UTF-8."""
    root = Xml.Element("testsuites", {"name": "atpdsl", **_counts(suites)})
    for suite in suites:
        root.append(_suite(suite))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, "unicode")}\n'


def _suite(suite: Suite) -> Xml.Element:
    attributes = {"name": _text(suite.title), **_counts([suite])}
    if suite.started:
        # Readers want no offset.
        attributes["timestamp"] = _text(suite.started.removesuffix("+00:00"))
    element = Xml.Element("testsuite", attributes)
    if suite.problems:
        element.append(_error(suite))
    elif not suite.cases:
        case = _case_element(suite, "expect")
        Xml.SubElement(case, "skipped", {"message": "the spec has no `expect`"})
        element.append(case)
    element.extend(_case(suite, case) for case in suite.cases)
    return element


def _case(suite: Suite, case: Case) -> Xml.Element:
    element = _case_element(suite, case.text)
    if case.outcome is not Outcome.HOLDS:
        message = {"message": _text(case.detail), "type": case.outcome.value}
        what = "does not hold" if case.outcome is Outcome.FAILS else "cannot be decided"
        failure = Xml.SubElement(element, "failure", message)
        failure.text = _text(f"{case.text} {what}: {case.detail}")
    return element


def _error(suite: Suite) -> Xml.Element:
    element = _case_element(suite, "run")
    messages = [f"{one.code}: {one.message}" for one in suite.problems]
    error = Xml.SubElement(
        element, "error", {"message": _text(messages[0]), "type": suite.problems[0].code}
    )
    error.text = _text("; ".join(messages))
    return element


def _case_element(suite: Suite, name: str) -> Xml.Element:
    return Xml.Element(
        "testcase", {"classname": _text(suite.title), "name": _text(name), "time": "0.000"}
    )


def _counts(suites: Sequence[Suite]) -> dict[str, str]:
    cases = [case for suite in suites for case in suite.cases]
    errors = sum(bool(suite.problems) for suite in suites)
    skipped = sum(not suite.problems and not suite.cases for suite in suites)
    failed = sum(case.outcome is not Outcome.HOLDS for case in cases)
    return {
        "tests": str(len(cases) + errors + skipped),
        "failures": str(failed),
        "errors": str(errors),
        "skipped": str(skipped),
        "time": f"{sum(suite.seconds for suite in suites):.3f}",
    }


def _text(text: str) -> str:
    """What XML can hold and no log viewer obeys; the writer escapes the rest."""
    return harmless(clean(text))
