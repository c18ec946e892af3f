"""Tables on the terminal, and the same lines as JSON for the summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Measured, Ratio, Record
from benchmarks.options import Options

WIDTH = 110


def console() -> Console:
    """As wide as the terminal, and wide enough where there is none."""
    return Console() if sys.stdout.isatty() else Console(width=WIDTH)


class Report:
    """The lines of one benchmark, told when it is finished.

    Args:
        claim: the name of the script.
        setting: model and prompts, where they are not those of the options.
    """

    def __init__(
        self, claim: str, title: str, options: Options, setting: str | None = None
    ) -> None:
        self.claim, self.options = claim, options
        self.setting = setting or f"{options.sizes}, {options.random_pairs()}"
        self.title = f"{title}: {self.setting}"
        self.records: list[Record] = []
        self.notes: list[str] = []

    def line(
        self,
        work: str,
        who: str,
        measured: Measured,
        against: tuple[str, Measured],
        *,
        unit: str = "CPU s",
    ) -> None:
        """A contestant against another one of the same rounds, which has a name of its own."""
        reference, other = against
        self._add(work, who, measured, reference, measured.over(other), unit)

    def faster(
        self, work: str, who: str, measured: Measured, against: tuple[str, Measured]
    ) -> None:
        """How many times faster a contestant is than another one."""
        name, other = against
        self._add(work, who, measured, f"faster than {name}", other.over(measured), "CPU s")

    def _add(
        self, work: str, who: str, measured: Measured, reference: str, ratio: Ratio, unit: str
    ) -> None:
        self.add(
            Record(
                claim=self.claim,
                work=work,
                who=who,
                setting=self.setting,
                seconds=measured.median,
                reference=reference,
                ratio=ratio,
                unit=unit,
            )
        )

    def add(self, record: Record) -> None:
        """A line that was made elsewhere."""
        self.records.append(record)

    def note(self, text: str) -> None:
        """A sentence under the table."""
        self.notes.append(text)

    def table(self) -> Table:
        """All lines; a column says what the ratios are to."""
        table = Table(title=self.title, title_justify="left")
        for column in ("work", "by"):
            table.add_column(column)
        for column in ("measured", "ratio", "quartiles"):
            table.add_column(column, justify="right")
        table.add_column("x")
        for one in self.records:
            table.add_row(
                one.work,
                one.who,
                f"{one.seconds:.4g} {one.unit}",
                str(one.ratio),
                one.ratio.spread,
                one.reference,
            )
        return table

    def finish(self) -> None:
        """Prints, and writes what the summary reads."""
        out = console()
        out.print(self.table())
        for text in self.notes:
            out.print(text)
        if self.options.json is not None:
            write(self.options.json, self.records)


def write(path: Path, records: Iterable[Record]) -> None:
    """Lines for the summary."""
    path.write_text(json.dumps([one.as_json() for one in records], indent=1), encoding="utf-8")
