"""The checks of `STREAMING_MCP_SERVERS`."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.checks import SCRIPTED, messages

SECRET = "ghp_0123456789"


@pytest.fixture(autouse=True)
def _package_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["streaming.checks.mcp"], "find_spec", lambda name: name)


@pytest.mark.parametrize(
    ("name", "entry", "says"),
    [
        ("a__b", {"url": "https://x"}, "has a name that cannot begin the names of tools."),
        ("a_", {"url": "https://x"}, "has a name that cannot begin the names of tools."),
        ("a" * 25, {"url": "https://x"}, "has a name that cannot begin the names of tools."),
        ("a", "https://x", "must be a dict."),
        ("a", {}, 'needs either a "command" or a "url".'),
        ("a", {"url": "https://x", "command": "y"}, 'needs either a "command" or a "url".'),
        ("a", {"url": "https://x", "env": {"KEY": SECRET}}, "has 'env', which has no meaning there."),
        ("a", {"command": "x", "headers": {"a": SECRET}}, "has 'headers', which has no meaning there."),
        ("a", {"url": SECRET}, 'has a "url" that is no address.'),
        ("a", {"command": "x", "timeout": 0}, "is wrong: Expected `float` > 0.0 - at `$.timeout`."),
        ("a", {"command": "x", "timeout": 1e15}, "is wrong: Expected `float` <= 1000000000.0 - at `$.timeout`."),
        ("a", {"url": "http://"}, 'has a "url" that is no address.'),
        ("a", {"url": "http://host:99999"}, 'has a "url" that is no address.'),
        ("a", {"command": "x", "approval": "sometimes"}, "is wrong: Invalid enum value 'sometimes' - at `$.approval`."),
        ("a", {"command": "x", "env": {"KEY": [SECRET]}}, "is wrong: Expected `str`, got `array` - at `$.env[...]`."),
        ("a", {"command": "x", "argz": [SECRET]}, "is wrong: Object contains unknown field `argz`."),
    ],
)
def test_wrong_entries_are_named_without_their_secrets(name: str, entry: Any, says: str) -> None:
    (message,) = messages(STREAMING_MCP_SERVERS={name: entry})
    assert message.id == "streaming.E017"
    assert message.msg == f"STREAMING_MCP_SERVERS[{name!r}] {says}"
    assert SECRET not in f"{message.msg} {message.hint}"


def test_servers_must_be_a_dict() -> None:
    assert [message.id for message in messages(STREAMING_MCP_SERVERS=["https://x"])] == ["streaming.E017"]


def test_package_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["streaming.checks.mcp"], "find_spec", lambda name: None)
    ids = [message.id for message in messages(STREAMING_MCP_SERVERS={"a": {"url": "https://x"}})]
    assert ids == ["streaming.E018"]


def test_tool_of_the_site_must_not_look_like_one_of_a_server() -> None:
    (message,) = messages(
        STREAMING_MCP_SERVERS={"order": {"url": "https://x"}}, STREAMING_TOOLS=["tests.sample_tools.order__status"]
    )
    assert message.id == "streaming.E019"


def test_providers_may_name_tools_that_a_server_will_list() -> None:
    providers = {"default": {**SCRIPTED, "TOOLS": ["a__read", "a__*"]}}
    assert messages(STREAMING_MCP_SERVERS={"a": {"url": "https://x"}}, STREAMING_PROVIDERS=providers) == []
