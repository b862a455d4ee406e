"""The output of the commands: a counter on a terminal while they work, a result for people or for programs, advice."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseTrouble

from streaming.database import advice

T = TypeVar("T")
# Seconds between two states of the counter.
PAUSE_SECONDS = 0.1

INTERRUPTED = 130
"""The status with which a command ends that Ctrl-C has stopped, as shells have it: 128 and the signal's number."""


class Progress:
    """A counter on one line of standard error, which is removed at the end of the context.

    It is shown only if standard error is a terminal and `--verbosity` is not 0.
    """

    def __init__(self, what: str, total: int | None = None, *, is_shown: bool = True) -> None:
        self._what = what
        self._of = "" if total is None else f" of {total:,}"
        self._is_shown = is_shown and sys.stderr.isatty()
        self._shown_at = 0.0
        self._width = 0

    def show(self, count: int) -> None:
        """Shows how much is done, ten times a second at most."""
        now = time.monotonic()
        if self._is_shown and now - self._shown_at >= PAUSE_SECONDS:
            self._shown_at = now
            self._write(f"{count:,}{self._of} {self._what}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._width:
            self._write("")

    def counted(self, things: Iterable[T]) -> Iterator[T]:
        """Yields the things and counts them."""
        with self:
            for count, thing in enumerate(things, 1):
                yield thing
                self.show(count)

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r{line:<{self._width}}{'' if line else chr(13)}")
        sys.stderr.flush()
        self._width = len(line)


class ReportingCommand(BaseCommand):
    """A command with `--json`, and a result that is a sentence or an object. Ctrl-C ends it without a traceback.

    If its database fails, it says what to do; `--traceback` shows the error itself.
    """

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            sys.exit(INTERRUPTED)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseTrouble as trouble:
            words = advice(trouble)
            if words is None:
                raise
            raise CommandError(words) from trouble

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the result as one JSON object.")

    def progress(self, options: dict[str, Any], what: str, total: int | None = None) -> Progress:
        """The counter of a command with these options."""
        return Progress(what, total, is_shown=options["verbosity"] > 0)

    def run_steps(self, options: dict[str, Any], what: str, counts: Iterable[int], total: int | None = None) -> int:
        """Runs the steps of an iterator, shows their sum while they run, and returns it."""
        done = 0
        with self.progress(options, what, total) as progress:
            for count in counts:
                done += count
                progress.show(done)
        return done

    def report(self, options: dict[str, Any], result: dict[str, Any], text: str, *, beside: bool = False) -> None:
        """Prints the result; `beside` the command's output, so on standard error."""
        out = self.stderr if beside else self.stdout
        if options["json"]:
            out.write(json.dumps(result, ensure_ascii=False, default=str), str)
        elif options["verbosity"] > 0:
            out.write(text, str)
