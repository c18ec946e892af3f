"""Results that exports are tried on."""

from __future__ import annotations

from dataclasses import replace

from atpdsl.results.result import Result
from tests.results.raw import Raw, diagnosed, diagnosed_result
from tests.results.samples import experiment, result

HOSTILE = (
    "\x00\x01\x08",
    "\x1b[2J\x1b]0;title\x07",
    "\ud800lone",
    "\ufffe\uffff\x85\x9b31m",
    "=HYPERLINK('http://example.org')",
    "a\tb\r\nc",
    "+1-1",
    "</script><img src=x onerror=alert(1)>&lt;]]>'\"",
    "@a[red]$x$ \\N|`",
)
PAYLOADS = ("<img", "</script", "\x1b", "\x00", "\x07")


def hostile() -> Result:
    """Texts of the model and of the spec that mean harm."""
    named = replace(
        experiment(), name="<img src=x onerror=alert(1)>", doc="\x1b[31m <script>|`$a$\n\n# b"
    )
    return result(spell=HOSTILE.__getitem__, experiment=named)


def exact_cancellation() -> Result:
    """Every column there is, and a number that is infinite."""
    raw = Raw()
    raw.fixed[:, 22] = 0.0
    return diagnosed_result(diagnosed(raw))
