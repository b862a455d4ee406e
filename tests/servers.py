"""A site in a process of its own: a real ASGI server on a free local port, with a database of its own.

    with serve("uvicorn", tmp_path, env={"STREAMING_PROVIDER": "scripted"}) as site:
        httpx.get(site.url + "/")

The server shares nothing with the calling process. It gets the name of its settings and everything else through the
environment. Its output goes to a file, which `site.log()` reads.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
PORTS = range(11_000, 32_000)
"""Below the ports that Linux gives to outgoing connections, and above the last one that browsers refuse, 10080."""
# Variables of the caller's shell with these prefixes would change what a test talks to.
FOREIGN = ("OPENAI_", "ANTHROPIC_", "STREAMING_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS")

# Both servers would choose uvloop by themselves, and uvicorn httptools, because the tests that name them need them.
UVICORN = ("-m", "uvicorn", "{application}", "--host", "127.0.0.1", "--port", "{port}")
BARE = (*UVICORN, "--loop", "asyncio", "--http", "h11")
STANDARD = (*UVICORN, "--loop", "uvloop", "--http", "httptools")  # as `uvicorn[standard]` runs
GRANIAN = ("-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", "{application}", "--loop")
COMMANDS = {
    "uvicorn": BARE,
    "uvicorn-uvloop": STANDARD,
    "uvicorn-workers": (*BARE, "--workers", "2"),
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "{application}"),
    "granian": (*GRANIAN, "asyncio"),
    "granian-uvloop": (*GRANIAN, "uvloop"),
    "granian-workers": (*GRANIAN, "asyncio", "--workers", "2"),
    "reloading": ("manage.py", "runserver", "127.0.0.1:{port}"),
    "runserver": ("manage.py", "runserver", "--noreload", "127.0.0.1:{port}"),
}


class Site(NamedTuple):
    """A server that answers. `url` has no slash at its end."""

    url: str
    database: Path
    process: subprocess.Popen[bytes]
    log_file: Path
    env: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def serving_pid(self) -> int:
        """The id of the process that serves. Granian and reloaders start it as a child of their own process."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    @property
    def open_sockets(self) -> int:
        """The number of sockets that the server's process has open."""
        count = 0
        for file in Path(f"/proc/{self.serving_pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed a moment ago
                count += os.readlink(file).startswith("socket:")
        return count

    async def has_fewer_sockets_than(self, number: int, within: float = 10) -> None:
        """Waits until the server has closed sockets, because it has noticed that their clients left."""
        async with asyncio.timeout(within):
            while self.open_sockets >= number:  # noqa: ASYNC110  # no event announces it
                await asyncio.sleep(0.02)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def manage(self, *arguments: str) -> str:
        """Runs `manage.py` with the server's settings and database, and returns its output."""
        return manage(self.env, *arguments)

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ends the server with SIGTERM, as an operator would, and returns the exit code. Kills it after ten seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)


@contextlib.contextmanager
def serve(
    server: str,
    directory: Path,
    *,
    settings: str = "project.settings",
    application: str = "project.asgi:application",
    env: Mapping[str, str] | None = None,
    instead_of: Site | None = None,
    group: int | None = None,
) -> Iterator[Site]:
    """Makes a database in `directory`, unless `env` names one, and runs `application` on `server`, a key of `COMMANDS`.

    `instead_of` is a site that has ended. The new site then uses its port and its database. With `group=0`, Ctrl-C in
    a terminal does not reach the server by itself.
    """
    port = instead_of.port if instead_of else free_port()
    site_env = environment(settings, directory / "site.sqlite3", env or {})
    if instead_of is None and "DATABASE_URL" not in (env or {}):
        shutil.copyfile(_migrated(settings), directory / "site.sqlite3")
    words = [word.format(application=application, port=port) for word in COMMANDS[server]]
    log_file = directory / f"{server}-{port}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=site_env,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=group,
        )
    site = Site(f"http://127.0.0.1:{port}", directory / "site.sqlite3", process, log_file, site_env)
    try:
        _wait_for(site, port)
        yield site
    finally:
        site.stop()


def environment(settings: str, database: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a site's process: the shell's without the `FOREIGN` variables, plus `extra`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    own = {"DJANGO_SETTINGS_MODULE": settings, "DATABASE_URL": f"sqlite:///{database}", "PYTHONUNBUFFERED": "1"}
    # tests.settings, and all settings that import them, read TEST_DATABASE.
    return (
        inherited
        | own
        | {"TEST_DATABASE": str(database), "PYTHONPATH": str(ROOT), "MEDIA_ROOT": str(database.parent / "media")}
        | dict(extra)
    )


def free_port() -> int:
    """A port that nobody listens on now, and that no other test process takes while a server of this one is down."""
    for port in _ports():
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError  # the ports never end


@functools.cache
def _ports() -> Iterator[int]:
    """The ports of this test process, again and again."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = PORTS[number :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    begin = random.randrange(len(own))  # two runs at once seldom meet
    return itertools.cycle([*own[begin:], *own[:begin]])


@functools.cache
def _migrated(settings: str) -> Path:
    """An empty, migrated database to copy. It is made once for each settings module, because that takes seconds."""
    directory = tempfile.mkdtemp(prefix="streaming-tests-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    database = Path(directory) / "migrated.sqlite3"
    manage(environment(settings, database, {}), "migrate", "--verbosity", "0")
    return database


def manage(env: dict[str, str], *arguments: str) -> str:
    """Runs `manage.py` in this environment and returns its output."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def answers(port: int) -> bool:
    """Returns True if a server accepts connections on this local port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _wait_for(site: Site, port: int) -> None:
    """Waits until the port accepts connections. All servers import the application before they listen."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and site.process.poll() is None:
        if answers(port):
            return
        time.sleep(0.05)
    pytest.fail(f"The server did not start.\n{site.log()}")
