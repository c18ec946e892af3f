"""Messages to the user: places in a text, problems at them, their codes and renderings."""

from atpdsl.problems.problem import Fix, Label, Problem, RunError, Severity, SpecError
from atpdsl.problems.source import Source, Span

__all__ = ["Fix", "Label", "Problem", "RunError", "Severity", "Source", "Span", "SpecError"]
