"""The example site: what the environment makes of it, and who may reach it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.database_url import POSTGRES_POOL, SQLITE_OPTIONS, database_from
from project.loopback import LoopbackOnly
from project.providers import providers_from
from tests.servers import ROOT, environment

READ = "from project import settings as s; print({expression})"


def settings_value(expression: str, tmp_path: Path, **env: str) -> str:
    """What the settings module says of `s` in a process with this environment."""
    command = [sys.executable, "-c", READ.format(expression=expression)]
    site_env = environment("project.settings", tmp_path / "x.sqlite3", env)
    done = subprocess.run(command, cwd=ROOT, env=site_env, capture_output=True, text=True)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///local.sqlite3", {"NAME": "local.sqlite3", "OPTIONS": SQLITE_OPTIONS}),
        ("sqlite:////srv/a%20b.sqlite3", {"NAME": "/srv/a b.sqlite3"}),
        (
            "postgres://ada:l%40ce@db.example:5433/chat?sslmode=require",
            {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "chat",
                "USER": "ada",
                "PASSWORD": "l@ce",
                "HOST": "db.example",
                "PORT": 5433,
                "OPTIONS": {"connect_timeout": 5, "tcp_user_timeout": 20_000, "sslmode": "require"},
            },
        ),
        ("postgresql:///chat", {"NAME": "chat", "USER": "", "HOST": "", "PORT": ""}),
    ],
)
def test_database_urls_are_read(url: str, expected: dict[str, Any]) -> None:
    database = database_from(url)
    assert database == database | expected


def test_site_on_postgresql_has_a_pool(tmp_path: Path) -> None:
    read = 's.DATABASES["default"]["OPTIONS"].get("pool")'
    assert settings_value(read, tmp_path, DATABASE_URL="postgres:///chat") == str(POSTGRES_POOL)
    assert settings_value(read, tmp_path) == "None"


def test_an_unknown_database_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"'oracle', must be one of: mysql, postgres, postgresql, sqlite"):
        database_from("oracle://x/y")


@pytest.mark.parametrize(
    ("env", "default"),
    [
        ({}, "local.LocalModel"),
        ({"OPENAI_API_KEY": "k"}, "openai.ChatCompletions"),
        ({"ANTHROPIC_API_KEY": "k"}, "anthropic.Messages"),
        ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, "openai.ChatCompletions"),
        ({"OPENAI_API_KEY": "k", "STREAMING_PROVIDER": "openai-responses"}, "openai.Responses"),
        ({"OPENAI_API_KEY": "k", "STREAMING_PROVIDER": "scripted"}, "scripted.Scripted"),
        ({"STREAMING_PROVIDER": "anthropic"}, "anthropic.Messages"),
    ],
)
def test_the_default_provider_follows_the_environment(env: dict[str, str], default: str) -> None:
    assert providers_from(env)["default"]["BACKEND"] == f"streaming.providers.{default}"


def test_what_has_a_key_or_an_address_is_offered() -> None:
    assert set(providers_from({})) == {"default", "local", "scripted"}
    named = providers_from({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_MODEL": "m"})
    assert set(named) == {"default", "local", "scripted", "openai-chat", "openai-responses"}
    assert named["openai-chat"]["OPTIONS"]["base_url"] == "http://127.0.0.1:1/v1"
    assert named["openai-chat"]["OPTIONS"]["model"] == "m"


def test_an_unknown_alias_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImproperlyConfigured, match="'opnai', must be one of: openai-chat"):
        providers_from({"STREAMING_PROVIDER": "opnai"})


@pytest.mark.parametrize(
    ("env", "anonymous"),
    [
        ({}, "True"),
        ({"ALLOWED_HOSTS": "localhost"}, "True"),
        ({"ALLOWED_HOSTS": "chat.example"}, "False"),
        ({"ALLOWED_HOSTS": "localhost,*"}, "False"),
        ({"DEBUG": "0", "SECRET_KEY": "s"}, "False"),
        ({"DEBUG": "0", "SECRET_KEY": "s", "ALLOWED_HOSTS": "localhost"}, "False"),
    ],
)
def test_only_a_site_for_its_own_machine_is_open_to_visitors(
    tmp_path: Path, env: dict[str, str], anonymous: str
) -> None:
    assert settings_value("s.STREAMING_ALLOW_ANONYMOUS", tmp_path, **env) == anonymous


def test_without_debug_a_secret_key_is_needed(tmp_path: Path) -> None:
    assert "SECRET_KEY must be set" in settings_value("s.DEBUG", tmp_path, DEBUG="0")


async def reach(client: object, kind: str = "http") -> list[Any]:
    """What a peer at `client` gets: the application's word, or a refusal."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "let in"})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing needs to be read")

    await LoopbackOnly(application)({"type": kind, "client": client}, receive, send)
    return [message.get("status", message.get("code", message["type"])) for message in sent]


@pytest.mark.parametrize("client", [("127.0.0.1", 1), ("127.8.8.8", 1), ("::1", 1), ("::ffff:127.0.0.1", 1), None])
async def test_this_machine_is_let_in(client: object) -> None:
    assert await reach(client) == ["let in"]
    assert await reach(client, "websocket") == ["let in"]


@pytest.mark.parametrize("client", [("192.168.1.20", 1), ("2001:db8::1", 1), ("::ffff:10.0.0.1", 1)])
async def test_other_machines_are_turned_away(client: object) -> None:
    assert await reach(client) == [403, "http.response.body"]
    assert await reach(client, "websocket") == [4403]
