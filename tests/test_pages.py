"""The pages as a browser without JavaScript meets them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.http import HttpResponse
from django.template import Context, Template
from django.test import AsyncClient, RequestFactory
from django.utils import translation

from streaming.database import in_database
from streaming.models import Conversation, Generation, Message
from streaming.protocol.parts import FilePart, Part, ReasoningPart, TextPart, ToolCall, ToolResult
from streaming.supervisor import current
from streaming.views.pages import LISTED

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "streaming"
pytestmark = pytest.mark.usefixtures("engine")
Script = Callable[..., None]


@pytest.fixture(autouse=True)
def anonymous(settings: Any) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = True


@pytest.fixture
def client() -> AsyncClient:
    return AsyncClient()


def html(response: HttpResponse) -> str:
    return response.content.decode()


async def send(client: AsyncClient, prompt: str = "Hello", key: str = "c1", **fields: str) -> HttpResponse:
    return await client.post(f"/chat/{key}/send/", {"prompt": prompt, **fields})


async def answered(client: AsyncClient, prompt: str = "Hello", key: str = "c1") -> str:
    """Send, wait for the end, and give the page."""
    response = await send(client, prompt, key)
    assert response.status_code == 303, html(response)
    await current().idle()
    return html(await client.get(response.headers["Location"]))


async def active(client: AsyncClient, scripted: Script) -> Generation:
    """A generation that has written two words and goes no further by itself."""
    scripted(text="one two three four", hang_after=4)
    await send(client)
    generation = await Generation.objects.aget()
    for _ in range(100):
        if "two" in html(await client.get("/chat/c1/")):
            return generation
        await asyncio.sleep(0.05)
    pytest.fail("Nothing was written in five seconds.")


async def stored(client: AsyncClient, *parts: Part, **outcome: Any) -> str:
    """The page of a conversation whose one answer has these parts and this outcome."""
    await answered(client)
    message = await Message.objects.aget(role="assistant")
    message.set_parts(parts)
    await message.asave()
    await Generation.objects.aupdate(**outcome)
    return html(await client.get("/chat/c1/"))


def visible(page: str) -> str:
    """Without what is there for chat.js to clone."""
    return re.sub(r"<template.*?</template>", "", page, flags=re.DOTALL)


async def test_a_message_is_posted_answered_and_read(client: AsyncClient, scripted: Script) -> None:
    scripted(text="Fine, <thanks>.")
    response = await send(client, "How are\r\nyou?")
    assert (response.status_code, response.headers["Location"]) == (303, "/chat/c1/")
    await current().idle()
    page = visible(html(await client.get("/chat/c1/")))
    assert "How are\nyou?" in page
    assert "Fine, &lt;thanks&gt;." in page
    assert "<title>How are" in page
    assert "http-equiv" not in page


async def test_an_answer_being_written_refreshes_itself_and_can_be_stopped(
    client: AsyncClient, scripted: Script
) -> None:
    await active(client, scripted)
    page = visible(html(await client.get("/chat/c1/")))
    assert '<noscript><meta http-equiv="refresh" content="2;url=/chat/c1/"></noscript>' in page
    assert "data-active" in page
    assert 'aria-busy="true"' in page
    assert "one two" in page
    response = await client.post("/chat/c1/stop/")
    assert response.status_code == 303
    await current().idle()
    page = visible(html(await client.get("/chat/c1/")))
    assert "one two" in page
    assert "Stopped." in page
    assert "data-active" not in page


async def test_stopping_what_does_not_run_leads_back_to_the_page(client: AsyncClient) -> None:
    await answered(client)
    assert (await client.post("/chat/c1/stop/")).status_code == 303
    assert (await Generation.objects.aget()).status == "finished"


async def test_the_same_form_sent_twice_is_one_message(client: AsyncClient) -> None:
    await send(client, client_id="m1")
    await send(client, client_id="m1")
    assert await Message.objects.acount() == 2


@pytest.mark.parametrize(
    ("prompt", "status", "reason"),
    [("  ", 400, "The message is empty."), ("x" * 40_000, 413, "The message has 40000 characters")],
)
async def test_a_refused_message_stays_in_the_composer(
    client: AsyncClient, prompt: str, status: int, reason: str
) -> None:
    response = await send(client, prompt)
    page = visible(html(response))
    assert response.status_code == status
    assert reason in page
    assert f">{prompt}</textarea>" in page
    assert not await Conversation.objects.aexists()


async def test_a_second_message_while_answering_is_refused(client: AsyncClient, scripted: Script) -> None:
    await active(client, scripted)
    response = await send(client, "Next")
    assert response.status_code == 409
    assert ">Next</textarea>" in html(response)
    assert "Wait for it, or stop it." in html(response)


async def test_trying_again_replaces_the_answer(client: AsyncClient, scripted: Script) -> None:
    scripted(text="", error="overloaded")
    page = visible(await answered(client))
    assert "The model is busy. Try again in a moment." in page
    failed = re.search(r'name="regenerate" value="([^"]+)"', page)
    assert failed
    scripted(text="Now it works.")
    await client.post("/chat/c1/send/", {"prompt": "", "regenerate": failed[1]})
    await current().idle()
    page = visible(html(await client.get("/chat/c1/")))
    assert "Now it works." in page
    assert "busy" not in page
    assert await Message.objects.filter(role="user").acount() == 1


@pytest.mark.parametrize("verb", ["", "stop/", "send/"])
async def test_somebody_elses_conversation_is_not_there(client: AsyncClient, verb: str) -> None:
    await answered(client, "My secret", "private")
    other = AsyncClient()
    if verb == "":
        assert (await other.get("/chat/private/")).status_code == 404
        assert "My secret" not in html(await other.get("/"))
    else:
        await other.post(f"/chat/private/{verb}", {"prompt": "Mine"})
    assert await Conversation.objects.filter(owner_key=(await Conversation.objects.afirst()).owner_key).acount() == 1
    assert (await Generation.objects.order_by("created_at").afirst()).status == "finished"
    assert "Mine" not in html(await client.get("/chat/private/"))


async def test_a_conversation_that_does_not_exist_is_404(client: AsyncClient) -> None:
    assert (await client.get("/chat/nowhere/")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "back"),
    [("get", "/", "/"), ("get", "/chat/c1/", "/chat/c1/"), ("post", "/chat/c1/send/", "/chat/c1/")],
)
async def test_where_login_is_required_strangers_are_sent_there_and_back(
    client: AsyncClient, settings: Any, method: str, path: str, back: str
) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = False
    response = await getattr(client, method)(path)
    assert response.status_code == 302
    assert response.headers["Location"] == f"/accounts/login/?next={back}"


async def test_a_signed_in_person_has_conversations_of_their_own(client: AsyncClient, settings: Any) -> None:
    await answered(client, "As a visitor")
    settings.STREAMING_ALLOW_ANONYMOUS = False
    ada = await in_database(get_user_model().objects.create_user, "ada")
    await client.aforce_login(ada)
    page = await answered(client, "As myself", "c2")
    assert "As myself" in page
    assert "As a visitor" not in page
    assert (await Conversation.objects.aget(key="c2")).user_id == ada.pk


@pytest.mark.parametrize("verb", ["send", "stop"])
async def test_forms_need_their_csrf_token(verb: str) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    page = html(await client.get("/"))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    assert (await client.post(f"/chat/c1/{verb}/", {"prompt": "Hello"})).status_code == 403
    accepted = await client.post(f"/chat/c1/{verb}/", {"prompt": "Hello", "csrfmiddlewaretoken": token[1]})
    assert accepted.status_code == 303


@pytest.mark.parametrize(("method", "path"), [("post", "/"), ("get", "/chat/c1/send/"), ("get", "/chat/c1/stop/")])
async def test_wrong_methods_are_refused(client: AsyncClient, method: str, path: str) -> None:
    assert (await getattr(client, method)(path)).status_code == 405


async def test_the_list_has_pages_newest_first(client: AsyncClient) -> None:
    await answered(client, "The first")
    owner_key = (await Conversation.objects.aget()).owner_key
    await Conversation.objects.abulk_create(
        Conversation(key=f"k{number}", owner_key=owner_key, title=f"Title {number}", provider="default")
        for number in range(LISTED)
    )
    first, second = html(await client.get("/")), html(await client.get("/?page=2"))
    assert first.count('<li><a dir="auto" href="/chat/k') == LISTED
    assert "The first" not in first
    assert '<a href="?page=2" rel="next">' in first
    assert "The first" in second
    assert html(await client.get("/?page=nonsense")).count("<li>") == first.count("<li>")


async def test_a_key_that_cannot_be_an_address_is_refused(client: AsyncClient) -> None:
    response = await client.post("/api/chat", {"prompt": "Hello", "id": "a/b"}, content_type="application/json")
    assert response.status_code == 400
    assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize("field", [{"client_id": "m" * 129}, {"regenerate": "m" * 129}])
async def test_an_id_that_is_too_long_is_refused(client: AsyncClient, field: dict[str, str]) -> None:
    assert (await send(client, **field)).status_code == 400
    assert (await send(client, key="k" * 129)).status_code == 400
    assert not await Conversation.objects.aexists()


async def test_pages_are_not_kept_by_caches(client: AsyncClient) -> None:
    assert "no-store" in (await client.get("/")).headers["Cache-Control"]


async def test_each_kind_of_part_is_shown(client: AsyncClient) -> None:
    page = await stored(
        client,
        ReasoningPart(text="Hm & hm."),
        ToolCall(id="1", name="look_up", arguments={"name": "<x>"}, is_complete=True),
        ToolResult(call_id="1", output={"found": True}),
        FilePart(media_type="image/png", url="https://example.com/a.png", filename="a.png"),
        FilePart(media_type="text/html", url="javascript:alert(1)"),
        TextPart(text="Done."),
    )
    shown = visible(page)
    assert "Hm &amp; hm." in shown
    assert 'data-state="output-available"' in shown
    assert "&quot;name&quot;: &quot;&lt;x&gt;&quot;" in shown
    assert "&quot;found&quot;: true" in shown
    assert 'href="https://example.com/a.png">a.png</a>' in shown
    assert "javascript:" not in shown


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        ({"status": "cancelled"}, "Stopped."),
        ({"status": "finished", "finish_reason": "length"}, "The answer reached its length limit."),
        ({"status": "finished", "finish_reason": "content_filter"}, "filter withheld the rest"),
        ({"status": "truncated", "error_code": "truncated"}, "broke off before it was complete"),
        ({"status": "interrupted", "error_code": "interrupted"}, "The server stopped while answering."),
    ],
)
async def test_why_an_answer_is_not_whole_is_said(client: AsyncClient, outcome: dict[str, str], note: str) -> None:
    page = visible(await stored(client, TextPart(text="Half"), **outcome))
    assert "Half" in page
    assert note in page
    assert 'name="regenerate"' in page


async def test_a_whole_answer_needs_no_note(client: AsyncClient) -> None:
    page = visible(await answered(client))
    assert "chat-note" not in page


async def test_staff_detail_is_not_on_the_page(client: AsyncClient) -> None:
    page = await stored(client, status="failed", error_code="authentication", error_detail="key sk-123 refused")
    assert "refused the site&#x27;s key" in page
    assert "sk-123" not in page


async def test_pages_follow_the_language_of_the_request(client: AsyncClient, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    page = html(await client.get("/", headers={"accept-language": "ar"}))
    assert '<html lang="ar" dir="rtl">' in page


@pytest.mark.parametrize("source", ["context", "request"])
def test_assets_carry_the_nonce(source: str) -> None:
    request = RequestFactory().get("/")
    values: dict[str, Any] = {"request": request}
    if source == "context":
        values["csp_nonce"] = "n0nce"
    else:
        request.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    rendered = Template("{% load streaming %}{% chat_assets %}").render(Context(values))
    assert rendered.count('nonce="n0nce"') == 2
    assert 'nonce="' not in Template("{% load streaming %}{% chat_assets %}").render(Context())


def test_assets_are_found_where_file_names_are_hashed(settings: Any, tmp_path: Path) -> None:
    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": storage}}
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    rendered = Template("{% load streaming %}{% chat_assets %}").render(Context())
    files = re.findall(r'"/static/(streaming/chat\.[0-9a-f]+\.(?:css|js))"', rendered)
    assert len(files) == 2
    assert all((tmp_path / file).is_file() for file in files)


async def test_the_chat_tag_stands_in_any_page(client: AsyncClient, rf: RequestFactory) -> None:
    await answered(client)
    conversation = await Conversation.objects.aget()
    template = Template("{% load streaming %}{% chat conversation %}")
    with translation.override("en"):
        rendered = await in_database(template.render, Context({"conversation": conversation}))
        fresh = await in_database(template.render, Context({"conversation": None}))
    assert 'data-conversation="c1"' in rendered
    assert "Hello" in rendered
    assert "data-whole-page" not in rendered
    assert 'data-conversation=""' in fresh
    assert re.search(r'action="/chat/[0-9a-f]{32}/send/"', fresh)


def test_the_documentation_names_every_template_and_colour() -> None:
    page = (ROOT / "docs/pages.md").read_text()
    templates = {path.name for path in (APP / "templates/streaming").glob("*.html")}
    assert set(re.findall(r"streaming/(\w+\.html)", page)) == templates
    properties = set(
        re.findall(r"^    (--chat-[\w-]+):", (APP / "static/streaming/chat.css").read_text(), re.MULTILINE)
    )
    assert set(re.findall(r"--chat-[\w-]+", page)) == properties
