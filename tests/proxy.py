"""nginx in front of sites, with a configuration that names the first site as 127.0.0.1:8000.

with nginx(directory, documented(), [site.port]) as url: …
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.servers import ROOT, answers, free_port

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
# A configuration that does not consider streams: nginx's defaults, and compression of everything.
PLAIN = "server { listen 80; location / { proxy_pass http://127.0.0.1:8000; proxy_set_header Host $http_host; } }"
FRAME = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 1; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; proxy_read_timeout {patience}s;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  {server}
}}
"""


def documented() -> str:
    """The sample configuration in docs/deployment.md."""
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs/deployment.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@contextlib.contextmanager
def nginx(
    directory: Path, server: str, ports: Sequence[int], *, port: int = 0, patience: float = 60, group: int | None = None
) -> Iterator[str]:
    """Runs nginx in front of the sites on these ports, and yields its address."""
    if not Path(NGINX).exists():
        pytest.skip("nginx is not installed")
    if port and answers(port):
        pytest.fail(f"Port {port} is in use. Choose another.")
    port = port or free_port()
    server = re.sub(r"listen \d+", f"listen 127.0.0.1:{port}", server)
    server = server.replace("server 127.0.0.1:8000;", " ".join(f"server 127.0.0.1:{one};" for one in ports))
    server = server.replace("127.0.0.1:8000", f"127.0.0.1:{ports[0]}")
    (directory / "nginx.conf").write_text(FRAME.format(server=server, patience=patience))
    command = [NGINX, "-p", str(directory), "-c", "nginx.conf"]
    with (directory / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, process_group=group)
    try:
        _wait_for(process, port, directory / "nginx.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(200):
        if process.poll() is None and answers(port):
            return
        time.sleep(0.05)
    pytest.fail(f"nginx did not start.\n{log.read_text()}")
