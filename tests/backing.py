"""Real servers behind the app, each a process of the test's own on a free port: Redis, PostgreSQL, MariaDB.

    def test_something(redis_server):
        redis_server.url                    # redis://127.0.0.1:41233
        redis_server.kill()                 # kill -9; start() begins again, Redis empty, the databases with their data
        redis_server.pause(); redis_server.resume()        # SIGSTOP, SIGCONT
        redis_server.restart()

Nothing here speaks to the servers but a connect to their port. Where a server is not installed the test skips.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.servers import free_port

START_SECONDS = 30
STOP_SECONDS = 10
# Debian's charset, not the server's own latin1; the log flushed once a second, which a killed process survives.
# Its clock is in a zone of its own, as most servers' clocks are.
MARIADB_OPTIONS = (
    "--character-set-server=utf8mb4",
    "--default-time-zone=+05:00",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=OFF",
)


class Backing:
    """One server. `stop_signal` ends it in order."""

    def __init__(self, url: str, port: int, command: Sequence[str], directory: Path, stop_signal: int) -> None:
        self.url = url
        self.port = port
        self._command = command
        self._log = directory / "server.log"
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it accepts connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._log.parent)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                pytest.fail(f"{self._command[0]} did not start.\n{self._log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in order, by its own signal."""
        self._end(self._stop_signal)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nobody answers."""
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

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


def redis(directory: Path) -> Backing:
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    command = (_found("redis-server"), *options, "--dir", str(directory))
    return Backing(f"redis://127.0.0.1:{port}", port, command, directory, signal.SIGTERM)


def postgres(directory: Path) -> Backing:
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    path = binaries[-1] if binaries else None
    initdb, server = _found("initdb", path), _found("postgres", path)
    data, port = str(directory / "data"), free_port()
    _run(_as_nobody(initdb, "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"))
    options = ("-h", "127.0.0.1", "-p", str(port), "-k", str(directory), "-F")  # -F: safe as long as the machine lives
    url = f"postgres://tests@127.0.0.1:{port}/postgres"
    # SIGQUIT is what `pg_ctl -m immediate` sends: nobody is waited for, the log is replayed at the next start.
    return Backing(url, port, _as_nobody(server, "-D", data, *options), directory, signal.SIGQUIT)


def mariadb(directory: Path) -> Backing:
    install, server = _found("mariadb-install-db"), _found("mariadbd", "/usr/sbin")
    data, port = f"--datadir={directory / 'data'}", free_port()
    _run(_as_nobody(install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"))
    options = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={directory / 'socket'}", *MARIADB_OPTIONS)
    url = f"mysql://root@127.0.0.1:{port}/mysql"
    return Backing(url, port, _as_nobody(server, "--no-defaults", data, *options), directory, signal.SIGTERM)


def _as_nobody(*command: str) -> tuple[str, ...]:
    """Database servers refuse to run as root; everybody else runs them as themselves.

    Not as users of their own, who come with packages that also start a server of the machine's.
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


def running(make: Callable[[Path], Backing]) -> Iterator[Backing]:
    """The server that `make` makes, for as long as the iteration takes; for fixtures."""
    # Not pytest's directory: it lies in one that only the caller may enter, and a socket's path must be short.
    directory = Path(tempfile.mkdtemp(prefix="streaming-"))
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        server = make(directory)
        stack.callback(server.stop)
        server.start()
        yield server


@pytest.fixture
def redis_server() -> Iterator[Backing]:
    """A Redis that keeps nothing on disk."""
    yield from running(redis)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Backing]:
    """A PostgreSQL; its user `tests` may create databases. Leave it running."""
    yield from running(postgres)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Backing]:
    """A MariaDB; `root` has no password. Leave it running."""
    yield from running(mariadb)
