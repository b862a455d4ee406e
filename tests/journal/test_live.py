"""The live log: its numbers, its memory, and the wake-ups of its readers."""

from __future__ import annotations

import asyncio
import base64
import itertools
import random
import sys

import pytest

from streaming.journal import LiveLog
from streaming.journal.live import BYTES_PER_PAGE, PAGES_PER_MERGE
from streaming.protocol.ui_stream import frame


def test_frames_are_numbered_from_one_without_a_gap() -> None:
    log = LiveLog()
    log.append([b"{}", b"[]"])
    log.append([b"1"])
    assert log.since(0) == [b"id: 1\ndata: {}\n\n", b"id: 2\ndata: []\n\n", b"id: 3\ndata: 1\n\n"]
    assert log.last_seq == 3


def test_read_gives_the_frames_after_a_number_and_at_most_one_page() -> None:
    log = LiveLog()
    log.append(_chunks(2000, sizes=(1, 90)))
    at, reads = 0, []
    while read := log.read(at):
        reads.append(sum(map(len, read)))
        at += len(read)
    assert at == log.last_seq == 2000
    assert max(reads) < PAGES_PER_MERGE * 2 * BYTES_PER_PAGE


def test_large_pages_are_not_merged() -> None:
    log = LiveLog()
    log.append(_chunks(3 * PAGES_PER_MERGE, sizes=(3 * BYTES_PER_PAGE,)))
    assert [len(log.read(after)) for after in range(log.last_seq)] == [1] * log.last_seq


@pytest.mark.parametrize("sizes", [(1,), (1, 90), (BYTES_PER_PAGE,), (20, 20, 3 * BYTES_PER_PAGE), (1, 5000, 2000, 4)])
@pytest.mark.parametrize("count", [0, 1, 40, 500])
def test_reading_can_begin_after_every_number(sizes: tuple[int, ...], count: int) -> None:
    log = LiveLog()
    chunks = _chunks(count, sizes)
    whole = [frame(seq, chunk) for seq, chunk in enumerate(chunks, 1)]
    for chunk in chunks:
        log.append([chunk])
    for after in range(count + 1):
        read = log.read(after)
        assert read == whole[after : after + len(read)]
        assert bool(read) == (after < count)
        assert log.since(after, 1) == whole[after : after + 1]
        assert log.since(after, sum(map(len, whole[after : after + 30]))) == whole[after : after + 30]
        assert log.since(after, 0) == []
    assert log.since(0) == whole
    assert log.read(count + 1) == log.read(count + 1000) == log.since(count + 1000) == []
    assert log.size == sum(map(len, whole))


def test_an_answer_takes_a_seventh_of_the_memory_of_its_frames() -> None:
    log = LiveLog()
    for chunk in _chunks(2000, sizes=(3, 8, 5)):
        log.append([chunk])
    held = sum(map(sys.getsizeof, (*log._pages, *log._starts, *log._tail)))
    assert held < log.size / 7


def test_a_picture_is_kept_as_it_is() -> None:
    """Packing a picture would block the event loop for too long."""
    picture = b'{"type":"file","url":"data:image/png;base64,%b"}' % base64.b64encode(bytes(5_000_000))
    log = LiveLog()
    log.append([picture])
    assert len(log._pages[0]) > len(picture)
    assert log.read(0) == [frame(1, picture)]


def _chunks(count: int, sizes: tuple[int, ...]) -> list[bytes]:
    """Makes text chunks as the encoder does. `sizes` are the lengths of their texts, in turn."""
    chance = random.Random(7)
    text = ("".join(chance.choices("etaoin shrdlu\\n", k=size)) for size in itertools.cycle(sizes))
    return [b'{"type":"text-delta","id":"text-0","delta":"%b"}' % one.encode() for one in itertools.islice(text, count)]


async def test_wait_returns_as_soon_as_something_is_appended() -> None:
    log = LiveLog()
    waiting = asyncio.create_task(log.wait(0, 60))
    await asyncio.sleep(0)
    log.append([b"{}"])
    await asyncio.wait_for(waiting, 10)


async def test_wait_returns_at_once_if_there_are_frames() -> None:
    log = LiveLog()
    log.append([b"{}"])
    await asyncio.wait_for(log.wait(0, 60), 10)


async def test_wait_ends_after_its_time_and_leaves_no_waiter() -> None:
    log = LiveLog()
    await log.wait(0, 0.01)
    assert not log._waiters


async def test_close_wakes_every_reader() -> None:
    log = LiveLog()
    waiting = [asyncio.create_task(log.wait(0, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    log.close()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)


def test_log_reports_its_last_reader_only_while_it_is_open() -> None:
    noticed: list[bool] = []
    log = LiveLog(on_unwatched=lambda: noticed.append(True))
    log.enter()
    log.enter()
    log.leave()
    assert noticed == []
    log.leave()
    assert noticed == [True]
    log.enter()
    log.close()
    log.leave()
    assert noticed == [True]
