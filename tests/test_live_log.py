from __future__ import annotations

import asyncio

import pytest

from streaming.journal import LiveLog
from streaming.journal.live import FRAMES_PER_PAGE
from streaming.protocol.ui_stream import frame


def test_frames_are_numbered_from_one_without_a_gap() -> None:
    log = LiveLog()
    log.append([b"{}", b"[]"])
    log.append([b"1"])
    assert log.since(0) == [b"id: 1\ndata: {}\n\n", b"id: 2\ndata: []\n\n", b"id: 3\ndata: 1\n\n"]
    assert log.last_seq == 3


def test_read_gives_what_comes_after_a_number_and_no_more_than_a_write() -> None:
    log = LiveLog()
    log.append([b"%d" % n for n in range(FRAMES_PER_PAGE + 5)])
    assert len(log.read(0)) == FRAMES_PER_PAGE
    assert len(log.read(FRAMES_PER_PAGE)) == 5
    assert log.read(FRAMES_PER_PAGE + 5) == []


@pytest.mark.parametrize("count", [0, 1, FRAMES_PER_PAGE - 1, FRAMES_PER_PAGE, 3 * FRAMES_PER_PAGE + 7])
def test_every_number_is_a_place_to_read_on_from(count: int) -> None:
    log = LiveLog()
    whole = [frame(seq, b'"\\n\\n"') for seq in range(1, count + 1)]
    for _ in range(count):
        log.append([b'"\\n\\n"'])
    for after in range(count + 1):
        read = log.read(after)
        assert read == whole[after : after + len(read)]
        assert bool(read) == (after < count)
        assert log.since(after) == whole[after:]
        assert log.since(after, 1) == whole[after : after + 1]
        assert log.since(after, sum(map(len, whole[after : after + 300]))) == whole[after : after + 300]
        assert log.since(after, 0) == []
    assert log.read(count + 1) == log.read(count + 1000) == log.since(count + 1000) == []
    assert log.size == sum(map(len, whole))


async def test_wait_returns_as_soon_as_something_is_appended() -> None:
    log = LiveLog()
    waiting = asyncio.create_task(log.wait(0, 30))
    await asyncio.sleep(0)
    log.append([b"{}"])
    await asyncio.wait_for(waiting, 1)


async def test_wait_does_not_miss_what_came_before_it() -> None:
    log = LiveLog()
    log.append([b"{}"])
    await asyncio.wait_for(log.wait(0, 30), 1)


async def test_wait_gives_up_after_its_time_and_leaves_nothing_behind() -> None:
    log = LiveLog()
    await log.wait(0, 0.01)
    assert not log._waiting


async def test_close_wakes_every_reader() -> None:
    log = LiveLog()
    waiting = [asyncio.create_task(log.wait(0, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    log.close()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


def test_last_reader_to_leave_is_noticed_once_and_only_while_open() -> None:
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
