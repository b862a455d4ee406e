"""`manage.py parse_stream` reads a recorded stream of a provider and says what the parser makes of it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from streaming.management.files import opened
from streaming.management.progress import ReportingCommand
from streaming.management.recorded import Recording, named
from streaming.management.terminal import Screen
from streaming.protocol import TextDelta
from streaming.protocol.dialects import DIALECTS


class Command(ReportingCommand):
    help = (
        "Read the bytes of a provider's stream from a file or from standard input, and print its events and a verdict. "
        "The command fails if the stream failed or was cut. It opens no connection."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", default="-", help="What to read; - is standard input, the default.")
        parser.add_argument("--dialect", choices=DIALECTS, help="The wire format; found in the bytes when left out.")
        parser.add_argument("--text", action="store_true", help="Print the text of the answer instead of its events.")

    def handle(self, *args: Any, **options: Any) -> None:
        with opened(options["file"]) as file:
            recording = Recording(file, options["dialect"])
            events = list(self._shown(recording, options))
        answer = recording.transcript
        result = recording.result | {"events": events}
        counted = f"{answer.outcome}, {recording.dialect}, {recording.size} bytes"
        self.report(options, result, f"{recording.verdict} [{counted}]", beside=not options["json"])
        if answer.outcome != "finished":
            raise CommandError(
                recording.verdict if options["json"] or not options["verbosity"] else "The answer is not complete."
            )

    def _shown(self, recording: Recording, options: dict[str, Any]) -> Any:
        """Prints the events as they are read; with `--json`, yields them for the result."""
        screen = Screen(self.stdout, self.stderr)
        for event in recording:
            if options["json"]:
                yield named(event)
            elif not options["text"]:
                self.stdout.write(repr(event))
            elif isinstance(event, TextDelta):
                screen.text(event.text)
        screen.end_line()
