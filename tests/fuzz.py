"""Feeds the parser streams that no server should send, for a given time. Stops at the first violated promise.

    python -m tests.fuzz --seconds 60 --seed 1

Streams are arbitrary bytes, words of the protocols in any order, and changed recordings. `StreamParser` and
`Transcript` read each stream as a whole and cut in several ways, in its own dialect and sometimes in another. A failure
prints a shortened stream and the numbers that reproduce it. Without `--seed` each run is different.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from typing import Any

from streaming.protocol import (
    Cited,
    Event,
    Failed,
    Finished,
    Heartbeat,
    PartEnded,
    ReasoningDelta,
    RefusalDelta,
    Started,
    StreamParser,
    TextDelta,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
    Transcript,
    Truncated,
    Unknown,
    Warning,
    dump_parts,
)
from streaming.protocol.events import TERMINAL
from streaming.protocol.ui_stream import UIStreamEncoder, fold_chunks
from tests.fuzz_streams import invent, recordings

ASIDE = (Heartbeat, Unknown, Warning)
OPTIONS: list[dict[str, Any]] = [
    *({}, {}, {}, {}),
    {"split_think_tags": True},
    {"max_line_bytes": 200, "max_event_bytes": 150},
    {"max_line_bytes": 100, "max_event_bytes": 300},
    {"flush_at_eof": False, "read_error_field": False, "skip_empty_data": False},
    {"split_joined_data": False, "read_unframed_body": False},
    {"join_bare_lines": False, "read_loose_names": False},
]
OUTCOMES = {Finished: "finished", Failed: "failed", Truncated: "truncated"}


class Broken(AssertionError):
    """A promise of the parser that did not hold."""


def promise(kept: bool, words: str) -> None:
    if not kept:
        raise Broken(words)


def read(dialect: str, pieces: list[bytes], **options: Any) -> list[Event]:
    parser = StreamParser(dialect, **options)
    events = [event for piece in pieces for event in parser.feed(piece)]
    events += parser.close()
    promise(parser.close() == [] and parser.feed(b"data: {}\n\n") == [], "nothing comes after the end")
    return events


def cut(body: bytes, rng: random.Random) -> list[bytes]:
    sizes = rng.choice([(1,), (1, 2, 3, 5), (1, 7, 64, 1000), (len(body) // 2 + 1,)])
    pieces, at = [], 0
    while at < len(body):
        size = rng.choice(sizes)
        pieces.append(body[at : at + size])
        at += size
    return pieces


def check(dialect: str, body: bytes, rng: random.Random) -> None:
    """Checks all promises against one stream.

    Raises:
        Broken: the stream violates a promise. Any other exception comes from the parser and is a bug, too.
    """
    options = rng.choice(OPTIONS)
    events = read(dialect, [body], **options)
    ends = [type(event) for event in events if isinstance(event, TERMINAL)]
    promise(len(ends) == 1 and isinstance(events[-1], TERMINAL), f"one terminal event, and last; got {ends}")
    check_order(events)
    check_transcript(events)
    check_restored(events)
    whole = [repr(event) for event in events]
    for _ in range(2):
        again = [repr(event) for event in read(dialect, cut(body, rng), **options)]
        promise(again == whole, f"the same events however it is cut ({options})")


def check_order(events: list[Event]) -> None:
    """Checks the order of events: `Started` is first, and each part begins once, grows, and ends once."""
    said = [event for event in events if not isinstance(event, ASIDE)]
    promise(all(not isinstance(event, Started) for event in said[1:]), "Started comes first and once")
    parts: dict[tuple[int, int], Event] = {}
    numbers: Counter[int] = Counter()
    ended: set[tuple[int, int]] = set()
    for event in said:
        choice, part = getattr(event, "choice", 0), getattr(event, "part", None)
        if part is None:
            continue
        if (choice, part) not in parts:
            promise(part == numbers[choice], "parts are numbered in turn")
            promise(not isinstance(event, ToolCallDelta | ToolCallEnded | PartEnded), "a part begins before it ends")
            parts[choice, part] = event
            numbers[choice] += 1
        if isinstance(event, ToolCallEnded):
            check_verdict(event, parts[choice, part])
        promise((choice, part) not in ended or isinstance(event, Cited), f"a part ends once: {event!r}")
        if isinstance(event, PartEnded | ToolCallEnded):
            ended.add((choice, part))
    growing = (TextDelta, ReasoningDelta, RefusalDelta, ToolCallStarted)
    promise(all(place in ended for place in parts if isinstance(parts[place], growing)), "every part ends")


def check_verdict(call: ToolCallEnded, start: Event) -> None:
    promise(isinstance(start, ToolCallStarted) and bool(start.id), "a call starts, with an id")
    promise(call.is_complete == (call.error is None), "a call is complete or says why not")
    promise(call.is_complete or call.arguments is None, "no arguments of an incomplete call")
    if call.arguments is not None:
        promise(json.loads(call.raw_arguments or "{}") == call.arguments, "arguments are what was sent")
    if isinstance(start, ToolCallStarted) and start.is_json and call.is_complete:
        promise(isinstance(call.arguments, dict), "a complete call has arguments")


def check_transcript(events: list[Event]) -> None:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    promise(transcript.outcome == OUTCOMES[type(events[-1])], "the outcome is the terminal event's")
    promise((transcript.error is not None) == (transcript.outcome == "failed"), "an error where it failed")
    mine = [event for event in events if not getattr(event, "choice", 0)]
    text = sorted("".join(event.text for event in mine if isinstance(event, TextDelta)))
    promise(sorted(transcript.text) == text, "no text is lost or made up")
    calls = sum(isinstance(event, ToolCallEnded) for event in mine)
    promise(len(transcript.tool_calls) == calls, "every call is in the transcript")
    dump_parts(transcript.parts)


def check_restored(events: list[Event]) -> None:
    transcript, encoder = Transcript(), UIStreamEncoder("m")
    for event in events:
        transcript.apply(event)
    log = [chunk for event in events for chunk in encoder.encode(event)]
    promise(fold_chunks([*encoder.start(), *log]) == tuple(transcript.parts), "a log restores the parts")


def fault(dialect: str, body: bytes, seed: int) -> str:
    """The promise that this stream violates. Empty if there is none."""
    try:
        check(dialect, body, random.Random(seed))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def shorten(dialect: str, body: bytes, seed: int, found: str) -> bytes:
    """Removes pieces that the same fault does not need. The pieces become smaller and smaller."""
    size, deadline = len(body) // 2, time.monotonic() + 20
    while size and time.monotonic() < deadline:
        at = 0
        while at < len(body) and time.monotonic() < deadline:
            shorter = body[:at] + body[at + size :]
            if fault(dialect, shorter, seed)[:30] == found[:30]:
                body = shorter
            else:
                at += size
        size //= 2
    return body


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = options.parse_args()
    deadline, count, sent = time.monotonic() + given.seconds, 0, 0
    while time.monotonic() < deadline:
        seed = given.seed + count
        dialect, body = invent(random.Random(seed))
        if found := fault(dialect, body, seed):
            print(f"{found}\n{dialect}, --seed {seed}\n{shorten(dialect, body, seed, found)!r}")
            return 1
        count, sent = count + 1, sent + len(body)
    print(
        f"{count:,} streams, {sent / 1e6:.1f} MB, {len(recordings())} recordings, seed {given.seed}: all promises held"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
