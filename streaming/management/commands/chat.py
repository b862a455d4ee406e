"""`manage.py chat "question"` asks in the terminal. It uses the same engine as the page."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import uuid
from argparse import ArgumentParser
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from django.core.management.base import CommandError

from streaming import mcp
from streaming.chat import NOBODY, Answer, Result, go_on, start_chat
from streaming.errors import StreamingError
from streaming.management.interrupts import FirstInterrupt
from streaming.management.progress import INTERRUPTED, ReportingCommand
from streaming.management.selection import owner_named
from streaming.management.terminal import Screen, read_line
from streaming.management.tool_lines import ToolLines
from streaming.models import Conversation, Generation, Owner, Status
from streaming.protocol import ToolApproval, ToolCall
from streaming.supervisor import current

# The fields of a generation that staff see with --verbosity 2.
DETAILS = ("id", "provider", "model", "attempts", "raw_finish_reason", "error_code", "error_detail", "worker")
STOPPED = "Stopped. What arrived is kept."


class Command(ReportingCommand):
    help = (
        "Ask a question and print the answer as it is written. Without a question, a terminal becomes a dialogue; "
        "otherwise the question is read from standard input. Ctrl-C stops the answer; what arrived is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("question", nargs="?", help="What to ask.")
        parser.add_argument("--provider", help="The alias of the provider that answers.")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--conversation", metavar="KEY", help="Continue this conversation.")
        chosen.add_argument("--continue", action="store_true", dest="newest", help="Continue the newest conversation.")
        parser.add_argument("--user", metavar="USERNAME", help="Whose conversation it is.")

    def handle(self, *args: Any, **options: Any) -> None:
        self._owner = NOBODY if options["user"] is None else owner_named(options["user"])
        self._provider = options["provider"]
        self._verbosity, self._is_json = int(options["verbosity"]), options["json"]
        self._tools = ToolLines(indent=2 if self._verbosity > 1 else None)
        key = _key(self._owner, options["conversation"], is_newest=options["newest"])
        question = options["question"]
        if question is None and sys.stdin.isatty() and not self._is_json:
            return self._talk(key)
        result = self._ask(sys.stdin.read() if question is None else question, key)
        self.report(options, _as_json(result), _summary(result), beside=not self._is_json)
        if problem := _problem(result):
            raise CommandError(problem, returncode=INTERRUPTED if result.status == Status.CANCELLED else 1)

    def _talk(self, key: str) -> None:
        """Asks one question after the other, until the person ends the input."""
        self.stderr.write("Ctrl-C stops an answer, Ctrl-D ends the conversation.", str)
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  # then `input` has the arrow keys and a history
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            while True:
                if question := read_line("> ").strip():
                    self._turn(question, key)
        self.stderr.write(f"\nContinue with --conversation {key}", str)

    def _turn(self, question: str, key: str) -> None:
        """Asks one question of a dialogue. A failure is told, and the dialogue goes on."""
        try:
            problem = _problem(self._ask(question, key))
        except CommandError as error:
            problem = str(error)
        if problem:
            self.stderr.write(problem)

    def _ask(self, question: str, key: str) -> Result:
        """Asks, shows the answer, and lets the person decide about tool calls.

        Raises:
            CommandError: the question was refused.
        """
        screen = Screen(self.stdout, self.stderr)
        asking = start_chat(question, owner=self._owner, conversation_key=key, provider=self._provider)
        try:
            result = asyncio.run(self._show(asking, screen))
            while result.asked and sys.stdin.isatty() and not self._is_json:
                if (decisions := _decisions(result.asked)) is None:
                    self.stderr.write("", str)  # the question's line has no end yet
                    break
                result = asyncio.run(self._show(go_on(result, decisions, owner=self._owner), screen))
        except StreamingError as error:
            raise CommandError(str(error)) from error
        if self._verbosity > 1 and not self._is_json:
            screen.note(_details(result))
        return result

    async def _show(self, asking: Coroutine[Any, Any, Answer], screen: Screen) -> Result:
        async with AsyncExitStack() as ending:  # the last one comes first, and the others also if it fails
            ending.push_async_callback(mcp.close)
            ending.push_async_callback(current().idle)
            ending.callback(screen.end_line)
            answer = await asking
            with FirstInterrupt(answer.stop):
                async for chunk in answer.chunks():
                    self._print(chunk, screen)
            return await answer.result()

    def _print(self, chunk: dict[str, Any], screen: Screen) -> None:
        kind = "" if self._is_json else chunk["type"]
        if kind == "text-delta":
            screen.text(chunk["delta"])
        elif kind in ("text-start", "start-step"):
            screen.end_line()
        elif kind and self._verbosity > 0 and (line := self._tools.line(chunk)):
            screen.note(line)


def _decisions(asked: Iterable[ToolCall]) -> list[ToolApproval] | None:
    """Asks the person about each call. Returns None if the person leaves, by Ctrl-D or Ctrl-C: the calls still wait."""
    try:
        return [_decide(call) for call in asked]
    except (EOFError, KeyboardInterrupt):
        return None


def _decide(call: ToolCall) -> ToolApproval:
    typed = read_line(f"May {call.name} be called with {call.raw_arguments}? [y/N] ")
    return ToolApproval(call_id=call.id, is_approved=typed.strip().lower() in ("y", "yes"))


def _key(owner: Owner, named: str | None, *, is_newest: bool) -> str:
    """The key of the conversation that is continued, or a new key.

    Raises:
        CommandError: the owner has no such conversation.
    """
    owned = Conversation.objects.owned_by(owner)
    if is_newest:
        named = owned.order_by("-updated_at", "-pk").values_list("key", flat=True).first()
        if named is None:
            raise CommandError("There is no conversation yet. Leave --continue out to begin one.")
    elif named and not owned.filter(key=named).exists():
        raise CommandError(f"There is no conversation {named!r}. Leave --conversation out to begin one.")
    return named or uuid.uuid4().hex


def _problem(result: Result) -> str:
    """The sentence that says why an answer is not complete; empty if it is."""
    if result.status == Status.CANCELLED:
        return STOPPED
    return "" if result.status == Status.FINISHED else result.error or f"The answer was {result.status}."


def _details(result: Result) -> str:
    row = Generation.objects.get(pk=result.generation_id)
    return "\n".join(f"{name}: {value}" for name in DETAILS if (value := getattr(row, name)))


def _as_json(result: Result) -> dict[str, Any]:
    """The answer for programs: the fields of `Result`, with its tool calls in place of its parts."""
    fields: dict[str, Any] = msgspec.to_builtins(result)
    del fields["parts"]
    waiting = {call.id for call in result.asked}
    calls = ({"id": one.id, "name": one.name, "arguments": one.arguments} for one in result.tool_calls)
    return fields | {"tool_calls": [one | {"is_asked": one["id"] in waiting} for one in calls]}


def _summary(result: Result) -> str:
    """One line with the status, tokens and times of an answer, and the option that continues the conversation."""
    about = "about " if result.is_usage_estimated else ""
    tokens = "" if result.usage.output_tokens is None else f"{about}{result.usage.output_tokens} tokens, "
    first = "" if result.first_delta_ms is None else f"first after {result.first_delta_ms / 1000:.2f} s, "
    seconds = (result.duration_ms or 0) / 1000
    waiting = f"calls that wait for an approval: {len(result.asked)}; " if result.asked else ""
    rest = f"{waiting}continue with --conversation {result.conversation_key}"
    return f"[{result.status}: {tokens}{first}{seconds:.1f} s; {rest}]"
