"""The child process that holds a local model: llama.cpp's server, for as long as somebody uses it.

Run by `parent` as a script, so it imports nothing of this package. Its one argument is JSON:

    state          file to publish `{"url", "api_key", "pid"}` in; locked as long as this process lives
    use            file on which every user of the model holds a shared lock
    grace          seconds without a user after which this process ends
    model_path, alias, n_ctx, n_parallel, n_threads
    chat_template  text of a Jinja template; empty for the model's own

Locks are the kernel's: they fall with their process, however it dies. So a killed worker never leaves this child
behind, and a killed child never looks alive.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
import time
from typing import Any

PROBE_SECONDS = 1.0
HTTP_THREADS = 64
"""Every connection holds one, idle ones for five seconds. They cost little; too few would look like a dead server."""

PING_SECONDS = 15
NICENESS = 5
"""The model takes every core it gets; the web server that streams its words must come first."""


def main(argument: str) -> None:
    """Load, publish the address, stay until unused."""
    config = json.loads(argument)
    state = _hold(config["state"])
    os.nice(NICENESS)
    api_key = secrets.token_urlsafe(32)
    server = _serve(config, api_key)
    _publish(state, {"url": server.listening_address, "api_key": api_key, "pid": os.getpid()})
    _wait_until_unused(config["use"], config["grace"])
    os.ftruncate(state, 0)
    os._exit(0)  # the lock on `use` is still held, so nobody begins to use what is about to go


def _hold(path: str) -> int:
    """The state file, empty and locked for good."""
    state = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(state, fcntl.LOCK_EX)
    os.ftruncate(state, 0)
    return state


def _publish(state: int, content: dict[str, Any]) -> None:
    os.pwrite(state, json.dumps(content).encode(), 0)


def _serve(config: dict[str, Any], api_key: str) -> Any:
    """The server, loaded and listening on a free port of the loopback; it runs on threads of its own."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["model_path"]
    params.model_alias = {config["alias"]}
    params.chat_template = config["chat_template"]
    params.n_ctx = config["n_ctx"]
    params.n_parallel = config["n_parallel"]
    params.kv_unified = True  # one long conversation may use what the others leave
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]
    params.n_threads_http = HTTP_THREADS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config["n_threads"]
    params.sse_ping_interval = PING_SECONDS
    params.ui = False
    params.endpoint_slots = False  # it would show what others are asking
    params.verbosity = 0
    return xllamacpp.Server(params)


def _wait_until_unused(path: str, grace: float) -> None:
    """Return, holding the exclusive lock, once nobody held a shared one for `grace` seconds."""
    use = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    last_used = time.monotonic()
    while True:
        time.sleep(PROBE_SECONDS)
        if not _is_unused(use):
            last_used = time.monotonic()
        elif time.monotonic() - last_used >= grace:
            return
        else:
            fcntl.flock(use, fcntl.LOCK_UN)


def _is_unused(use: int) -> bool:
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])
