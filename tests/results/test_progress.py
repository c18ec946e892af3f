from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from atpdsl.results.progress import NoProgress, PlainProgress, Progress, RichProgress, duration


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    return Clock()


def test_plain_progress_says_when_a_stage_begins_and_ends(clock):
    stream = io.StringIO()
    with PlainProgress(stream=stream, clock=clock).stage("patching", 3, "sequences") as stage:
        clock.now = 2.0
        stage.advance(2)
        stage.advance(1)

    assert stream.getvalue() == "patching: 3 sequences\npatching: done, 3 sequences in 2.0 s\n"


def test_plain_progress_speaks_every_ten_seconds_at_most(clock):
    stream = io.StringIO()
    with PlainProgress(stream=stream, clock=clock).stage("patching", 100, "sequences") as stage:
        for second in range(1, 26):
            clock.now = float(second)
            stage.advance(1)

    assert stream.getvalue().splitlines()[1:-1] == [
        "patching: 10 of 100 sequences, 10 s, about 1 min 30 s left",
        "patching: 20 of 100 sequences, 20 s, about 1 min 20 s left",
    ]


def test_plain_progress_without_a_total_counts(clock):
    stream = io.StringIO()
    with PlainProgress(stream=stream, clock=clock).stage("loading", None, "files") as stage:
        clock.now = 11.0
        stage.advance(2)

    assert stream.getvalue() == "loading ...\nloading: 2 files, 11 s\nloading: done, 11 s\n"


def test_stages_may_be_open_at_once(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream=stream, clock=clock)
    with progress.stage("a", 2, "x") as first, progress.stage("b", 1, "x") as second:
        first.advance(2)
        clock.now = 5.0
        second.advance(1)

    assert stream.getvalue().splitlines()[2:] == [
        "a: done, 2 x in 0.0 s",
        "b: done, 1 x in 5.0 s",
    ]


def test_a_stage_that_fails_is_not_said_to_be_done(clock):
    stream = io.StringIO()
    progress = PlainProgress(stream=stream, clock=clock)

    def fail() -> None:
        with progress.stage("a", 2, "x"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert "done" not in stream.getvalue()


def test_bars_share_a_display_and_leave_the_cursor_visible():
    stream = io.StringIO()
    progress = RichProgress(stream)
    with progress.stage("a [b]", 2, "x") as first, progress.stage("c", None, "y") as second:
        first.advance(2)
        second.advance(1)
    with progress.stage("d", 5, "z") as third:
        third.advance(1)

    text = stream.getvalue()
    assert "a [b]" in text
    assert "2/2 x" in text
    assert "1/5 z" in text


def test_bars_end_with_an_error_too():
    stream = io.StringIO()
    progress = RichProgress(stream)

    def fail() -> None:
        with progress.stage("a", 2, "x"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with progress.stage("b", 1, "x") as again:
        again.advance(1)

    assert "1/1 x" in stream.getvalue()


def test_no_progress_says_nothing():
    progress: Progress = NoProgress()
    with progress.stage("a", 1, "x") as stage:
        stage.advance(1)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (3.21, "3.2 s"),
        (48.4, "48 s"),
        (59.7, "60 s"),
        (125, "2 min 5 s"),
        (4800, "1 h 20 min"),
    ],
)
def test_times_are_told_as_people_do(seconds, expected):
    assert duration(seconds) == expected
