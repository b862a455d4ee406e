"""`make cluster` runs what docs/deployment.md describes, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.proxy import NGINX
from tests.servers import ROOT, answers, environment

PORT = re.compile(r"127\.0\.0\.1:(\d+)")


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A running `make cluster`, without make."""
    if not Path(NGINX).exists():
        pytest.skip("nginx is not installed")
    env = environment("tests.cluster_settings", tmp_path / "unused", {"TMPDIR": "/tmp"})
    for name in ("DATABASE_URL", "MEDIA_ROOT"):
        env.pop(name)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, process_group=0
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(40)
    assert process.stdout
    process.stdout.close()


def told(process: subprocess.Popen[str]) -> list[str]:
    """Returns what the command prints until the cluster runs."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            return lines
    pytest.skip("".join(lines) or "PostgreSQL or Redis is not installed")


def test_cluster_answers_and_ctrl_c_ends_all_of_it_in_mid_answer(command: subprocess.Popen[str]) -> None:
    lines = told(command)
    ports = [int(port) for line in lines for port in PORT.findall(line)[:1]]
    assert len(ports) == 5
    [logs, *_] = [Path(found[1]).parents[1] for line in lines if (found := re.search(r"log: (.*)\)", line))]
    url = f"http://127.0.0.1:{ports[0]}"
    with httpx.Client(base_url=url, timeout=20) as client:
        assert client.get("/").status_code == 200
        assert client.get("/static/streaming/chat.css").headers["server"].startswith("nginx")
        text = client.post("/api/chat", json={"id": "c", "prompt": "Why?"}).text
        assert text.endswith("data: [DONE]\n\n")
        with client.stream("POST", "/api/chat", json={"id": "d", "prompt": "Why?"}) as answer:
            next(answer.iter_lines())
            assert _workers(lines) == 2
            os.killpg(command.pid, signal.SIGINT)
            command.wait(40)
    assert command.returncode == 0
    assert not any(map(answers, ports))
    assert not logs.exists()


def _workers(lines: list[str]) -> int:
    """Returns the number of processes that have written answers. nginx gives each of them every second request."""
    [url] = [line.split()[1].replace("postgres:", "postgresql:") for line in lines if "PostgreSQL  " in line]
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(DISTINCT worker) FROM streaming_generation").fetchone()
    return found[0] if found else 0
