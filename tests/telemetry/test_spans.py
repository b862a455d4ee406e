"""The spans of an answer: its request, the generation, each step, each request to the model, each tool call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from streaming.models import Generation
from streaming.protocol import Part, TextPart, ToolCall, ToolResult
from streaming.supervisor import current, stop
from streaming.telemetry import names
from streaming.testing import frames_of
from tests.engine import Script, load, submit
from tests.entries import scripted_entry
from tests.stepwise import WEATHER, says
from tests.telemetry.conftest import Collected

pytestmark = pytest.mark.usefixtures("engine", "site_tools")

# Imports the whole engine with telemetry off, as a site without the extra does.
WITHOUT = """
import sys, django
sys.modules["opentelemetry"] = None
django.setup()
import streaming.chat, streaming.views, streaming.consumers
from streaming.telemetry import here, measure, span, watch
with span("step", number=1) as opened:
    opened.set(error="x"); opened.fail("x")
measure("duration", 1.0, "inference"); watch(running=lambda: 1); print(here())
"""


async def answered(settings: Any, **options: Any) -> Generation:
    """An answer of two steps with one tool call."""
    says(settings, ("Let me look.", (WEATHER,)), ("It rains.", ()), **options)
    generation = await submit("Secret question?")
    await frames_of(generation.pk)
    return generation


async def test_spans_are_nested(settings: Any, collected: Collected) -> None:
    generation = await answered(settings)
    spans = collected.exporter.get_finished_spans()
    ids = {span.context.span_id: span.name for span in spans}
    nested = {(span.name, ids.get(span.parent.span_id) if span.parent else None) for span in spans}
    assert nested == {
        ("streaming.submit", None),
        ("invoke_agent default", "streaming.submit"),
        ("streaming.step", "invoke_agent default"),
        ("chat scripted", "streaming.step"),
        ("execute_tool get_weather", "streaming.step"),
    }
    assert [span.attributes["streaming.step.number"] for span in spans if span.name == "streaming.step"] == [1, 2]
    assert len({span.context.trace_id for span in spans}) == 1
    whole = collected.spans()["invoke_agent default"]
    assert whole.attributes["streaming.generation.id"] == str(generation.pk)
    assert whole.attributes["streaming.status"] == "finished"


async def test_answer_belongs_to_the_trace_of_the_request(scripted: Script, collected: Collected) -> None:
    from opentelemetry import trace

    scripted(text="ok")
    with trace.get_tracer("site").start_as_current_span("POST /api/chat") as request:
        generation = await submit()
    await frames_of(generation.pk)
    assert {span.context.trace_id for span in collected.exporter.get_finished_spans()} == {
        request.get_span_context().trace_id
    }


async def test_request_to_the_model_has_the_attributes_of_the_conventions(settings: Any, collected: Collected) -> None:
    await answered(settings)
    last = [span for span in collected.exporter.get_finished_spans() if span.name.startswith("chat")][-1]
    told = dict(last.attributes)
    assert 0 < told.pop("gen_ai.response.time_to_first_chunk") < 10
    told.pop("gen_ai.response.id")
    told.pop("gen_ai.request.model", None)
    assert last.kind.name == "CLIENT"
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "m",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": told["gen_ai.usage.output_tokens"],
        "streaming.attempt.number": 2,
    }


async def test_tool_call_has_its_name_and_id(settings: Any, collected: Collected) -> None:
    await answered(settings)
    tool = collected.spans()["execute_tool get_weather"]
    assert dict(tool.attributes) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.type": "function",
    }


async def test_no_content_is_told(settings: Any, collected: Collected) -> None:
    await answered(settings)
    told = " ".join(span.to_json() for span in collected.exporter.get_finished_spans())
    for content in ("Secret", "rains", "Let me", "Oslo"):
        assert content not in told


async def test_site_may_let_content_out(settings: Any, collected: Collected) -> None:
    settings.STREAMING_TELEMETRY_CONTENT = True
    settings.STREAMING_SYSTEM_PROMPT = "Be kind."
    await answered(settings)
    last = [span for span in collected.exporter.get_finished_spans() if span.name.startswith("chat")][-1]
    asked = json.loads(last.attributes["gen_ai.input.messages"])
    assert asked[0] == {"role": "user", "parts": [{"type": "text", "content": "Secret question?"}]}
    assert [part["type"] for part in asked[1]["parts"]] == ["text", "tool_call", "tool_call_response"]
    assert json.loads(last.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "It rains."}], "finish_reason": "stop"}
    ]
    assert json.loads(last.attributes["gen_ai.system_instructions"]) == "Be kind."
    tool = collected.spans()["execute_tool get_weather"]
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"]) == {"city": "Oslo"}
    assert "gen_ai.tool.call.result" in tool.attributes


def hide(part: Part) -> Part | None:
    """The function of a site: no results of tools, and no "Secret"."""
    if isinstance(part, ToolResult):
        return None
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments={"city": "[city]"})
    return (
        TextPart(text=part.text.replace("Secret", "[hidden]").replace("rains", "[hidden]"))
        if isinstance(part, TextPart)
        else part
    )


async def test_content_is_redacted_before_it_goes_out(settings: Any, collected: Collected) -> None:
    settings.STREAMING_TELEMETRY_CONTENT, settings.STREAMING_REDACT = True, f"{__name__}.hide"
    settings.STREAMING_SYSTEM_PROMPT = "Be kind. Secret."
    await answered(settings)
    told = " ".join(span.to_json() for span in collected.exporter.get_finished_spans())
    assert "[hidden] question?" in told
    assert "Be kind. [hidden]." in told
    tool = collected.spans()["execute_tool get_weather"]
    assert json.loads(tool.attributes["gen_ai.tool.call.arguments"]) == {"city": "[city]"}
    assert "gen_ai.tool.call.result" not in tool.attributes
    for hidden in ("Secret", "rains", "tool_call_response"):
        assert hidden not in told


def fail(part: Part) -> Part | None:
    raise RuntimeError("a fault of the site")


async def test_redaction_that_raises_tells_nothing_and_ends_no_answer(settings: Any, collected: Collected) -> None:
    settings.STREAMING_TELEMETRY_CONTENT, settings.STREAMING_REDACT = True, f"{__name__}.fail"
    generation = await answered(settings)
    assert (await load(generation)).status == "finished"
    told = " ".join(span.to_json() for span in collected.exporter.get_finished_spans())
    for content in ("Secret", "rains", "Let me", "Oslo"):
        assert content not in told


async def test_failure_has_its_code_and_no_text(scripted: Script, settings: Any, collected: Collected) -> None:
    scripted(text="one two", error="overloaded", fail_after=1)
    await frames_of((await submit()).pk)
    whole = collected.spans()["invoke_agent default"]
    assert (whole.status.status_code.name, whole.attributes["error.type"]) == ("ERROR", "overloaded")
    assert whole.events == ()


async def test_provider_that_raises_marks_the_request_and_the_step(
    settings: Any, scripted: Script, collected: Collected
) -> None:
    settings.STREAMING_MAX_ANSWER_BYTES = 10
    scripted(text="one two three")
    await frames_of((await submit()).pk)
    failed = [span for span in collected.exporter.get_finished_spans() if span.status.status_code.name == "ERROR"]
    assert {span.name.split()[0]: span.attributes["error.type"] for span in failed} == {
        "chat": "too_long",
        "streaming.step": "too_long",
        "invoke_agent": "too_long",
    }


async def test_stop_is_no_failure(scripted: Script, collected: Collected) -> None:
    scripted(text="one two", hang_after=1)
    generation = await submit()
    await stop(generation.pk)
    await frames_of(generation.pk)
    spans = collected.spans()
    assert spans["invoke_agent default"].attributes["streaming.status"] == "cancelled"
    assert {span.status.status_code.name for span in spans.values()} == {"UNSET"}


async def test_tool_that_fails_is_marked(settings: Any, collected: Collected) -> None:
    says(settings, ("", (("f", "fails", "{}"),)), ("Sorry.", ()))
    await frames_of((await submit()).pk)
    assert collected.spans()["execute_tool fails"].attributes["error.type"] == "tool_error"


async def test_nothing_is_told_unless_the_site_wants_it(settings: Any, scripted: Script, collected: Collected) -> None:
    settings.STREAMING_TELEMETRY = False
    scripted(text="ok")
    await frames_of((await submit()).pk)
    assert collected.exporter.get_finished_spans() == ()


def test_opentelemetry_is_not_imported_without_the_setting() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run([sys.executable, "-c", WITHOUT], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_released_names_are_those_of_the_package() -> None:
    attributes = pytest.importorskip("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    released = {value for name, value in vars(attributes).items() if name.startswith("GEN_AI_")}
    ours = {name for name in names.ATTRIBUTES.values() if name.startswith("gen_ai.")}
    assert ours <= released
    metrics = pytest.importorskip("opentelemetry.semconv._incubating.metrics.gen_ai_metrics")
    known = {value for name, value in vars(metrics).items() if name.startswith("GEN_AI_CLIENT_")}
    assert {metric.released for metric in names.METRICS.values() if ".client." in metric.released} <= known


async def test_span_tells_who_was_tried(settings: Any, collected: Collected) -> None:
    settings.STREAMING_PROVIDERS = {
        "default": scripted_entry(error="overloaded") | {"FALLBACK": ["other"]},
        "other": scripted_entry(text="ok"),
    }
    await frames_of((await submit()).pk)
    await current().idle()
    told = collected.spans()["invoke_agent default"].attributes
    assert told["streaming.tried"] == ("default overloaded", "other answered")
    assert told["streaming.provider"] == "other"
