"""The parents' side of the local model. All processes of a user share one child, which the first of them starts.

The functions here block, so call them from a thread. Three files have locks:

    `<key>.start`  an exclusive lock: one process starts the child, the others wait and find it
    `<key>.use`    shared locks: a process that uses the model holds one until it ends; the child ends when none is held
    `<key>.state`  the child's own lock, held while it lives; the file has its address
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from streaming.errors import ProviderError
from streaming.providers.redact import redact

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("child.py")
POLL_SECONDS = 0.05

Progress = Callable[[str], None]

_in_use: dict[Path, int] = {}
"""The descriptors of the shared locks that this process holds. They stay open until it ends."""

_children: list[subprocess.Popen[bytes]] = []
"""The started children. A dead one is removed from the process table when the next one starts."""


class Address(msgspec.Struct, frozen=True):
    """The address of a child, its API key and its process id."""

    url: str
    api_key: str
    pid: int


class ServerOptions(NamedTuple):
    """The options by which children differ. `child` describes them."""

    model_path: str
    alias: str
    chat_template: str
    n_ctx: int
    n_parallel: int
    n_threads: int


def is_supported() -> bool:
    """Returns True if this platform has the file locks that processes and child need."""
    return fcntl is not None


class LocalServer:
    """Finds or starts one child.

    `grace` is how long the child stays after the last process that used it, `start_timeout` the limit for loading. Both
    are in seconds.
    """

    def __init__(self, options: ServerOptions, *, grace: float, start_timeout: float) -> None:
        self._options = options
        self._key = _key(options)
        self._grace = grace
        self._start_timeout = start_timeout

    def ensure(self, progress: Progress = logger.info) -> Address:
        """Returns the address of a child that has loaded its model.

        Raises:
            ProviderError: it cannot be started. The detail has the end of its log.
        """
        _use(self._file("use"))
        address = self._address()
        if address is None:
            with _locked(self._file("start")):
                address = self._address() or self._start(progress)
        return address

    def _file(self, kind: str) -> Path:
        return _directory() / f"{self._key}.{kind}"

    def _address(self) -> Address | None:
        """Returns the address that the child has published; None if none is alive and ready."""
        try:
            with self._file("state").open("rb") as state:
                return msgspec.json.decode(state.read(), type=Address) if _is_locked(state.fileno()) else None
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _start(self, progress: Progress) -> Address:
        progress(f"Loading the model {self._options.alias} …")
        began = time.monotonic()
        child = self._spawn()
        while (address := self._address()) is None:
            if child.poll() is not None or time.monotonic() - began > self._start_timeout:
                child.kill()
                raise ProviderError("unreachable", f"The local model did not start: {self._log_end()}")
            time.sleep(POLL_SECONDS)
        progress(f"The model is ready after {time.monotonic() - began:.1f} seconds.")
        return address

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Starts a child in a session of its own, so that Ctrl-C in a terminal ends only the site."""
        files = {"state": str(self._file("state")), "use": str(self._file("use"))}
        config = {**self._options._asdict(), **files, "grace": self._grace}
        with self._file("log").open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - our own script, our own interpreter
                [sys.executable, "-P", str(SCRIPT), json.dumps(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _children[:] = [*(other for other in _children if other.poll() is None), child]
        return child

    def _log_end(self) -> str:
        lines = self._file("log").read_text(errors="replace").strip().splitlines()
        return redact(" ".join(lines[-3:]) or "it wrote no log")


def _key(options: ServerOptions) -> str:
    """Returns the key of the child's files. Processes with the same options, installation and program share a child."""
    identity = json.dumps([*options, sys.prefix, SCRIPT.read_text()])
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _directory() -> Path:
    """Returns a directory for temporary files that only this user can read.

    Raises:
        ProviderError: another user could read or write it.
    """
    path = Path(tempfile.gettempdir()) / f"django-llm-streaming-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ProviderError("internal", f"{path} is not a directory of this user alone; remove it")
    return path


def _use(path: Path) -> None:
    """Takes the shared lock until the process ends. Waits for a child that is just ending."""
    if path not in _in_use:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _in_use[path] = descriptor


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_locked(descriptor: int) -> bool:
    """Returns True if another process holds the lock. If not, this process gets a lock until the file is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
