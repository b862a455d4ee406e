"""The checks of `STREAMING_TOOLS`, and of the tools that providers name."""

from __future__ import annotations

import pytest
from django.core.checks import Error

from tests.checks import SCRIPTED, messages


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (["tests.sample_tools.nothing"], "The tool 'tests.sample_tools.nothing' of STREAMING_TOOLS cannot be imported"),
        ([None], "The tool None of STREAMING_TOOLS cannot be imported: None is no dotted path."),
        ("tests.sample_tools.fails", "STREAMING_TOOLS must be a list of dotted paths, not 'tests.sample_tools.fails'."),
        (None, "STREAMING_TOOLS must be a list of dotted paths, not None."),
        ([".x"], "The tool '.x' of STREAMING_TOOLS cannot be imported: '.x' is no dotted path."),
        (["tests.sample_tools.CALLS"], "'tests.sample_tools.CALLS' of STREAMING_TOOLS is no tool."),
        (["tests.sample_tools.fails"] * 2, "STREAMING_TOOLS has two tools of the name 'fails'."),
    ],
)
def test_each_tool_must_be_importable_and_have_a_name_of_its_own(paths, says):
    (message,) = messages(STREAMING_TOOLS=paths)
    assert (message.id, message.msg.startswith(says)) == ("streaming.E014", True)


def test_function_that_cannot_be_a_tool_is_an_error(tmp_path, monkeypatch):
    text = "from streaming.tools import tool\n\n@tool\ndef bad(a): ...\n"
    (tmp_path / "bad_tools_of_a_site.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    (message,) = messages(STREAMING_TOOLS=["bad_tools_of_a_site.bad"])
    assert message.id == "streaming.E014"
    assert "Parameter 'a' of tool 'bad' needs an annotation." in message.msg


def test_provider_must_name_known_tools():
    providers = {"default": {**SCRIPTED, "TOOLS": ["get_wether"]}}
    assert messages(STREAMING_PROVIDERS=providers, STREAMING_TOOLS=["tests.sample_tools.get_weather"]) == [
        Error(
            "STREAMING_PROVIDERS['default'] names the tool 'get_wether', which is not in STREAMING_TOOLS.",
            hint="Did you mean 'get_weather'?",
            id="streaming.E015",
        )
    ]


def test_a_site_without_tools_is_told_how_to_name_one():
    (message,) = messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "TOOLS": ["get_weather"]}}, STREAMING_TOOLS=[])
    assert message.id == "streaming.E015"
    assert message.hint.startswith("For example: STREAMING_TOOLS =")


@pytest.mark.parametrize("named", [None, 5, "get_weather", [5], [["get_weather"]]])
def test_tools_of_a_provider_must_be_a_list_of_names(named):
    providers = {"default": {**SCRIPTED, "TOOLS": named}}
    assert messages(STREAMING_PROVIDERS=providers, STREAMING_TOOLS=["tests.sample_tools.get_weather"]) == [
        Error(
            "STREAMING_PROVIDERS['default'] has wrong TOOLS: they must be a list of names.",
            hint='For example: "TOOLS": ["order_status"].',
            id="streaming.E015",
        )
    ]
