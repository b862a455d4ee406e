"""Real servers that the app uses: Redis, PostgreSQL, MariaDB. Each is a process of the test on a free port.

    def test_something(redis_server):
        redis_server.url                    # redis://127.0.0.1:41233
        redis_server.kill()                 # kill -9; after start() Redis is empty, the databases have their data
        redis_server.pause(); redis_server.resume()        # SIGSTOP, SIGCONT
        redis_server.restart()

This module only connects to the servers' ports. If a server is not installed, the test skips.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.servers import answers, free_port

START_SECONDS = 30
STOP_SECONDS = 10
MEMORY, ROOM_BYTES = "/dev/shm", 4_000_000_000
# Debian's charset instead of the server's default, latin1. The log is flushed once a second, which is enough for a
# killed process. The time zone is not UTC, as on most servers.
MARIADB_OPTIONS = (
    "--character-set-server=utf8mb4",
    "--default-time-zone=+05:00",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=OFF",
)


class Backing:
    """One server. `stop_signal` makes it end in an orderly way."""

    def __init__(self, url: str, port: int, command: Sequence[str], directory: Path, stop_signal: int) -> None:
        self.url = url
        self.port = port
        self._command = command
        self._log = directory / "server.log"
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self.group: int | None = None
        """Set it to 0 before the start, and Ctrl-C in a terminal does not reach the server by itself."""

    def start(self) -> None:
        """Starts the server and returns when it accepts connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, cwd=self._log.parent, process_group=self.group
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                pytest.fail(f"{self._command[0]} did not start.\n{self._log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server in an orderly way, with its stop signal."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """Ends the server at once, like a power cut."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freezes the server: connections stay open, but nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self.resume()
        self._signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)


def redis(directory: Path) -> Backing:
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    command = (_found("redis-server"), *options, "--dir", str(directory))
    return Backing(f"redis://127.0.0.1:{port}", port, command, directory, signal.SIGTERM)


def postgres(directory: Path, *further: str) -> Backing:
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    path = binaries[-1] if binaries else None
    initdb, server = _found("initdb", path), _found("postgres", path)
    data, port = str(directory / "data"), free_port()
    _run(_as_nobody(initdb, "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"))
    # -F: no fsync, which is safe while the machine runs
    options = ("-h", "127.0.0.1", "-p", str(port), "-k", str(directory), "-F", *further)
    url = f"postgres://tests@127.0.0.1:{port}/postgres"
    # `pg_ctl -m immediate` sends SIGQUIT, too. The server waits for nobody and replays its log at the next start.
    return Backing(url, port, _as_nobody(server, "-D", data, *options), directory, signal.SIGQUIT)


def mariadb(directory: Path) -> Backing:
    install, server = _found("mariadb-install-db"), _found("mariadbd", "/usr/sbin")
    # The directory of this user's temporary files may be closed to `nobody`.
    places, port = (f"--datadir={directory / 'data'}", f"--tmpdir={directory}"), free_port()
    _run(_as_nobody(install, "--no-defaults", *places, "--auth-root-authentication-method=normal", "--skip-test-db"))
    options = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={directory / 'socket'}", *MARIADB_OPTIONS)
    url = f"mysql://root@127.0.0.1:{port}/mysql"
    return Backing(url, port, _as_nobody(server, "--no-defaults", *places, *options), directory, signal.SIGTERM)


def _as_nobody(*command: str) -> tuple[str, ...]:
    """The command to run as the user `nobody` if this user is root, because database servers refuse to run as root.

    The servers' own users exist only with packages that also start a server of the machine.
    """
    if os.geteuid() != 0:
        return command
    nobody = pwd.getpwnam("nobody")
    return ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--", *command)


def _found(program: str, path: str | None = None) -> str:
    found = shutil.which(program, path=path) or shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/")
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def _in_memory() -> str | None:
    """Returns a directory in memory, where no server waits for a disk; None for the usual one if there is little room.

    MariaDB syncs the disk for every new table: its tests take half of the time in memory.
    """
    with contextlib.suppress(OSError):
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
            return MEMORY
    return None


def running(make: Callable[[Path], Backing], group: int | None = None) -> Iterator[Backing]:
    """Yields the server that `make` makes, and ends it afterwards. Fixtures use it."""
    # Not pytest's tmp_path: only the caller may enter its parent, and the path of a socket must be short.
    directory = Path(tempfile.mkdtemp(prefix="streaming-", dir=_in_memory()))
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        server = make(directory)
        server.group = group
        stack.callback(server.stop)
        server.start()
        yield server


@pytest.fixture
def redis_server() -> Iterator[Backing]:
    """A Redis that stores nothing on disk."""
    yield from running(redis)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Backing]:
    """A PostgreSQL whose user `tests` may create databases. All tests share it, so do not stop it."""
    yield from running(postgres)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Backing]:
    """A MariaDB whose user `root` has no password. All tests share it, so do not stop it."""
    yield from running(mariadb)
