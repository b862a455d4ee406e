"""Ctrl-C while `manage.py chat` writes an answer."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from streaming.management.interrupts import FirstInterrupt
from streaming.models import Generation
from tests.engine import Script
from tests.management.commands import run

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


def test_chat_stops_on_interrupt_and_keeps_the_partial(tmp_path: Path) -> None:
    database = tmp_path / "chat.sqlite3"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.slow_settings", "TEST_DATABASE": str(database)}
    manage = [sys.executable, "-m", "django"]
    subprocess.run([*manage, "migrate", "-v0"], env=env, cwd=ROOT, check=True)
    # Without a buffer, in which `communicate` would not see what `read` has left there.
    process = subprocess.Popen([*manage, "chat", "Hi"], env=env, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdout is not None
    first = process.stdout.read(5)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    shown = (first + rest).decode().strip()
    query = "from streaming.models import *; g = Generation.objects.get(); print(g.status, g.message.text)"
    stored = subprocess.run([*manage, "shell", "-v0", "-c", query], env=env, cwd=ROOT, capture_output=True, text=True)
    assert stored.stdout.strip() == f"cancelled {shown}", stored.stderr


class Interrupting(io.StringIO):
    """An output at which a person presses Ctrl-C when the first word comes."""

    def write(self, text: str) -> int:
        if "one" in text:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_interrupt_needs_no_signals_of_the_event_loop(monkeypatch: pytest.MonkeyPatch, scripted: Script) -> None:
    """On Windows, no event loop has any."""
    scripted(text="one two three", hang_after=2)
    for name in ("add_signal_handler", "remove_signal_handler"):
        monkeypatch.setattr(asyncio.SelectorEventLoop, name, getattr(asyncio.AbstractEventLoop, name))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(CommandError, match=r"Stopped\."):
        call_command("chat", "Hi", stdout=Interrupting(), stderr=io.StringIO())
    assert signal.getsignal(signal.SIGINT) is before
    generation = Generation.objects.get()
    assert (generation.status, generation.message.text) == ("cancelled", "one ")


def test_chat_may_be_called_in_a_thread() -> None:
    """Python has signals only in the main thread."""
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(run, "chat", "Hi").result(30)[0] == "Hello from the script.\n"
        thread.submit(connections.close_all).result(30)


async def test_second_interrupt_is_not_for_the_answer() -> None:
    calls: list[str] = []

    async def stop() -> None:
        calls.append("stop")

    before = signal.signal(signal.SIGINT, lambda number, frame: calls.append("end"))
    try:
        with FirstInterrupt(stop):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(calls) == ["end", "stop"]
