"""A page of a result in headless Chromium, and everything that it asks for or complains of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# What would ask for something by itself is off.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY = "html[data-ready=yes]"


@dataclass
class Opened:
    """A page, its requests and what became of them, and what it has said."""

    page: Any
    requests: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def show(self, view: str) -> None:
        """Another view, by its tab."""
        self.page.click(f"#tab-{view}")
        self.page.wait_for_selector(f"#view-{view}:not([hidden])")

    @property
    def hash(self) -> str:
        """What is behind the # of the address."""
        return str(self.page.evaluate("location.hash"))


# Not of the session: Playwright's loop would run on under the tests of other modules.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium (Debian's package `chromium`)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Opened]]:
    """Opens a file, with a hash, in a window of its own."""
    contexts = []

    def open_file(
        path: Path, hash_: str = "", *, dark: bool = False, width: int = 1280
    ) -> Opened:
        context = chromium.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 800},
            bypass_csp=False,
        )
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("response", lambda response: found.answered.append(response.url))
        found.page.on("requestfailed", lambda request: found.refused.append(request.url))
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.goto(f"{path.as_uri()}{hash_}")
        found.page.wait_for_selector(READY, timeout=30_000)
        return found

    yield open_file
    for context in contexts:
        context.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots are kept: `ATPDSL_SHOTS`, else with the other files of the test."""
    place = Path(os.environ.get("ATPDSL_SHOTS", tmp_path / "shots"))
    place.mkdir(parents=True, exist_ok=True)
    return place
