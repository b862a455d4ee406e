"""The test kit, used as a project's own tests use it."""

from __future__ import annotations

import pytest
from django.test import AsyncClient

from streaming.chat import chat
from streaming.providers.scripted import Scripted
from streaming.testing import EventStream, Socket, assert_transcript, record, replayed, scripted, text_in, transcript_of

pytestmark = pytest.mark.django_db(transaction=True)
CALL = {"name": "get_weather", "arguments": {"city": "Oslo"}}


@pytest.fixture
async def ada(django_user_model, transactional_db):
    client = AsyncClient()
    await client.aforce_login(await django_user_model.objects.acreate(username="ada"))
    return client


async def test_script_answers_every_reader(scripted_provider, ada):
    scripted_provider(text="Paris.")
    assert (await chat("What is the capital of France?")).text == "Paris."
    assert text_in(await EventStream(ada).send("And now?", key="c1")) == "Paris."
    async with Socket(ada) as socket:
        assert text_in(await socket.send("Once more?", key="c2")) == "Paris."


async def test_last_script_counts(scripted_provider):
    scripted_provider(text="one")
    scripted_provider(text="two")
    assert (await chat("Hi")).text == "two"


async def test_stop(scripted_provider, ada):
    scripted_provider(text="one two three", hang_after=4)
    async with Socket(ada) as socket:
        message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}
        await socket.write(type="send", requestId="r1", id="c1", messages=[message])
        while (await socket.receive()).get("chunk", {}).get("delta") is None:
            pass
        assert await EventStream(ada).stop("c1") == {"status": "stopping"}
        assert (await socket.frames("r1"))[-1]["type"] == "end"
    [question, (role, text)] = await transcript_of("c1")
    assert (question, role) == (("user", "Hi"), "assistant")
    assert "one two three".startswith(text.strip())


async def test_nothing_runs(scripted_provider, ada):
    assert await EventStream(ada).resume("c1") == []
    async with Socket(ada) as socket:
        await socket.write(type="resume", requestId="r1", id="c1")
        assert [frame["type"] for frame in await socket.frames("r1")] == ["no-active"]


async def test_refusals_say_what_is_wrong(scripted_provider, ada, settings):
    settings.STREAMING_ALLOW_ANONYMOUS = False
    with pytest.raises(AssertionError, match=r"Status 401.*aforce_login"):
        await EventStream(AsyncClient()).send("Hi")
    with pytest.raises(AssertionError, match=r"4401.*aforce_login"):
        async with Socket(AsyncClient()) as socket:
            await socket.send("Hi")
    async with Socket(ada) as socket:
        with pytest.raises(AssertionError, match="provider"):
            await socket.send("Hi", provider="unknown")


async def test_transcript(scripted_provider, settings):
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    scripted_provider(text="Clear.", tool_calls=[CALL])
    await chat("The sky?", conversation_key="c1")
    weather = {"city": "Oslo", "days": 1, "sky": "clear"}
    question, said = ("user", "The sky?"), ("assistant", "Clear.")
    called = [("call", "get_weather", CALL["arguments"]), ("result", weather)]
    await assert_transcript("c1", question, said, *called, said)
    with pytest.raises(AssertionError, match=r"'Clear\.'"):
        await assert_transcript("c1", question, ("assistant", "Grey."))


async def test_recording_is_replayed_without_its_secrets(scripted_provider, tmp_path):
    key = "sk-" + "a" * 40
    scripted_provider(text=f"The key is {key} and the password: none.")
    path = await record(tmp_path / "new" / "answer.sse", "Hi")
    assert key.encode() not in path.read_bytes()
    with replayed(path):
        said = await chat("What?")
    assert said.text == "The key is [hidden] and the password: none."


async def test_recording_closes_its_connections(settings, monkeypatch, tmp_path):
    """It runs once, by hand, in a loop of its own. Nobody else would close them."""
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": "streaming.providers.scripted.Scripted"}}
    closed = []

    async def close(provider):
        closed.append(provider)

    monkeypatch.setattr(Scripted, "close", close)
    await record(tmp_path / "answer.sse", "Hi")
    assert len(closed) == 1


async def test_other_providers_stay(settings, transactional_db):
    settings.STREAMING_PROVIDERS = {"other": settings.STREAMING_PROVIDERS["default"]}
    with scripted(text="mine"):
        assert set(settings.STREAMING_PROVIDERS) == {"default", "other"}
        assert (await chat("Hi")).text == "mine"
