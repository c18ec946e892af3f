"""Chunks that are halved when memory runs out, with failures that are made up."""

from __future__ import annotations

import gc
import weakref

import pytest

from atpdsl.runtime import halving as module
from atpdsl.runtime.halving import Halving

TOO_MUCH = RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")


def fitting(most, seen):
    """Work that takes at most so many items."""

    def work(chunk):
        seen.append((chunk.start, chunk.stop))
        if chunk.stop - chunk.start > most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return list(range(chunk.start, chunk.stop))

    return work


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("count", [0, 1, 5, 16, 33])
def test_every_item_is_done_once_and_in_order(count, most):
    parts = Halving(16).over(count, fitting(most, []))

    assert [item for part in parts for item in part] == list(range(count))


def test_what_fits_is_not_halved():
    seen = []
    halving = Halving(16)

    halving.over(40, fitting(16, seen))

    assert seen == [(0, 16), (16, 32), (32, 40)]
    assert (halving.size, halving.halved) == (16, 0)


def test_a_chunk_that_is_too_large_is_tried_again_by_halves_and_later_ones_stay_small():
    seen = []
    halving = Halving(16)

    halving.over(24, fitting(4, seen))

    assert seen == [(0, 16), (0, 8), *((i, i + 4) for i in range(0, 24, 4))]
    assert (halving.size, halving.halved) == (4, 2)


def test_the_size_that_fits_is_remembered_for_the_next_time():
    halving, seen = Halving(16), []
    halving.over(16, fitting(4, []))

    halving.over(8, fitting(4, seen))

    assert seen == [(0, 4), (4, 8)]


def test_a_short_chunk_is_halved_by_its_own_size():
    seen = []

    Halving(16).over(3, fitting(1, seen))

    assert seen == [(0, 3), (0, 1), (1, 2), (2, 3)]


def test_where_one_item_is_too_much_the_error_is_raised():
    with pytest.raises(RuntimeError, match="out of memory"):
        Halving(4).over(4, fitting(0, []))


@pytest.mark.parametrize("error", [ValueError("a mistake"), RuntimeError("shapes differ")])
def test_other_errors_are_not_tried_again(error):
    seen = []

    def work(chunk):
        seen.append(chunk)
        raise error

    with pytest.raises(type(error)) as caught:
        Halving(4).over(8, work)

    assert caught.value is error
    assert len(seen) == 1


def test_failed_work_is_let_go_before_the_next_try():
    """A traceback holds the tensors of the work that failed."""

    class Large:
        pass

    alive = []

    def work(chunk):
        assert all(kept() is None for kept in alive)
        large = Large()
        alive.append(weakref.ref(large))
        if chunk.stop - chunk.start > 2:
            raise MemoryError
        del large

    gc.disable()
    try:
        Halving(8).over(8, work)
    finally:
        gc.enable()


def test_caches_are_freed_between_tries(monkeypatch):
    freed = []
    monkeypatch.setattr(module, "free_caches", freed.append)

    Halving(8, device="cuda:1").over(8, fitting(2, []))

    assert freed == ["cuda:1", "cuda:1"]


def test_loops_of_their_own_ask_for_the_next_size():
    halving = Halving(9)

    assert [halving.smaller(TOO_MUCH) for _ in range(3)] == [4, 2, 1]
    with pytest.raises(RuntimeError):
        halving.smaller(TOO_MUCH)


def test_chunks_have_items():
    with pytest.raises(ValueError, match="chunks of 0"):
        Halving(0)
