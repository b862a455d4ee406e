"""Each text that a socket sends is in the language of the person who opened it."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.models import Conversation
from streaming.subscription.journal import JournalSubscription
from streaming.supervisor import Supervisor
from tests.consumers.conftest import Open
from tests.engine import Script, submit

LOCALE = "django.middleware.locale.LocaleMiddleware"
TOO_LONG = {"de": "Die Nachricht hat", "fr": "Le message compte", "en": "The message has"}
LONG = {"type": "send", "requestId": "r", "id": "c1", "prompt": "long"}


@pytest.fixture(autouse=True)
def short(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, LOCALE]
    settings.STREAMING_MAX_PROMPT_CHARS = 3


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({"accept_language": "de-AT,de;q=0.9,en;q=0.5"}, "de"),
        ({"accept_language": "de", "cookie": "django_language=fr"}, "fr"),
        ({"accept_language": "tlh", "cookie": "django_language=../../etc"}, "en"),
        ({"accept_language": "\xff;q=\xff,,;", "cookie": "=;;\xff"}, "en"),
        ({}, "en"),
    ],
)
async def test_a_refusal_is_in_the_language_that_the_middleware_would_choose(
    sockets: Open, headers: dict[str, str], language: str
) -> None:
    socket = await sockets(**headers)
    for _ in range(2):
        await socket.tell(**LONG)
        assert (await socket.reply())["errorText"].startswith(TOO_LONG[language])


async def test_a_site_without_the_middleware_speaks_its_one_language(sockets: Open, settings: Any) -> None:
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if one != LOCALE]
    settings.LANGUAGE_CODE = "fr"
    socket = await sockets(accept_language="de")
    await socket.tell(**LONG)
    assert (await socket.reply())["errorText"].startswith(TOO_LONG["fr"])


async def test_sockets_of_several_people_keep_their_languages(sockets: Open) -> None:
    both = {language: await sockets(accept_language=language) for language in ("de", "fr", "en")}
    for language, socket in [*both.items()] * 2:
        await socket.tell(**LONG)
        assert (await socket.reply())["errorText"].startswith(TOO_LONG[language])


async def test_the_error_of_an_answer_is_in_the_language_of_its_socket(sockets: Open, scripted: Script) -> None:
    scripted(error="model_not_found")
    socket = await sockets(accept_language="de")
    await socket.tell(type="send", requestId="r", id="c1", prompt="Hi")
    *chunks, end = await socket.replies()
    told = next(one["chunk"]["errorText"] for one in chunks if one["chunk"]["type"] == "error")
    assert told == end["error"]
    assert told.startswith("Das eingestellte Modell gibt es nicht.")


async def test_a_command_that_fails_is_answered_in_the_language_of_its_socket(
    sockets: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Supervisor, "submit", fail)
    socket = await sockets(accept_language="de")
    await socket.tell(type="send", requestId="r", id="c1", prompt="Hi")
    assert (await socket.reply())["errorText"].startswith("Auf dieser Website ist")


@pytest.mark.parametrize("trouble", [None, ZeroDivisionError])
async def test_a_stream_that_breaks_off_says_so_in_the_language_of_its_socket(
    sockets: Open, scripted: Script, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception] | None
) -> None:
    scripted(text="one", hang_after=2)
    generation = await submit()

    async def elsewhere(*_: Any, **__: Any) -> JournalSubscription:
        if trouble:
            raise trouble
        await Conversation.objects.all().adelete()
        return JournalSubscription(generation.pk, 0)

    monkeypatch.setattr("streaming.consumers.subscribe", elsewhere)
    socket = await sockets(accept_language="de")
    await socket.tell(type="resume", requestId="r", id="c1")
    start, error = await socket.replies()
    assert start["type"] == "start"
    assert error["errorText"].startswith("Die Verbindung ist abgebrochen" if trouble else "Diese Unterhaltung wurde")
