"""`manage.py replay` shows a stored answer in the terminal as it came."""

from __future__ import annotations

import contextlib
import time
import uuid
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

import msgspec
from django.core.management.base import CommandError
from django.db.models import Q

from streaming.journal import replay
from streaming.management.pacing import GROWING, Piece, paced, pieces_of
from streaming.management.progress import ReportingCommand
from streaming.management.terminal import Screen
from streaming.models import Generation
from streaming.protocol.ui_stream import chunk_of
from streaming.records import timeline_of

SLOWEST = 0.01
"""With much lower speeds, Python could not sleep for so long."""


class Command(ReportingCommand):
    help = (
        "Show a stored answer as its readers saw it, with its pauses. Reasoning and tool calls go to standard error. "
        "Words come evenly where the row does not have their times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("answer", help="The id of a generation or of its message, or the key of a conversation.")
        parser.add_argument("--speed", type=_speed, default=1.0, help="How many times as fast: 1, 4, or max.")

    def handle(self, *args: Any, **options: Any) -> None:
        generation = _found(options["answer"])
        chunks = [msgspec.json.decode(chunk_of(frame)) for frame in replay(generation)]
        times = generation.first_delta_ms or 0, generation.duration_ms or 0
        began, count = time.monotonic(), 0
        answer, notes = Screen(self.stdout, self.stderr), Screen(self.stderr, self.stderr)
        timeline = timeline_of(generation.timeline)
        if timeline is None and generation.timeline is not None:
            self.stderr.write("The stored timeline cannot be read, so the words come evenly.")
        try:
            for piece in paced(pieces_of(chunks), timeline, *times):
                if options["speed"]:
                    time.sleep(max(0.0, began + piece.ms / 1000 / options["speed"] - time.monotonic()))
                _show(piece, answer, notes if options["verbosity"] > 0 else None)
                count += 1
        finally:  # Ctrl-C, too
            notes.end_line()
            answer.end_line()
        result = {"generation": str(generation.pk), "status": generation.status, "pieces": count, "ms": times[1]}
        self.report(options, result, f"[{generation.status} after {times[1] / 1000:.1f} s]", beside=True)


def _show(piece: Piece, answer: Screen, notes: Screen | None) -> None:
    """Writes a piece. Text, reasoning and each tool call begin on a line of their own."""
    if piece.kind == "text":
        if notes:
            notes.end_line()
        answer.text(piece.text)
        return
    answer.end_line()
    if notes and piece.kind in GROWING:
        notes.text(piece.text)
    elif notes:
        notes.note(piece.text)


def _speed(text: str) -> float:
    """Reads a speed. 0 stands for `max`."""
    if text == "max":
        return 0.0
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not speed >= SLOWEST:  # NaN, too
        raise ArgumentTypeError(f"{text!r} is no speed; write a number, {SLOWEST} or more, or max")
    return speed


def _found(name: str) -> Generation:
    """Returns the settled generation that is meant, the newest if it is a conversation's key.

    Raises:
        CommandError: there is none.
    """
    meant = Q(conversation__key=name) | Q(message__client_id=name)
    with contextlib.suppress(ValueError):  # most keys of conversations are no UUIDs
        meant |= Q(pk=uuid.UUID(name)) | Q(message=uuid.UUID(name)) | Q(conversation=uuid.UUID(name))
    generations = Generation.objects.filter(meant).select_related("message", "conversation").order_by("-created_at")
    found = [one for one in generations[:2] if not one.is_active]
    if not found:
        raise CommandError(
            f"There is no stored answer {name!r}, or it is still being written. Give an answer's id or a "
            "conversation's key."
        )
    return found[0]
