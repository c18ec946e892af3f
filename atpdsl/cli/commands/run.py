"""`atpdsl run`."""

from __future__ import annotations

import argparse

from atpdsl import driver
from atpdsl.cli.failures import DONE, USAGE
from atpdsl.cli.report import closing, report
from atpdsl.cli.summary import say_summary
from atpdsl.cli.terminal import choose_progress, show, tell, tell_problems, tell_warnings
from atpdsl.runtime.executor import EXECUTORS


def run(chosen: argparse.Namespace) -> int:
    """Run a spec, keep the result, and show what is in it."""
    if chosen.executor is not None and chosen.executor not in EXECUTORS:
        meant = EXECUTORS.closest(chosen.executor)
        known = ", ".join(EXECUTORS.names)
        tell(
            f"atpdsl run: no executor is called `{chosen.executor}`; "
            + (f"did you mean `{meant}`?" if meant else f"there are {known}")
        )
        return USAGE
    planned = driver.plan(
        chosen.spec, offline=chosen.offline, trust_remote_code=chosen.trust_remote_code
    )
    seen = planned.checked.warnings
    if seen and not chosen.json:
        tell_problems(seen, planned.checked.source, json=False)
    result = driver.run_planned(
        planned,
        out=chosen.out,
        progress=choose_progress(quiet=chosen.quiet),
        executor=chosen.executor,
        overwrite=chosen.overwrite,
    )
    if chosen.json:
        say_summary(result)
        return DONE
    tell_warnings(result.record.warnings[len(seen) :])
    show(*report(result), closing(result))
    return DONE
