from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage, Error, Warning, run_checks
from django.db import connections
from django.test import override_settings

from streaming.checks import TAG
from streaming.conf import PREFIX, SETTINGS

ROOT = Path(__file__).resolve().parent.parent
CHAT = "streaming.providers.openai.ChatCompletions"
EXAMPLE = (
    'For example: {"default": {"BACKEND": "streaming.providers.openai.ChatCompletions", '
    '"OPTIONS": {"model": "gpt-5-mini"}}}'
)
SCRIPTED = {"BACKEND": "streaming.providers.scripted.Scripted"}
PATIENT_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 20_000}


class OwnSessionMiddleware(SessionMiddleware):
    pass


def messages(*, deploy: bool = False, **overrides: Any) -> list[CheckMessage]:
    """Of the tests' own settings with these; deployed, a site has its visitors sign in."""
    defaults = {"STREAMING_ALLOW_ANONYMOUS": False} if deploy else {}
    with override_settings(**defaults | overrides):
        return run_checks(tags=[TAG], include_deployment_checks=deploy)


def test_tests_settings_are_fine():
    assert messages() == []
    assert messages(deploy=True) == []


@pytest.mark.parametrize("value", [{}, None, ()])
def test_providers_not_set(value):
    assert messages(STREAMING_PROVIDERS=value) == [
        Error("STREAMING_PROVIDERS is not set.", hint=EXAMPLE, id="streaming.E001")
    ]


def test_providers_setting_absent(settings):
    del settings.STREAMING_PROVIDERS
    assert [message.id for message in run_checks(tags=[TAG])] == ["streaming.E001"]


def test_providers_not_a_dict():
    assert messages(STREAMING_PROVIDERS=["openai"]) == [
        Error("STREAMING_PROVIDERS must be a dict of dicts.", hint=EXAMPLE, id="streaming.E002")
    ]


@pytest.mark.parametrize(("alias", "entry"), [("default", CHAT), ("default", None), (7, SCRIPTED)])
def test_providers_entry_not_a_dict_under_a_name(alias, entry):
    assert messages(STREAMING_PROVIDERS={"default": SCRIPTED} | {alias: entry}) == [
        Error(f"STREAMING_PROVIDERS[{alias!r}] must be a dict under a name.", hint=EXAMPLE, id="streaming.E002")
    ]


@pytest.mark.parametrize("entry", [{}, {"BACKEND": None}, {"BACKEND": object}, {**SCRIPTED, "OPTIONS": ["model"]}])
def test_providers_entry_malformed(entry):
    assert messages(STREAMING_PROVIDERS={"default": entry}) == [
        Error(
            "STREAMING_PROVIDERS['default'] needs a BACKEND (str), and OPTIONS (dict) if any.",
            hint=EXAMPLE,
            id="streaming.E002",
        )
    ]


def test_providers_key_misspelt():
    assert messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "OPTION": {}}}) == [
        Error(
            "STREAMING_PROVIDERS['default'] has an unknown key 'OPTION'.",
            hint="Did you mean 'OPTIONS'?",
            id="streaming.E003",
        )
    ]


def test_providers_key_unlike_any():
    assert messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "COLOUR": "red"}}) == [
        Error(
            "STREAMING_PROVIDERS['default'] has an unknown key 'COLOUR'.",
            hint="It must be one of: BACKEND, OPTIONS, TOOLS.",
            id="streaming.E003",
        )
    ]


def test_providers_without_default():
    assert messages(STREAMING_PROVIDERS={"fast": SCRIPTED, "good": SCRIPTED}) == [
        Error(
            'STREAMING_PROVIDERS has no "default".',
            hint="It answers where no alias is named. Rename one of: fast, good.",
            id="streaming.E004",
        )
    ]


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("streaming.providers.opnai.Chat", "cannot be imported: No module named 'streaming.providers.opnai'"),
        (
            "streaming.providers.openai.Chat",
            'cannot be imported: Module "streaming.providers.openai" does not define a "Chat" attribute/class',
        ),
        ("streaming.errors.NotFound", "streaming.errors.NotFound, is not a provider"),
    ],
)
def test_backend_is_no_provider(path, because):
    [message] = messages(STREAMING_PROVIDERS={"default": {"BACKEND": path}})
    assert (message.id, message.hint) == (
        "streaming.E005",
        "Name a provider class, such as streaming.providers.openai.ChatCompletions.",
    )
    assert message.level == Error("").level
    assert because in message.msg


def test_every_problem_of_a_provider_is_told(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    options = {"modell": "gpt-5-mini", "timeout": "soon", "api_key": ""}
    assert messages(STREAMING_PROVIDERS={"default": {"BACKEND": CHAT, "OPTIONS": options}}) == [
        Error("'default' has an unknown option 'modell'.", hint="Did you mean 'model'?", id="streaming.E008"),
        Error(
            "An option of 'default' has a wrong value: Expected `float`, got `str` - at `$.timeout`.",
            hint="Correct it.",
            id="streaming.E009",
        ),
        Error("'default' names no model.", hint='Set OPTIONS["model"].', id="streaming.E007"),
        Warning(
            "'default' has no API key.",
            hint='Set OPTIONS["api_key"], or the environment variable OPENAI_API_KEY.',
            id="streaming.W010",
        ),
    ]


@pytest.mark.parametrize(
    ("backend", "module", "extra"),
    [
        (CHAT, "openai", "openai"),
        ("streaming.providers.anthropic.Messages", "anthropic", "anthropic"),
        ("streaming.providers.local.LocalModel", "xllamacpp", "local"),
    ],
)
def test_extra_not_installed(monkeypatch, backend, module, extra):
    monkeypatch.setattr("streaming.providers.options.find_spec", lambda name: None if name == module else object())
    options = {"model": "any", "api_key": "a key"} if extra != "local" else {}
    assert messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": options}}) == [
        Error(
            f"'default' needs the package {module!r}, which is not installed.",
            hint=f"Run: pip install 'django-llm-streaming[{extra}]'",
            id="streaming.E006",
        )
    ]


def test_unknown_setting():
    assert messages(STREAMING_PROVIDER="default", STREAMING_COLOUR="red") == [
        Warning(
            "There is no setting STREAMING_COLOUR.",
            hint=f"It must be one of: {', '.join(PREFIX + name for name in sorted(SETTINGS))}.",
            id="streaming.W011",
        ),
        Warning(
            "There is no setting STREAMING_PROVIDER.", hint="Did you mean 'STREAMING_PROVIDERS'?", id="streaming.W011"
        ),
    ]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SYSTEM_PROMPT", None, "a str"),
        ("ALLOW_ANONYMOUS", "False", "True or False"),
        ("MAX_PROMPT_CHARS", "32000", "a whole number, 1 or more"),
        ("MAX_PROMPT_CHARS", 0, "a whole number, 1 or more"),
        ("MAX_ACTIVE_PER_OWNER", True, "a whole number, 1 or more"),
        ("MAX_ACTIVE_PER_PROCESS", 1.5, "a whole number, 1 or more"),
        ("DATABASE_THREADS", -1, "a whole number, 1 or more"),
        ("PROVIDER_RETRIES", -1, "a whole number, 0 or more"),
        ("PROVIDER_RETRIES", False, "a whole number, 0 or more"),
        ("FIRST_DELTA_SECONDS", 0, "a number of seconds above 0"),
        ("STALL_SECONDS", None, "a number of seconds above 0"),
        ("TOTAL_SECONDS", "1h", "a number of seconds above 0"),
        ("ABANDON_AFTER", "never", "a number of seconds, 0 or more, or None"),
        ("ABANDON_AFTER", -1, "a number of seconds, 0 or more, or None"),
        ("HEARTBEAT_SECONDS", 0, "a number of seconds above 0"),
        ("TICK_SECONDS", float("nan"), "a number of seconds above 0"),
        ("LEASE_SECONDS", None, "a number of seconds above 0"),
        ("POLL_SECONDS", float("inf"), "a number of seconds above 0"),
        ("DRAIN_SECONDS", -0.1, "a number of seconds, 0 or more"),
        ("JOURNAL_RETENTION_SECONDS", "1h", "a number of seconds, 0 or more"),
    ],
)
def test_wrong_value(name, value, wanted):
    assert messages(**{PREFIX + name: value}) == [
        Error(
            f"STREAMING_{name} must be {wanted}, not {value!r}.",
            hint="Correct it, or remove it to get the default.",
            id="streaming.E012",
        )
    ]


@pytest.mark.parametrize(
    "fine",
    [
        {"ABANDON_AFTER": None},
        {"ABANDON_AFTER": 0},
        {"PROVIDER_RETRIES": 0},
        {"HEARTBEAT_SECONDS": 0.5},
        {"DRAIN_SECONDS": 0},
        {"MAX_PROMPT_CHARS": 1},
        {"SYSTEM_PROMPT": ""},
        {"LEASE_SECONDS": 1, "TICK_SECONDS": 0.2},
    ],
)
def test_value_at_the_edge_is_fine(fine):
    assert messages(**{PREFIX + name: value for name, value in fine.items()}) == []


def test_lease_too_short_for_the_tick():
    assert messages(STREAMING_LEASE_SECONDS=4, STREAMING_TICK_SECONDS=1) == [
        Error(
            "STREAMING_LEASE_SECONDS (4) is too short for STREAMING_TICK_SECONDS (1): "
            "live answers would count as interrupted.",
            hint="Make the lease at least 5 ticks long.",
            id="streaming.E013",
        )
    ]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_default_is_allowed(name):
    assert SETTINGS[name].kind.allows(SETTINGS[name].default)


@pytest.mark.parametrize("value", [None, ""])
def test_asgi_application_not_set(value):
    assert messages(ASGI_APPLICATION=value) == [
        Warning(
            "ASGI_APPLICATION is not set; under WSGI no answer can stream.",
            hint='Set it, for example to "mysite.asgi.application", and serve that with Daphne or uvicorn.',
            id="streaming.W020",
        )
    ]


def without(setting: str, value: str) -> dict[str, list[str]]:
    return {setting: [each for each in getattr(django_settings, setting) if each != value]}


def test_daphne_not_installed():
    assert messages(**without("INSTALLED_APPS", "daphne")) == [
        Warning(
            "'daphne' is not in INSTALLED_APPS; runserver then serves WSGI, where no answer can stream.",
            hint="Put 'daphne' first in INSTALLED_APPS. Silence this if you never use runserver.",
            id="streaming.W021",
        )
    ]


@pytest.mark.parametrize("app", ["sessions", "auth"])
def test_middleware_missing(app):
    name = {"sessions": "SessionMiddleware", "auth": "AuthenticationMiddleware"}[app]
    path = f"django.contrib.{app}.middleware.{name}"
    assert messages(**without("MIDDLEWARE", path)) == [
        Error(
            f"{path} is missing; the app cannot tell whose conversation it is.",
            hint=f"Add it to MIDDLEWARE, and 'django.contrib.{app}' to INSTALLED_APPS.",
            id="streaming.E022",
        )
    ]


def test_middleware_subclass_will_do():
    path = "django.contrib.sessions.middleware.SessionMiddleware"
    middleware = [*without("MIDDLEWARE", path)["MIDDLEWARE"], f"{__name__}.OwnSessionMiddleware"]
    assert messages(MIDDLEWARE=middleware) == []


UNLIMITED = Warning(
    "STREAMING_ALLOW_ANONYMOUS: limits for one owner do not bind somebody who sends no cookie; each of their "
    "requests is a new visitor's.",
    hint="Limit requests by address in front of the site, or let people sign in. Silence this once you have.",
    id="streaming.W025",
)


def test_everybody_may_reach_it_only_when_deployed():
    overrides: dict[str, Any] = {"ALLOWED_HOSTS": ["*"], "STREAMING_ALLOW_ANONYMOUS": True}
    assert messages(**overrides) == []
    assert messages(deploy=True, **overrides) == [
        Warning(
            "STREAMING_ALLOW_ANONYMOUS with '*' in ALLOWED_HOSTS: anybody may talk to the model, under any name.",
            hint="Name the hosts. With '*' another site can point its own name here and pass as same-origin.",
            id="streaming.W023",
        ),
        UNLIMITED,
    ]
    assert messages(deploy=True, **overrides | {"STREAMING_ALLOW_ANONYMOUS": False}) == []


def test_visitors_without_cookies_have_no_limits():
    assert messages(STREAMING_ALLOW_ANONYMOUS=True) == []
    assert messages(deploy=True, STREAMING_ALLOW_ANONYMOUS=True) == [UNLIMITED]


def test_application_is_not_wrapped():
    assert messages(ASGI_APPLICATION="tests.serving.bare.application") == []
    assert messages(deploy=True, ASGI_APPLICATION="tests.serving.bare.application") == [
        Warning(
            "ASGI_APPLICATION is not a StreamingApplication: clients that do not read are never cut, and Daphne "
            "buffers all they are owed.",
            hint="At the end of asgi.py: from streaming.asgi import StreamingApplication; "
            "application = StreamingApplication(application)",
            id="streaming.W024",
        )
    ]


@pytest.mark.parametrize("application", ["project.asgi.application", "no.such.module"])
def test_application_is_wrapped_or_missing(application):
    assert messages(deploy=True, ASGI_APPLICATION=application) == []


@pytest.fixture
def database(monkeypatch):
    """Change the default database's configuration for one test."""
    configuration = connections["default"].settings_dict
    return lambda name, value: monkeypatch.setitem(configuration, name, value)


@pytest.mark.parametrize("options", [{}, {"transaction_mode": None}, {"transaction_mode": "deferred"}])
def test_sqlite_begins_deferred(database, options):
    database("OPTIONS", options)
    assert messages() == [
        Warning(
            "The SQLite database 'default' lets transactions begin as readers; writers that meet fail with "
            "'database is locked'.",
            hint='Set DATABASES[\'default\']["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}.',
            id="streaming.W030",
        )
    ]


def test_sqlite_begins_immediate_in_any_case(database):
    database("OPTIONS", {"transaction_mode": "immediate"})
    assert messages() == []


@pytest.mark.parametrize("age", [60, None])
def test_connections_are_kept_under_asgi(database, age):
    database("CONN_MAX_AGE", age)
    assert messages() == [
        Warning(
            "The database 'default' keeps connections (CONN_MAX_AGE); under ASGI they pile up, one for each request.",
            hint='Set DATABASES[\'default\']["CONN_MAX_AGE"] = 0. On PostgreSQL use OPTIONS["pool"] instead.',
            id="streaming.W031",
        )
    ]
    assert [message.id for message in messages(ASGI_APPLICATION=None)] == ["streaming.W020"]


@pytest.mark.parametrize("options", [{}, {"connect_timeout": 5}, {"tcp_user_timeout": 1}])
def test_postgresql_may_keep_everybody_waiting(database, monkeypatch, options):
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    database("OPTIONS", options | {"pool": True})
    assert messages() == [
        Warning(
            "When the PostgreSQL server of 'default' vanishes, whoever asks it waits for minutes.",
            hint='Set DATABASES[\'default\']["OPTIONS"] = {"connect_timeout": 5, "tcp_user_timeout": 20_000}.',
            id="streaming.W032",
        )
    ]
    database("OPTIONS", PATIENT_POSTGRESQL | {"pool": True})
    assert messages() == []


@pytest.mark.parametrize("options", [{}, {"pool": False}])
def test_postgresql_without_a_pool_under_asgi(database, monkeypatch, options):
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    database("OPTIONS", options | PATIENT_POSTGRESQL)
    assert messages() == [
        Warning(
            "Under ASGI every request opens a connection of its own to the PostgreSQL database 'default'; a crowd is "
            "refused with 'too many clients'.",
            hint='pip install "psycopg[pool]" and set DATABASES[\'default\']["OPTIONS"]["pool"] = '
            '{"min_size": 2, "max_size": 8}. Silence this if a pooler such as PgBouncer stands in between.',
            id="streaming.W033",
        )
    ]
    assert [message.id for message in messages(ASGI_APPLICATION=None)] == ["streaming.W020"]


@pytest.mark.parametrize("url", ["localhost", "http://cache:6379", "redis://cache:99999", "redis://cache/nine"])
def test_redis_url_unusable(url):
    assert messages(STREAMING_REDIS_URL=url) == [
        Error(
            "STREAMING_REDIS_URL is no address of a Redis.",
            hint="Write redis://host:6379/0, rediss:// for TLS, or unix:///path/to/socket.",
            id="streaming.E040",
        )
    ]


@pytest.mark.parametrize(
    "url",
    ["redis://cache", "redis://:pass%40word@cache:6380/2", "rediss://cache:6379/0?ssl_cert_reqs=none", "unix:///r"],
)
def test_redis_url_fine(url):
    assert messages(STREAMING_REDIS_URL=url) == []


def test_redis_package_missing(monkeypatch):
    monkeypatch.setattr("streaming.checks.redis.find_spec", lambda name: None)
    assert messages() == []
    assert messages(STREAMING_REDIS_URL="redis://cache") == [
        Error(
            "STREAMING_REDIS_URL is set, but the package 'redis' is not installed.",
            hint='pip install "django-llm-streaming[redis]", or remove the setting: the database is enough.',
            id="streaming.E041",
        )
    ]


PATIENT = {"address": "redis://cache", "socket_timeout": None}


@pytest.mark.parametrize("config", [{}, {"hosts": ["redis://cache"]}, {"hosts": [PATIENT, {"address": "redis://b"}]}])
def test_channel_layer_that_loses_idle_consumers(monkeypatch, config):
    monkeypatch.setattr("streaming.checks.redis.version", {"redis": "8.1.0"}.__getitem__)
    layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    assert messages(CHANNEL_LAYERS={"default": layer}) == [
        Warning(
            "The channel layer 'default' loses consumers that are idle for 5 seconds, with redis 8 or newer.",
            hint='Set "hosts": [{"address": "redis://…", "socket_timeout": None}] in its CONFIG, '
            "or use channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="streaming.W042",
        )
    ]
    monkeypatch.setattr("streaming.checks.redis.version", {"redis": "7.4.0"}.__getitem__)
    assert messages(CHANNEL_LAYERS={"default": layer}) == []


@pytest.mark.parametrize(
    "layer",
    [
        {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [PATIENT]}},
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"},
        {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    ],
)
def test_channel_layer_fine(layer):
    assert messages(CHANNEL_LAYERS={"default": layer}) == []


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (["tests.tools.nothing"], "The tool 'tests.tools.nothing' of STREAMING_TOOLS cannot be imported"),
        (["tests.tools.CALLS"], "'tests.tools.CALLS' of STREAMING_TOOLS is no tool."),
        (["tests.tools.fails", "tests.tools.fails"], "STREAMING_TOOLS has two tools of the name 'fails'."),
    ],
)
def test_tools_that_are_none(paths, says):
    (message,) = messages(STREAMING_TOOLS=paths)
    assert (message.id, message.msg.startswith(says)) == ("streaming.E014", True)


def test_function_that_cannot_be_a_tool(tmp_path, monkeypatch):
    text = "from streaming.tools import tool\n\n@tool\ndef bad(a): ...\n"
    (tmp_path / "bad_tools_of_a_site.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    (message,) = messages(STREAMING_TOOLS=["bad_tools_of_a_site.bad"])
    assert message.id == "streaming.E014"
    assert "Parameter 'a' of tool 'bad' needs an annotation." in message.msg


def test_provider_with_a_tool_that_the_site_has_not():
    providers = {"default": {**SCRIPTED, "TOOLS": ["get_wether"]}}
    assert messages(STREAMING_PROVIDERS=providers, STREAMING_TOOLS=["tests.tools.get_weather"]) == [
        Error(
            "STREAMING_PROVIDERS['default'] is offered a tool 'get_wether' that STREAMING_TOOLS has not.",
            hint="Did you mean 'get_weather'?",
            id="streaming.E015",
        )
    ]


def test_files_storage_unknown():
    assert messages(deploy=True, STREAMING_FILES_STORAGE="uploads") == [
        Error(
            "STREAMING_FILES_STORAGE is 'uploads', and STORAGES has no such alias.",
            hint="Name one of: default, staticfiles; or add it to STORAGES.",
            id="streaming.E050",
        )
    ]


@pytest.mark.parametrize("changed", [{"MEDIA_ROOT": "/srv/media"}, {"STREAMING_FILE_TYPES": []}])
def test_files_without_a_place(changed):
    [placeless] = messages(deploy=True, MEDIA_ROOT="")
    assert (placeless.id, placeless.level) == ("streaming.W051", Warning("").level)
    assert messages(MEDIA_ROOT="") == []
    assert messages(deploy=True, **({"MEDIA_ROOT": ""} | changed)) == []


ID = re.compile(r"streaming\.([EW]\d{3})")


def test_ids_are_unique_documented_and_tested():
    code = [check_id for path in (ROOT / "streaming/checks").glob("*.py") for check_id in ID.findall(path.read_text())]
    documented = re.findall(r"^\| `streaming\.([EW]\d{3})`", (ROOT / "docs/checks.md").read_text(), re.MULTILINE)
    assert documented == sorted(documented, key=lambda check_id: check_id[1:])
    assert sorted(documented) == sorted(set(code))
    assert len({check_id[1:] for check_id in documented}) == len(documented)
    assert set(ID.findall(Path(__file__).read_text())) == set(code)
