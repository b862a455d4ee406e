"""The stream doctor against a real server, and behind a proxy that spoils streams."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from tests.servers import ROOT, Site
from tests.serving import test_in_between
from tests.serving.conftest import Start
from tests.serving.test_in_between import Proxy

proxied = test_in_between.proxied
PASS = "proxy_pass http://127.0.0.1:8000; proxy_set_header Host $http_host;"
BUFFERING = f"server {{ listen 80; location / {{ {PASS} proxy_ignore_headers X-Accel-Buffering; }} }}"
PLAIN = f"server {{ listen 80; location / {{ {PASS} }} }}"


def diagnosed(site: Site, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Runs the doctor with the site's settings. Returns its exit code, and its layers by name."""
    command = [sys.executable, "manage.py", "stream_doctor", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, {layer["layer"]: layer for layer in json.loads(done.stdout)["layers"]}


def codes(layer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in layer["findings"]]


def test_stream_of_a_server_is_well(shared: Start) -> None:
    site = shared("uvicorn")
    code, layers = diagnosed(site, site.url)
    assert code == 0
    assert [codes(layer) for layer in layers.values()] == [[], [], []]
    assert list(layers) == ["app", "middleware", "site"]


@pytest.mark.parametrize(
    ("config", "heartbeat", "silence", "found"),
    [
        (BUFFERING, 0.5, "0", ["buffered"]),
        (PLAIN, 60, "2.5", ["cut"]),
    ],
    ids=["buffering", "impatient"],
)
def test_proxy_at_fault_is_named(
    start: Start, proxied: Proxy, config: str, heartbeat: float, silence: str, found: list[str]
) -> None:
    site = start("uvicorn", STREAMING_HEARTBEAT_SECONDS=heartbeat)
    behind = proxied(site, config)
    _wait_for(behind)
    code, layers = diagnosed(site, behind.url, "--server", site.url, "--silence", silence)
    assert code == 1
    assert [codes(layers[name]) for name in ("app", "middleware", "server")] == [[], [], []]
    assert codes(layers["site"])[:1] == found
    assert "proxy" in layers["site"]["advice"]


def _wait_for(site: Site) -> None:
    for _ in range(100):
        try:
            httpx.get(site.url)
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError("nginx did not start")
