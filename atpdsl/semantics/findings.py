"""The problems found while a spec is resolved."""

from __future__ import annotations

from atpdsl.problems import Fix, Label, Problem, Severity, Span
from atpdsl.problems.fixes import did_you_mean

__all__ = ["Findings", "did_you_mean", "listed"]


class Findings:
    """A list of problems that grows."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(
        self,
        code: str,
        message: str,
        at: Span,
        *,
        advice: str = "",
        also: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Adds what stops the run; a misspelled word needs no `fix`, see `did_you_mean`."""
        self.problems.append(
            Problem(code=code, message=message, at=Label(at), also=also, help=advice, fix=fix)
        )

    def warning(self, code: str, message: str, at: Span, *, advice: str = "") -> None:
        """Adds what only has to be known."""
        self.problems.append(
            Problem(
                code=code,
                message=message,
                at=Label(at),
                help=advice,
                severity=Severity.WARNING,
            )
        )

    def not_yet(self, what: str, at: Span, *, advice: str = "") -> None:
        """Adds that something is part of the language, but not of this version."""
        advice = advice or "leave it out: it can be read, but this version cannot run it"
        self.error("ATP110", f"{what} is not in this version", at, advice=advice)

    def __len__(self) -> int:
        return len(self.problems)


def listed(names: tuple[str, ...]) -> str:
    """Names in backticks, with commas between them."""
    return ", ".join(f"`{name}`" for name in names)
