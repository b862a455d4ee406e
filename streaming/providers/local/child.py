"""The child process: it runs llama.cpp's server with a local model while any process uses the model.

`parent` runs it as a script, so it imports nothing of this package. Its one argument is JSON:

    state          the file for `{"url", "api_key", "pid"}`, which this process locks until it ends
    use            the file on which every process that uses the model holds a shared lock
    grace          the time without such a process after which this one ends, in seconds
    model_path, alias, n_ctx, n_parallel, n_threads
    chat_template  the text of a Jinja template; empty for the model's own

The kernel releases a lock when its process ends, however it ends. So a killed worker never leaves this child running
for ever, and a killed child never seems alive.
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
"""Every connection holds one thread, and an idle one keeps it for five seconds. With too few, the server seems dead."""

PING_SECONDS = 15
NICENESS = 5
"""The model uses every core it can. Its lower priority leaves time for the web server that streams the answer."""


def main(argument: str) -> None:
    """Loads the model, publishes the address, and ends when no process uses the model."""
    config = json.loads(argument)
    state = _hold(config["state"])
    os.nice(NICENESS)
    api_key = secrets.token_urlsafe(32)
    server = _serve(config, api_key)
    _publish(state, {"url": server.listening_address, "api_key": api_key, "pid": os.getpid()})
    _wait_until_unused(config["use"], config["grace"])
    os.ftruncate(state, 0)
    os._exit(0)  # it still holds the lock on `use`, so no process begins to use it now


def _hold(path: str) -> int:
    """Locks the state file until the process ends, empties it, and returns its descriptor."""
    state = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(state, fcntl.LOCK_EX)
    os.ftruncate(state, 0)
    return state


def _publish(state: int, content: dict[str, Any]) -> None:
    os.pwrite(state, json.dumps(content).encode(), 0)


def _serve(config: dict[str, Any], api_key: str) -> Any:
    """Returns the server, which listens on a free local port with the model loaded. It runs on threads of its own."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = config["model_path"]
    params.model_alias = {config["alias"]}
    params.chat_template = config["chat_template"]
    params.n_ctx = config["n_ctx"]
    params.n_parallel = config["n_parallel"]
    params.kv_unified = True  # a long conversation may use the context that others leave free
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]
    params.n_threads_http = HTTP_THREADS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config["n_threads"]
    params.sse_ping_interval = PING_SECONDS
    params.ui = False
    params.endpoint_slots = False  # it would show the requests of others
    params.verbosity = 0
    return xllamacpp.Server(params)


def _wait_until_unused(path: str, grace: float) -> None:
    """Returns with the exclusive lock, once no process has held a shared lock for `grace` seconds."""
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
