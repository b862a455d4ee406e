"""The wheel, and the README's recipe in a new project, as a developer follows it."""

from __future__ import annotations

import contextlib
import email
import json
import re
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.sync.client import connect

from streaming.templatetags.streaming import MODULES
from tests.local_model import RunningModel
from tests.packages import ROOT, inherited, run
from tests.servers import free_port

BLOCK = re.compile(r"^```python\n# mysite/(\w+\.py), at the end\n(.*?)^```", re.MULTILINE | re.DOTALL)
DRAIN_SECONDS = 40
SILENCE = "System check identified no issues (0 silenced).\n"
LONG_QUESTION = "Write a long story about the sea."

pytestmark = pytest.mark.slow


# --- the wheel


def test_wheel_holds_the_package_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name for name in names if name.startswith("streaming/")}
    tracked = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "streaming", cwd=ROOT).stdout.split()
    assert package == {name for name in tracked if (ROOT / name).exists()}
    assert {name.partition("/")[0] for name in names - package} == {f"{wheel.stem.rsplit('-', 3)[0]}.dist-info"}


@pytest.mark.parametrize(
    "name",
    [
        "streaming/py.typed",
        "streaming/migrations/0001_initial.py",
        "streaming/templates/streaming/conversation.html",
        "streaming/templates/streaming/admin/transcript.html",
        "streaming/static/streaming/chat.js",
        *(f"streaming/static/streaming/{module}" for module in MODULES),
        "streaming/static/streaming/chat.css",
        "streaming/locale/ar/LC_MESSAGES/django.mo",
        "streaming/providers/local/tools.jinja",
        "streaming/management/commands/chat.py",
    ],
)
def test_wheel_holds_files_that_are_not_imported(wheel, name):
    assert name in zipfile.ZipFile(wheel).namelist()


def test_wheel_has_the_metadata(wheel):
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Name"] == "django-llm-streaming"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert set(metadata.get_all("Provides-Extra", [])) >= {"openai", "anthropic", "local"}
    required = " ".join(metadata.get_all("Requires-Dist", []))
    assert all(word in required for word in ("django>=5.2", "channels", "daphne>=4.2.2", "asgiref>=3.12.1", "msgspec"))


# --- the recipe


class Project(NamedTuple):
    """A project that `startproject` made and the recipe changed. The interpreter `python` has the wheel."""

    directory: Path
    python: Path
    env: dict[str, str]

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(self.python, "manage.py", *words, cwd=self.directory, env=self.env)


@pytest.fixture(scope="module")
def project(python: Path, local_model: RunningModel, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project made by the recipe. The recipe uses OpenAI, and the environment redirects it to the local model."""
    directory = tmp_path_factory.mktemp("project")
    env = inherited() | {"OPENAI_API_KEY": local_model.api_key, "OPENAI_BASE_URL": f"{local_model.url}/v1"}
    run(python, "-m", "django", "startproject", "mysite", directory, cwd=directory, env=env)
    for file, lines in recipe().items():
        with (directory / "mysite" / file).open("a") as target:
            target.write(f"\n{lines}")
    fresh = Project(directory, python, env)
    fresh.manage("migrate", "--verbosity", "0")
    account = {"DJANGO_SUPERUSER_PASSWORD": "secret"}
    user = ("createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org")
    fresh._replace(env=env | account).manage(*user)
    return fresh


def recipe() -> dict[str, str]:
    """The name of a file in `mysite/` -> the lines that the README adds to it."""
    return dict(BLOCK.findall((ROOT / "README.md").read_text()))


@contextlib.contextmanager
def runserver(project: Project) -> Iterator[str]:
    """Runs the last step of the recipe, and yields the site's address."""
    port = free_port()
    command = [project.python, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    log_file = project.directory / "runserver.log"
    with log_file.open("wb") as log:
        server = subprocess.Popen(command, cwd=project.directory, env=project.env, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            assert server.poll() is None, log_file.read_text()
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{address}/admin/login/")
                break
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(DRAIN_SECONDS)


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    with runserver(project) as running:
        yield running


@pytest.fixture
def ada(address: str) -> Iterator[httpx.Client]:
    """A client that has signed in at the recipe's `LOGIN_URL`."""
    with httpx.Client(base_url=address, timeout=60) as client:
        page = client.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"username": "ada", "password": "secret", "csrfmiddlewaretoken": token[1]}
        assert client.post("/admin/login/?next=/", data=form).status_code == 302
        yield client


def test_recipe_has_ten_lines():
    assert set(recipe()) == {"settings.py", "urls.py", "asgi.py"}
    assert sum(len(lines.splitlines()) for lines in recipe().values()) == 10


def test_package_comes_from_the_wheel(project):
    code = "import streaming; print(streaming.__file__)"
    found = run(project.python, "-c", code, cwd=project.directory, env=project.env).stdout
    assert found.startswith(str(project.python.parent.parent))


def test_checks_are_silent(project):
    done = project.manage("check")
    assert (done.stdout, done.stderr) == (SILENCE, "")


def test_no_migration_is_missing(project):
    assert "No changes detected" in project.manage("makemigrations", "--check", "--dry-run").stdout


def test_page_and_its_files_are_served(ada):
    page = ada.get("/")
    assert page.status_code == 200
    files = re.findall(r'(?:src|href)="(/static/streaming/[^"]+)"', page.text)
    assert files
    assert {file: ada.get(file).status_code for file in files} == dict.fromkeys(files, 200)


def test_visitors_have_to_sign_in(address):
    assert httpx.post(f"{address}/api/chat", json={"prompt": "Hello"}).status_code == 401
    page = httpx.get(f"{address}/")
    assert page.status_code == 302
    assert page.headers["location"].startswith("/admin/login/")


# The small model often writes a thousand tokens, so the tests stop it after some. It may also write a single word.
# Therefore the tests only compare the text that was shown with the text that was stored.


def test_chat_works_over_http(ada):
    chunks: list[dict[str, Any]] = []
    is_stopped = False
    with ada.stream("POST", "/api/chat", json={"id": "over-http", "prompt": LONG_QUESTION}) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("data: {"):
                chunks.append(json.loads(line.removeprefix("data: ")))
                if texts_in(chunks)[2:] and not is_stopped:
                    is_stopped = ada.post("/api/chat/over-http/stop").status_code == 200
    assert chunks[0]["type"] == "start"
    assert chunks[-1]["type"] in ("abort", "finish")
    assert "".join(texts_in(chunks)) == kept_text(ada, "over-http") != ""
    assert LONG_QUESTION in ada.get("/chat/over-http/").text


def test_curl_of_the_readme_signs_in_and_streams(address, tmp_path):
    """The commands as they are, but for the port, in an empty directory."""
    [commands] = re.findall(r"^```sh\n(curl .*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    done = run("bash", "-eu", "-c", commands.replace("http://127.0.0.1:8000", address), cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert texts_in([json.loads(line[6:]) for line in lines if line.startswith("data: {")])
    assert lines[-2:] == ["data: [DONE]", ""]


def test_recipe_names_the_command_that_makes_the_account():
    [commands] = re.findall(r"^```sh\n(export .*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    steps = re.findall(r"^python manage.py (\w+)", commands, re.MULTILINE)
    assert steps == ["migrate", "check", "createsuperuser", "runserver"]


def test_chat_works_over_a_websocket(ada, address):
    session = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
    message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": LONG_QUESTION}]}
    target = address.replace("http", "ws") + "/ws/chat/"
    frames: list[dict[str, Any]] = []
    is_stopped = False
    with connect(target, origin=address, additional_headers={"Cookie": session}, proxy=None) as socket:
        socket.send(json.dumps({"type": "send", "requestId": "r1", "id": "over-websocket", "messages": [message]}))
        while not frames or frames[-1]["type"] not in ("end", "error"):
            frames.append(json.loads(socket.recv(60)))
            if texts_in(chunks_in(frames))[2:] and not is_stopped:
                socket.send(json.dumps({"type": "abort", "requestId": "r1"}))
                is_stopped = True
    assert frames[-1]["type"] == "end"
    assert "".join(texts_in(chunks_in(frames))) == kept_text(ada, "over-websocket") != ""


def chunks_in(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [frame["chunk"] for frame in frames if frame["type"] == "chunk"]


def texts_in(chunks: list[dict[str, Any]]) -> list[str]:
    return [chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta"]


def kept_text(client: httpx.Client, key: str) -> str:
    _question, answer = client.get(f"/api/chat/{key}").json()["messages"]
    return "".join(part["text"] for part in answer["parts"] if part["type"] == "text")


def test_chat_works_in_the_terminal(project):
    command = [project.python, "-u", "manage.py", "chat", LONG_QUESTION]
    with subprocess.Popen(command, cwd=project.directory, env=project.env, stdout=subprocess.PIPE) as chat:
        assert chat.stdout
        assert chat.stdout.read(20).strip()
        chat.send_signal(signal.SIGINT)
        chat.wait(DRAIN_SECONDS)
