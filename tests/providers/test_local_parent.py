"""All processes share one child. It starts once, stays while it is used, and is replaced if it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest
from streaming.providers.local import WEIGHTS_NAME, Address, LocalModel, LocalOptions, parent, server_for
from tests.local_model import asked

pytestmark = pytest.mark.local_model

REQUEST = GenerationRequest(turns=(asked("Hi"),), max_output_tokens=3)
LONG = GenerationRequest(turns=(asked("Tell me a long story."),), max_output_tokens=2000)
GRACE = 1.0

USER = """
import sys, time
from streaming.providers.local import server_for
from streaming.providers.local.options import LocalOptions, WEIGHTS_NAME
print(server_for(LocalOptions(grace=1), WEIGHTS_NAME).ensure().pid, flush=True)
time.sleep(60)
"""

Users = Callable[[int], list["subprocess.Popen[str]"]]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_model: Any) -> Iterator[Path]:
    """A temporary directory of the test's own, with no other test's child. Its children end with it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path
    for path in list(parent._in_use):
        if path.is_relative_to(tmp_path):
            os.close(parent._in_use.pop(path))
    for child in parent._children:
        if str(tmp_path) in str(child.args):
            child.kill()
            child.wait()


@pytest.fixture
def users(directory: Path) -> Iterator[Users]:
    """Starts processes that use the model."""
    started: list[subprocess.Popen[str]] = []

    def start(count: int) -> list[subprocess.Popen[str]]:
        command = [sys.executable, "-c", USER]
        fresh = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        started.extend(fresh)
        return fresh

    yield start
    for process in started:
        process.kill()
        process.communicate()


def child_of(user: subprocess.Popen[str]) -> int:
    """Returns the process id of the model's child, once the user has printed it."""
    assert user.stdout is not None
    return int(user.stdout.readline())


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends(pid: int, within: float) -> bool:
    deadline = time.monotonic() + within
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def ensure(progress: Callable[[str], None] = lambda line: None) -> Address:
    return server_for(LocalOptions(grace=GRACE), WEIGHTS_NAME).ensure(progress)


def test_processes_that_start_together_share_one_child(users: Users) -> None:
    assert len({child_of(user) for user in users(3)}) == 1


def test_the_child_stays_while_one_user_lives_and_ends_after_the_last_was_killed(users: Users) -> None:
    first, second = users(2)
    child = child_of(first)
    assert child_of(second) == child
    first.kill()
    time.sleep(GRACE + 2.5)
    assert is_alive(child)
    second.kill()
    assert ends(child, within=GRACE + 4)


def test_a_user_that_comes_within_the_grace_keeps_the_child(users: Users) -> None:
    [first] = users(1)
    child = child_of(first)
    first.kill()
    [second] = users(1)
    assert child_of(second) == child
    time.sleep(GRACE + 2.5)
    assert is_alive(child)


def test_an_interrupt_in_the_terminal_does_not_reach_the_child(users: Users) -> None:
    [user] = users(1)
    assert os.getsid(child_of(user)) != os.getsid(user.pid)


def test_progress_is_reported(directory: Path) -> None:
    lines: list[str] = []
    ensure(lines.append)
    assert lines[0] == f"Loading the model {WEIGHTS_NAME} …"
    assert lines[1].startswith("The model is ready after ")
    ensure(lines.append)
    assert len(lines) == 2


def test_files_belong_to_this_user_alone(directory: Path) -> None:
    ensure()
    [state] = directory.glob("*/*.state")
    assert state.stat().st_mode & 0o777 == 0o600
    assert state.parent.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_others_may_enter_is_refused(directory: Path) -> None:
    place = directory / f"django-llm-streaming-{os.getuid()}"
    place.mkdir()
    place.chmod(0o755)
    with pytest.raises(ProviderError, match="not a directory of this user alone"):
        ensure()


def test_clients_without_the_key_are_refused(directory: Path) -> None:
    address = ensure()
    connection = HTTPConnection(address.url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/v1/chat/completions", body=b"{}")
    assert connection.getresponse().status == 401
    connection.close()


def test_weights_that_cannot_be_loaded_are_an_error(directory: Path) -> None:
    weights = directory / "broken.gguf"
    weights.write_bytes(b"this is no model")
    with pytest.raises(ProviderError, match="did not start") as raised:
        server_for(LocalOptions(model_path=str(weights)), "broken").ensure(lambda line: None)
    assert raised.value.code == "unreachable"


def test_a_missing_package_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.providers.options.find_spec", lambda name: None)
    with pytest.raises(ProviderError, match=r'pip install "django-llm-streaming\[local\]"'):
        server_for(LocalOptions(), WEIGHTS_NAME)


async def _exhaust(chunks: AsyncIterator[bytes]) -> None:
    async for _ in chunks:
        pass


class TestDeath:
    async def test_a_killed_child_is_replaced_by_the_next_request(self, directory: Path) -> None:
        provider = LocalModel(grace=GRACE)
        assert [chunk async for chunk in provider.stream(REQUEST)]
        dead = ensure()
        os.kill(dead.pid, signal.SIGKILL)
        assert ends(dead.pid, within=2)
        assert [chunk async for chunk in provider.stream(REQUEST)]
        assert ensure().pid != dead.pid
        await provider.close()

    async def test_a_child_killed_in_mid_answer_is_a_lost_connection(self, directory: Path) -> None:
        provider = LocalModel(grace=GRACE)
        async with aclosing(provider.stream(LONG)) as chunks:
            await anext(chunks)
            os.kill(ensure().pid, signal.SIGKILL)
            with pytest.raises(ProviderError) as raised:
                await _exhaust(chunks)
        assert raised.value.code == "connection_lost"
        await provider.close()
