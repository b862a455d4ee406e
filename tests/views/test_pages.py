"""The chat pages in a browser without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from streaming.database import in_database
from streaming.models import Conversation, Generation, Message
from streaming.supervisor import current
from streaming.views.listing import LISTED
from tests.pages import Script, active, answered, html, send, visible

pytestmark = pytest.mark.usefixtures("engine")


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


async def test_stop_without_a_running_answer_leads_back_to_the_page(client: AsyncClient) -> None:
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
async def test_somebody_elses_conversation_is_not_found(client: AsyncClient, verb: str) -> None:
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
async def test_visitors_who_must_sign_in_are_redirected_there_and_back(
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
    hers = AsyncClient()
    await hers.aforce_login(ada)
    page = await answered(hers, "As myself", "c2")
    assert "As myself" in page
    assert "As a visitor" not in page
    assert (await Conversation.objects.aget(key="c2")).user_id == ada.pk


@pytest.mark.parametrize("verb", ["send", "stop", "branch"])
async def test_forms_need_their_csrf_token(verb: str) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    page = html(await client.get("/"))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    assert (await client.post(f"/chat/c1/{verb}/", {"prompt": "Hello"})).status_code == 403
    accepted = await client.post(f"/chat/c1/{verb}/", {"prompt": "Hello", "csrfmiddlewaretoken": token[1]})
    assert accepted.status_code == (404 if verb == "branch" else 303)


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", "/"), ("get", "/chat/c1/send/"), ("get", "/chat/c1/stop/"), ("get", "/chat/c1/branch/")],
)
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
    assert first.count('<a dir="auto" href="/chat/k') == LISTED
    assert "The first" not in first
    assert '<a href="?page=2" rel="next">' in first
    assert "The first" in second
    assert html(await client.get("/?page=nonsense")).count("data-key=") == first.count("data-key=")


async def test_a_key_with_a_slash_is_refused(client: AsyncClient) -> None:
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


async def test_pages_follow_the_language_of_the_request(client: AsyncClient, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    page = html(await client.get("/", headers={"accept-language": "ar"}))
    assert '<html lang="ar" dir="rtl">' in page


async def edited(client: AsyncClient, scripted: Script) -> str:
    """The page of a conversation whose only message was edited with its form."""
    scripted(text="One.")
    page = visible(await answered(client, "First <try>"))
    button = re.search(r'name="edit" value="([^"]+)"', page)
    assert button
    assert "chat-branch" not in page
    assert 'name="edited"' not in page
    page = visible(html(await client.get("/chat/c1/", {"edit": button[1]})))
    form = re.search(r'name="edited" value="([^"]+)"', page)
    assert form
    assert ">\nFirst &lt;try&gt;</textarea>" in page
    answer = re.search(r'name="regenerate" value="([^"]+)"', page)
    assert answer
    for name in ("edit", "comment"):  # an answer is not edited, and a comment needs a thumb
        page = visible(html(await client.get("/chat/c1/", {name: answer[1]})))
        assert page.count("<textarea") == 1
    scripted(text="Two.")
    for _ in range(2):
        response = await send(client, "Second try", edited=form[1], client_id="m2")
        assert response.status_code == 303
        await current().idle()
    assert await Message.objects.acount() == 4
    return visible(html(await client.get("/chat/c1/")))


def other_versions(page: str) -> list[str]:
    """The ids behind the buttons for the previous and the next version. Empty for a disabled button."""
    return re.findall(r'name="branch" value="([^"]*)"', page)


async def test_an_edited_message_leads_back_to_the_one_it_replaces(client: AsyncClient, scripted: Script) -> None:
    page = await edited(client, scripted)
    assert "First" not in page.partition("<main")[2].partition("</h1>")[2]
    assert 'aria-label="Version 2 of 2"' in page
    previous, after = other_versions(page)
    assert after == ""
    response = await client.post("/chat/c1/branch/", {"branch": previous, "prompt": "A draft"})
    assert (response.status_code, response.headers["Location"]) == (
        303,
        f"/chat/c1/?from={previous}#message-{previous}",
    )
    page = visible(html(await client.get("/chat/c1/")))
    assert f'id="message-{previous}"' in page
    assert "One." in page
    assert "Two." not in page
    assert 'aria-label="Version 1 of 2"' in page
    assert other_versions(page)[0] == ""


async def test_a_regenerated_answer_leads_back_to_the_other(client: AsyncClient, scripted: Script) -> None:
    scripted(text="One.")
    answer = re.search(r'name="regenerate" value="([^"]+)"', visible(await answered(client)))
    assert answer
    await send(client, "", regenerate=answer[1])
    await current().idle()
    page = visible(html(await client.get("/chat/c1/")))
    assert other_versions(page) == [answer[1], ""]
    assert page.count("chat-branch") == 1


async def test_an_edit_that_is_refused_stays_in_its_form(client: AsyncClient, scripted: Script) -> None:
    page = await edited(client, scripted)
    message = re.search(r'name="edit" value="([^"]+)"', page)
    assert message
    refused = await send(client, "x" * 40_000, edited=message[1])
    assert refused.status_code == 413
    page = visible(html(refused))
    assert page.count('<form class="chat-edit"') == 1
    assert page.count("x" * 40_000) == 1
    assert "The message has 40000 characters" in page
    missing = await send(client, "Something", edited="nowhere")
    assert missing.status_code == 404
    assert ">Something</textarea>" in visible(html(missing)), "its text is now in the composer"


async def test_branch_is_not_changed_while_an_answer_is_written(client: AsyncClient, scripted: Script) -> None:
    previous, _ = other_versions(await edited(client, scripted))
    scripted(text="one two three four", hang_after=4)
    await send(client, "Next")
    response = await client.post("/chat/c1/branch/", {"branch": previous, "prompt": "A draft"})
    assert response.status_code == 409
    assert "An answer is still being written" in html(response)
    assert ">A draft</textarea>" in html(response)


PAGES = ["", "send/", "change/", "stop/", "branch/", "feedback/", "shares/"]


@pytest.mark.parametrize("rest", PAGES)
async def test_page_of_a_key_that_no_database_holds_is_not_there(client: AsyncClient, rest: str, settings: Any) -> None:
    settings.STREAMING_SHARES = True
    form = {"prompt": "Hello", "title": "x", "branch": "m", "message": "m", "thumb": "up"}
    response = await (client.post(f"/chat/%00/{rest}", form) if rest else client.get("/chat/%00/"))
    assert response.status_code == 404
    assert not await Conversation.objects.aexists()


async def test_branch_of_somebody_elses_conversation_is_not_found(client: AsyncClient, scripted: Script) -> None:
    previous, _ = other_versions(await edited(client, scripted))
    assert (await AsyncClient().post("/chat/c1/branch/", {"branch": previous})).status_code == 404
    assert (await client.post("/chat/c1/branch/", {"branch": "nowhere"})).status_code == 404
    assert "Two." in html(await client.get("/chat/c1/"))
