"""What the arguments of a command allow, and the values that they give to a spec."""

from __future__ import annotations

import argparse

from atpdsl.checking import Access
from atpdsl.problems import Problem, SpecError


def access(chosen: argparse.Namespace) -> Access:
    """The access of a command with `--offline`, `--trust-remote-code` and `-p`.

    Raises:
        SpecError: when a name is given twice.
    """
    given: dict[str, str] = {}
    for name, value in chosen.given:
        if name in given:
            message = f"`-p {name}=...` is given twice"
            advice = f"for several values write `-p {name}={given[name]},{value}`"
            raise SpecError([Problem(code="ATP427", message=message, help=advice)])
        given[name] = value
    return Access(
        offline=chosen.offline, trust_remote_code=chosen.trust_remote_code, given=given
    )
