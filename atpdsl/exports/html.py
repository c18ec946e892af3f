"""HTML: the whole report as one offline page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def write(result: Result, path: Path) -> None:
    """Write the page."""
    path.write_text(text(result), encoding="utf-8", errors="replace")


def text(result: Result) -> str:
    """The text of the page; it makes no request of any kind."""
    from atpdsl.exports.report_page import page
    from atpdsl.exports.report_page.payload import payload

    data = payload(result)
    version = result.record.provenance.versions.get("atpdsl", "")
    return page(data, title=str(data["title"]), generator=f"atpdsl {version}".strip())


HTML = Exporter(
    name="html",
    suffixes=(".html", ".htm"),
    summary="the report: one offline page with circuit, heatmaps, trust, prompts and tables",
    write=write,
)
