"""The rules of servers, the names of their tools, and what their results say."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from streaming import mcp
from streaming.intake import Sender
from streaming.mcp import RemoteError, full_name
from streaming.mcp.results import output_of
from streaming.mcp.secrets import secrets_of
from streaming.models import Conversation, Owner
from streaming.protocol import ToolSpec
from streaming.tools import Toolbox, registered, toolbox_for
from tests.sample_tools import ask_location

SECRET = "ghp_0123456789"


def test_secrets_are_not_shown(settings: Any) -> None:
    settings.STREAMING_MCP_SERVERS = {"a": {"url": f"https://{SECRET}@x", "headers": {"authorization": SECRET}}}
    assert repr(mcp.configured()) == "{'a': Server('a')}"


def test_secrets_in_an_address_are_masked() -> None:
    url = "https://me:pass-phrase@h/v1/9f8e7d6c5b4a39281706/documentation-for-all/mcp?key=abcdefgh&page=12"
    found = set(secrets_of(mcp.Server(name="a", url=url)))
    assert found >= {"pass-phrase", "9f8e7d6c5b4a39281706", "abcdefgh"}
    assert not found & {"documentation-for-all", "mcp", "v1", "h"}


@pytest.mark.parametrize(
    ("approval", "asked"),
    [
        ("hints", ["destructive", "silent"]),
        ("always", ["read", "additive", "destructive", "silent"]),
        ("never", []),
        (("read",), ["read"]),
    ],
)
def test_rule_of_approval_says_which_calls_a_person_must_approve(approval: Any, asked: list[str]) -> None:
    hints: dict[str, tuple[bool | None, bool | None]] = {
        "read": (True, None),
        "additive": (False, False),
        "destructive": (None, True),
        "silent": (None, None),
    }
    server = mcp.Server(name="a", command="x", approval=approval)
    assert asked == [
        name
        for name, (reads, destroys) in hints.items()
        if server.asks_first(name, is_read_only=reads, is_destructive=destroys)
    ]


def test_full_names_fit_every_vendor_and_differ() -> None:
    tools = ["read", "a.b", "a_b", "a/b", "ä" * 100, "x" * 100, "x" * 99 + "y", "b__c", "_b"]
    names = [full_name("files", tool) for tool in tools]
    assert names[0] == "files__read"
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    assert len(set(names)) == len(tools)
    assert {mcp.server_of(name) for name in names} == {"files"}


def block(kind: str, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(type=kind, **fields)


def result(*content: Any, structured: Any = None, is_error: bool = False) -> SimpleNamespace:
    return SimpleNamespace(content=content, structured_content=structured, is_error=is_error)


TEXT, SUM = block("text", text="5"), block("text", text='{"sum": 5}')


@pytest.mark.parametrize(
    ("told", "output"),
    [
        (result(TEXT), "5"),
        (result(), ""),
        (result(TEXT, TEXT), "5\n5"),
        (result(SUM, structured={"sum": 5}), {"sum": 5}),
        (result(structured={"sum": 5}), {"sum": 5}),
        (result(TEXT, structured={"result": 5}), "5"),
        (result(block("text", text=""), structured={"result": ""}), ""),
        (
            result(block("image", mime_type="image/png", data="AAAA" * 400)),
            "[picture, image/png, 1,200 bytes: not shown here]",
        ),
        (result(block("audio", mime_type="audio/wav", data="AAAA")), "[sound, audio/wav, 3 bytes: not shown here]"),
        (
            result(block("resource_link", name="Log", uri="file:///log", description="Today's.")),
            "[resource Log at file:///log]: Today's.",
        ),
        (
            result(block("resource", resource=SimpleNamespace(uri="file:///a", text="Hello", mime_type=None))),
            "file:///a:\nHello",
        ),
        (
            result(block("resource", resource=SimpleNamespace(uri="file:///a", blob="AAAA", mime_type=None))),
            "[file file:///a, of unknown type, 3 bytes: not shown here]",
        ),
        (result(block("hologram")), "[hologram: not shown here]"),
    ],
)
def test_results_become_json_values_and_say_what_is_left_out(told: Any, output: Any) -> None:
    assert output_of(told) == output


def test_failed_call_raises_its_text_without_secrets() -> None:
    with pytest.raises(RemoteError, match=r"^401 for \[hidden\]$"):
        output_of(result(block("text", text="401 for Bearer abcdefgh"), is_error=True))


def test_absent_tool_belongs_to_the_server_and_is_never_the_clients(settings: Any) -> None:
    """Otherwise a client could answer for it while its server is away."""
    settings.STREAMING_MCP_SERVERS = {"a": {"url": "https://x"}}
    settings.STREAMING_TOOLS = ["tests.sample_tools.ask_location"]
    toolbox = toolbox_for("default")
    assert set(registered()) == {"ask_location"}
    assert toolbox.executable("ask_location") is None
    assert toolbox.executable("b__read") is None
    assert Toolbox().executable("a__read") is not None
    brought = tuple(ToolSpec(name=name, description="", parameters={}) for name in ("a__read", "ask_location", "mine"))
    sender = Sender(Owner.of_visitor("v"), "w", client_tools=brought)
    assert set(sender.tools("default", Conversation()).tools) == {"ask_location", "mine"}
    assert sender.tools("default", Conversation()).tools["ask_location"] is ask_location
