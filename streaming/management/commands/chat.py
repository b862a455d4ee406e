"""`manage.py chat "question"` asks in the terminal. It uses the same engine as the page."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Coroutine
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from streaming.chat import NOBODY, Answer, Result, go_on, start_chat
from streaming.errors import StreamingError
from streaming.models import Conversation, Owner, Status
from streaming.protocol import ToolApproval, ToolCall
from streaming.providers import close_providers
from streaming.supervisor import current

# The type of a chunk about a tool call -> the line that shows it on standard error.
CALLS = {
    "tool-input-available": "[{toolName} {input}]",
    "tool-output-available": "[→ {output}]",
    "tool-output-error": "[failed: {errorText}]",
    "tool-output-denied": "[refused]",
}


class Command(BaseCommand):
    help = (
        "Ask a question and print the answer as it is written. Without a question it is read from standard input. "
        "Ctrl-C stops the answer; what arrived is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("question", nargs="?", help="What to ask; read from standard input when left out.")
        parser.add_argument("--provider", help="The alias of the provider that answers.")
        parser.add_argument("--conversation", metavar="KEY", help="Continue this conversation.")
        parser.add_argument("--user", metavar="USERNAME", help="Whose conversation it is.")

    def handle(self, *args: Any, **options: Any) -> None:
        question = options["question"] or sys.stdin.read()
        owner = _owner(options["user"])
        key = options["conversation"]
        if key and not Conversation.objects.owned_by(owner).filter(key=key).exists():
            raise CommandError(f"There is no conversation {key!r}. Leave --conversation out to begin one.")
        self._shows_calls = int(options["verbosity"]) > 0
        asking = start_chat(question, owner=owner, conversation_key=key, provider=options["provider"])
        try:
            result = asyncio.run(self._show(asking))
            while result.asked and sys.stdin.isatty():
                decisions = [_decide(call) for call in result.asked]
                result = asyncio.run(self._show(go_on(result, decisions, owner=owner)))
        except StreamingError as error:
            raise CommandError(str(error)) from error
        self._report(result, int(options["verbosity"]))

    async def _show(self, asking: Coroutine[Any, Any, Answer]) -> Result:
        answer = await asking
        try:
            with _StopOnInterrupt(answer):
                async for chunk in answer.chunks():
                    self._print(chunk)
            return await answer.result()
        finally:
            await current().idle()
            await close_providers()

    def _print(self, chunk: dict[str, Any]) -> None:
        if chunk["type"] == "text-delta":
            self.stdout.write(chunk["delta"], ending="")
            self.stdout.flush()
        elif self._shows_calls and chunk["type"] in CALLS:
            self.stderr.write(CALLS[chunk["type"]].format(**{name: _readable(chunk[name]) for name in chunk}))

    def _report(self, result: Result, verbosity: int) -> None:
        self.stdout.write("")
        if verbosity > 0:
            self.stderr.write(_summary(result))
        if result.status == Status.CANCELLED:
            raise CommandError("Stopped. What arrived is kept.", returncode=130)
        if result.status != Status.FINISHED:
            raise CommandError(result.error or f"The answer was {result.status}.")


class _StopOnInterrupt:
    """A context in which Ctrl-C stops the answer instead of the process."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._stopping: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._stop)

    def __exit__(self, *exc_info: object) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    def _stop(self) -> None:
        self._stopping = asyncio.get_running_loop().create_task(self._answer.stop())


def _decide(call: ToolCall) -> ToolApproval:
    is_approved = input(f"May {call.name} be called with {call.raw_arguments}? [y/N] ").strip().lower() in ("y", "yes")
    return ToolApproval(call_id=call.id, is_approved=is_approved)


def _readable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _owner(username: str | None) -> Owner:
    if username is None:
        return NOBODY
    users = get_user_model()
    try:
        return Owner.of_user(users.objects.get_by_natural_key(username).pk)
    except users.DoesNotExist as error:
        raise CommandError(f"There is no user {username!r}.") from error


def _summary(result: Result) -> str:
    """One line with the status, tokens and times of an answer, and the option that continues the conversation."""
    about = "about " if result.is_usage_estimated else ""
    tokens = "" if result.usage.output_tokens is None else f"{about}{result.usage.output_tokens} tokens, "
    first = "" if result.first_delta_ms is None else f"first after {result.first_delta_ms / 1000:.2f} s, "
    seconds = (result.duration_ms or 0) / 1000
    waiting = f"calls that wait for an approval: {len(result.asked)}; " if result.asked else ""
    rest = f"{waiting}continue with --conversation {result.conversation_key}"
    return f"[{result.status}: {tokens}{first}{seconds:.1f} s; {rest}]"
