"""Readers that want HTML: the same picture for each, whenever they come and wherever they are."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from streaming.intake import Submission
from streaming.markdown import Patch, render
from streaming.models import Generation
from streaming.protocol import OutputSpec
from streaming.protocol.ui_stream import frame
from streaming.subscription import Subscription, subscribe
from streaming.subscription import picture as picture_module
from streaming.subscription.html import HtmlSubscription
from streaming.subscription.journal import JournalSubscription
from streaming.subscription.picture import Picture, merged, pictures
from streaming.supervisor import current
from streaming.testing import drain, frames_of
from tests.engine import ALICE, Script, leave_for_dead, run_until, submit
from tests.markdown.corpus import RICH
from tests.markdown.page import Page
from tests.protocol.wire import completed, created, item, named

pytestmark = pytest.mark.usefixtures("engine")

WHOLE = render(RICH)


class Reader:
    """Draws what a subscription gives it, as the chat page does."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.text = ""
        self.seqs: list[int] = []
        self.chunks: list[dict[str, Any]] = []

    def read(self, frames: list[bytes]) -> None:
        for one in frames:
            head, _, data = one.decode().rstrip("\n").rpartition("data: ")
            chunk = msgspec.json.decode(data)
            self.chunks.append(chunk)
            if head:
                self.seqs.append(int(head.strip().removeprefix("id: ")))
            self.draw(chunk)

    def draw(self, chunk: dict[str, Any]) -> None:
        if chunk["type"] == "text-delta":
            self.text += chunk["delta"]
            if chunk["id"] in self.pages:
                self.pages[chunk["id"]].told(chunk["delta"])
        if chunk["type"] == "data-html":
            data = chunk["data"]
            assert chunk["transient"]
            page = self.pages.setdefault(data.pop("id"), Page())
            is_fresh = data.pop("fresh", False)
            ops = tuple(map(tuple, data.pop("ops", ())))
            page.apply(Patch(ops=ops, **data, is_fresh=is_fresh))

    @property
    def html(self) -> list[str]:
        return [page.html for page in self.pages.values()]


async def followed(subscription: Subscription) -> Reader:
    reader = Reader()
    try:
        reader.read(await drain(subscription))
    finally:
        subscription.close()
    return reader


async def rich(scripted: Script, delay: float = 0.001, text: str = RICH) -> Generation:
    scripted(text=text, delay=delay)
    return await submit()


async def test_reader_gets_the_html_of_the_answer_beside_its_frames(scripted: Script) -> None:
    generation = await rich(scripted)
    reader = await followed(await subscribe(generation.pk, html=True))
    assert reader.html == [WHOLE]
    assert reader.text == RICH
    assert reader.seqs == sorted(set(reader.seqs))
    assert reader.chunks[-1]["type"] == "finish"


async def test_arguments_that_the_server_replaced_at_the_end_are_drawn(scripted: Script) -> None:
    call = {"type": "function_call", "id": "i", "call_id": "c", "name": "Answer", "arguments": ""}
    delta = {"type": "response.function_call_arguments.delta", "delta": "gAAAcipher"}
    body = named(created(), *item(0, call, delta, arguments='{"city":"Oslo"}'), completed())
    scripted(chunks=[body], structured="tool", dialect="openai-responses", delay=0.01)
    wanted = OutputSpec(name="Answer", schema={"type": "object"})
    generation = await current().submit(ALICE, Submission(key="c1", prompt="Well?"), output=wanted)
    first = await followed(await subscribe(generation.pk, html=True))
    late = await followed(await subscribe(generation.pk, html=True))
    assert first.html == late.html == [render('{"city":"Oslo"}')]


async def test_reader_of_chunks_gets_no_html_and_nothing_is_rendered(scripted: Script) -> None:
    generation = await rich(scripted)
    frames = await frames_of(generation.pk)
    assert not [one for one in frames if b"data-html" in one]
    assert generation.pk not in pictures


async def test_reader_who_comes_in_the_middle_gets_the_same_picture(scripted: Script) -> None:
    generation = await rich(scripted, delay=0.004)
    first = asyncio.create_task(followed(await subscribe(generation.pk, html=True)))
    late = []
    for _ in range(4):
        await asyncio.sleep(0.12)
        late.append(asyncio.create_task(followed(await subscribe(generation.pk, html=True))))
    readers = [await one for one in (first, *late)]
    assert [reader.html for reader in readers] == [[WHOLE]] * 5
    assert {reader.text for reader in readers} == {RICH}


@pytest.mark.parametrize("after", [1, 5, 40, 100])
async def test_reader_who_comes_back_gets_the_whole_picture_and_the_other_frames(scripted: Script, after: int) -> None:
    generation = await rich(scripted)
    plain = await frames_of(generation.pk)
    reader = await followed(await subscribe(generation.pk, after, html=True))
    assert reader.html == [WHOLE]
    assert reader.seqs[0] > after
    assert reader.seqs[-1] == len(plain)


async def test_reader_with_an_impossible_number_begins_at_the_start(scripted: Script) -> None:
    generation = await rich(scripted)
    reader = await followed(await subscribe(generation.pk, 9999, html=True))
    assert (reader.html, reader.text) == ([WHOLE], RICH)


async def test_reader_in_another_process_gets_the_same_picture(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = settings.STREAMING_POLL_SECONDS = 0.02
    generation = await rich(scripted)

    async def from_start() -> Subscription:
        return JournalSubscription(generation.pk, 0)

    for after in (0, 30):
        inner = JournalSubscription(generation.pk, after)
        reader = await followed(HtmlSubscription(inner, Picture(), from_start))
        assert reader.html == [WHOLE]


async def test_reader_after_the_end_gets_the_same_picture(scripted: Script) -> None:
    generation = await rich(scripted, delay=0)
    await current().idle()
    assert (await followed(await subscribe(generation.pk, html=True))).html == [WHOLE]


async def test_answer_of_a_dead_process_is_drawn_as_far_as_it_came(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_LEASE_SECONDS = 0.02, 0.5
    settings.STREAMING_POLL_SECONDS = 0.02
    generation = await rich(scripted, delay=0.01)
    reader = asyncio.create_task(followed(await subscribe(generation.pk, html=True)))
    await asyncio.sleep(0.3)
    leave_for_dead(generation)
    late = await followed(await subscribe(generation.pk, html=True))
    assert late.html == [render(late.text)]
    reader.cancel()


async def test_text_is_rendered_once_for_all_readers(scripted: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    feed = picture_module.MarkdownStream.feed
    monkeypatch.setattr(picture_module.MarkdownStream, "feed", lambda self, text: fed.append(text) or feed(self, text))
    generation = await rich(scripted)
    subscriptions = [await subscribe(generation.pk, html=True) for _ in range(5)]
    readers = await asyncio.gather(*map(followed, subscriptions))
    assert [reader.html for reader in readers] == [[WHOLE]] * 5
    assert "".join(fed) == RICH


async def test_picture_goes_with_its_last_reader(scripted: Script) -> None:
    generation = await rich(scripted)
    await followed(await subscribe(generation.pk, html=True))
    gc.collect()
    assert generation.pk not in pictures


async def test_slow_reader_gets_the_whole_picture_instead_of_each_change(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_module, "KEPT_CHANGES", 3)
    generation = await rich(scripted, text="a **b** c\n\n" * 200, delay=0.001)
    slow = await subscribe(generation.pk, html=True)
    reader = Reader()
    reader.read(await slow.next(5) or [])
    await followed(await subscribe(generation.pk, html=True))
    assert pictures.get(generation.pk).lost > slow.seq
    reader.read(await drain(slow))
    assert reader.html == [render("a **b** c\n\n" * 200)]
    assert sum(chunk["type"] == "data-html" for chunk in reader.chunks) < 10


async def test_large_texts_are_rendered_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[str] = []
    to_thread = asyncio.to_thread

    async def counted(work: Any, *values: Any) -> Any:
        moved.append(work.__name__)
        return await to_thread(work, *values)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    start = b'{"type":"text-start","id":"0"}'
    delta = msgspec.json.encode({"type": "text-delta", "id": "0", "delta": "word " * 4000})
    small = msgspec.json.encode({"type": "text-delta", "id": "0", "delta": "word"})
    picture = Picture()
    await picture.take([frame(1, start), frame(2, small)], 2)
    assert moved == []
    await picture.take([frame(3, delta)], 3)
    assert moved == ["_draw"]


def test_deltas_that_come_together_are_one_frame():
    deltas = [(seq, frame(seq, b'{"type":"text-delta","id":"0","delta":"%d"}' % seq)) for seq in (2, 3, 4)]
    other = (5, frame(5, b'{"type":"text-end","id":"0"}'))
    assert list(merged([*deltas, other])) == [frame(4, b'{"type":"text-delta","id":"0","delta":"234"}'), other[1]]
    assert list(merged(deltas[:1])) == [deltas[0][1]]


async def test_reader_that_leaves_while_a_large_text_is_rendered_spoils_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread cannot be cancelled. The next reader must not render the same text beside it."""
    picture, began, ended, may_draw = Picture(), [], [], threading.Event()
    await picture.take([frame(1, b'{"type":"text-start","id":"0"}')], 1)
    draw = Picture._draw

    def slowly(self: Picture, frames: Sequence[bytes]) -> None:
        began.append(frames)
        assert may_draw.wait(5)
        draw(self, frames)
        ended.append(frames)

    monkeypatch.setattr(picture_module, "LARGE", 0)
    monkeypatch.setattr(Picture, "_draw", slowly)
    delta = [frame(2, b'{"type":"text-delta","id":"0","delta":"word "}')]
    leaving = asyncio.create_task(picture.take(delta, 2))
    await run_until(lambda: began != [])
    leaving.cancel()
    staying = asyncio.create_task(picture.take(delta, 2))
    await asyncio.wait({leaving, staying}, timeout=0.05)  # as far as they come
    may_draw.set()
    await staying
    await run_until(lambda: len(ended) == len(began))
    assert picture.seq == 2
    assert b"word word" not in picture.whole(0)[0]


class Two:
    """A subscription whose log has two frames so far."""

    seq, has_begun_again = 0, False

    async def next(self, seconds: float) -> list[bytes]:
        self.seq = 2
        return [frame(1, b'{"type":"text-start","id":"0"}'), frame(2, DELTA % b"early ")]

    def close(self) -> None: ...


DELTA = b'{"type":"text-delta","id":"0","delta":"%b"}'


async def test_reader_gets_no_picture_that_a_thread_still_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text would be in it twice: its number is that of the last drawing, and the new words follow again."""
    picture, two, may_end = Picture(), Two(), asyncio.Event()
    await picture.take(await two.next(0), 2)
    two.seq = 0
    drawn: list[Sequence[bytes]] = []

    async def half_drawn(draw: Any, frames: Sequence[bytes]) -> None:
        draw(frames)
        picture.seq -= len(frames)
        if frames:
            drawn.append(frames)
            await may_end.wait()
        picture.seq += len(frames)

    monkeypatch.setattr(picture_module, "LARGE", 0)
    monkeypatch.setattr(picture_module, "asyncio", SimpleNamespace(shield=asyncio.shield, to_thread=half_drawn))
    await picture._turn.acquire()
    late = asyncio.create_task(HtmlSubscription(two, picture, subscribe).next(1))
    await run_until(lambda: bool(picture._turn._waiters))
    early = asyncio.create_task(picture.take([frame(3, DELTA % b"later ")], 3))
    await run_until(lambda: len(picture._turn._waiters or ()) == 2)
    picture._turn.release()
    await run_until(lambda: drawn != [])
    await asyncio.wait({late}, timeout=0.05)  # as far as it comes
    may_end.set()
    await early
    assert b"later" not in b"".join(await late or ())
