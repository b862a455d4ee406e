"""Visitors' conversations: adopted at sign-in, limited in number, and deleted when they are old."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.access import VISITOR_KEY, visitors
from streaming.archive import forget_old
from streaming.database import in_database, in_steps
from streaming.errors import TooManyRequests
from streaming.models import Attachment, Conversation, Generation, Owner
from streaming.supervisor import current
from tests.engine import ALICE, BOB, Script, load, submit

pytestmark = pytest.mark.usefixtures("engine")


async def person(name: str = "ada") -> Any:
    return await get_user_model().objects.acreate_user(name, password="x")


async def ask(client: AsyncClient, key: str) -> Any:
    """Asks, and returns the response. Its answer is being written."""
    body = {"prompt": "Hi", "id": key}
    return await client.post("/api/chat", body, content_type="application/json")


async def upload(client: AsyncClient) -> str:
    response = await client.post("/api/files", {"file": ContentFile(b"text", "note.txt")})
    assert response.status_code == 201
    url: str = response.json()["url"]
    return url


async def status_of(client: AsyncClient, path: str) -> int:
    response = await client.get(path)
    await sync_to_async(response.close)()
    return response.status_code


async def is_visitor(client: AsyncClient) -> bool:
    """True if the session has a visitor's token."""
    session = await client.asession()
    return await sync_to_async(session.__contains__)(VISITOR_KEY)


async def test_visitor_who_signs_in_keeps_conversations_files_and_the_running_answer(scripted: Script) -> None:
    scripted(text="one two", hang_after=1)
    client, user = AsyncClient(), await person()
    url = await upload(client)
    await ask(client, "c1")
    await client.aforce_login(user)
    assert await status_of(client, "/api/chat/c1") == 200
    assert await status_of(client, url) == 200
    assert await status_of(client, "/api/chat/c1/stream") == 200
    row = await Conversation.objects.aget()
    assert (row.owner_key, row.user_id) == (f"user:{user.pk}", user.pk)
    current().cancel_all("user")
    await current().idle()
    assert (await load(await Generation.objects.aget())).status == "cancelled"


async def test_all_conversations_are_adopted_in_one_statement(scripted: Script) -> None:
    for key in ("c1", "c2", "c3"):
        await submit(key=key)
    await current().idle()
    user = await person()

    def adopt() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            assert visitors.adopt(ALICE, Owner.of_user(user.pk)) == 3
        return [each["sql"] for each in queries if each["sql"].startswith("UPDATE")]

    updates = await sync_to_async(adopt)()
    assert sum("streaming_conversation" in sql for sql in updates) == 1
    assert len(updates) == 3  # the others are those of the files and of the ledger


async def test_what_a_visitor_asked_counts_in_the_limits_of_the_user(scripted: Script, settings: Any) -> None:
    settings.STREAMING_MAX_ACTIVE_PER_OWNER = 1
    scripted(text="one two", hang_after=1)
    client = AsyncClient()
    await ask(client, "c1")
    await client.aforce_login(await person())
    assert (await ask(client, "c2")).status_code == 429


async def test_setting_leaves_conversations_to_the_session(scripted: Script, settings: Any) -> None:
    settings.STREAMING_ADOPT_AT_SIGN_IN = False
    client = AsyncClient()
    await ask(client, "c1")
    await client.aforce_login(await person())
    assert await status_of(client, "/api/chat/c1") == 404
    assert await is_visitor(client)


async def test_conversation_with_a_key_that_the_user_has_gets_another_one(scripted: Script) -> None:
    user = await person()
    mine = await submit(key="main", owner=Owner.of_user(user.pk))
    theirs = await submit(key="main")
    await submit(key="other")
    await in_database(visitors.adopt, ALICE, Owner.of_user(user.pk))
    assert (await load(mine)).conversation.key == "main"
    key = (await load(theirs)).conversation.key
    assert key.replace("-", "") == f"visitor{theirs.conversation_id.hex}"
    owned = Conversation.objects.owned_by(Owner.of_user(user.pk))
    assert {row.key async for row in owned} == {"main", "other", key}


async def test_people_who_share_a_browser_get_only_their_own(scripted: Script) -> None:
    client, ada, bob = AsyncClient(), await person(), await person("bob")
    await submit(key="elsewhere", owner=BOB)
    await ask(client, "first")
    await client.aforce_login(ada)
    assert not await is_visitor(client)
    await client.aforce_login(bob)
    assert await status_of(client, "/api/chat/first") == 404
    await client.alogout()
    await ask(client, "second")
    await client.aforce_login(bob)
    kept = {row.key: row.owner_key async for row in Conversation.objects.all()}
    assert kept == {"elsewhere": BOB.key, "first": f"user:{ada.pk}", "second": f"user:{bob.pk}"}


async def visitor_of(client: AsyncClient) -> Owner:
    return Owner.of_visitor(await (await client.asession()).aget(VISITOR_KEY))


async def test_what_is_stored_while_the_visitor_signs_in_is_adopted_later(scripted: Script) -> None:
    """A request that began before the sign-in stores its conversation after it."""
    client, user = AsyncClient(), await person()
    await ask(client, "early")
    visitor = await visitor_of(client)
    await client.aforce_login(user)
    await submit(key="late", owner=visitor)
    assert await status_of(client, "/api/chat/late") == 200
    await submit(key="later", owner=visitor)
    assert await status_of(client, "/api/chat/later") == 200
    assert {row.owner_key async for row in Conversation.objects.all()} == {f"user:{user.pk}"}


async def test_session_forgets_its_visitor_for_good_a_while_after_the_sign_in(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, user = AsyncClient(), await person()
    await ask(client, "early")
    visitor = await visitor_of(client)
    await client.aforce_login(user)
    await submit(key="late", owner=visitor)
    monkeypatch.setattr(visitors, "LATE_SECONDS", -1)
    assert await status_of(client, "/api/chat/late") == 200  # the first request after that time looks once more
    assert visitor.key.partition(":")[2] not in str(dict(await sync_to_async((await client.asession()).items)()))
    await submit(key="far too late", owner=visitor)
    assert await status_of(client, "/api/chat/far too late") == 404


async def test_another_user_does_not_end_the_wait(scripted: Script) -> None:
    """A middleware may know a user by a token, while the request brings the session of somebody else."""
    client, ada, bob = AsyncClient(), await person(), await person("bob")
    await ask(client, "early")
    await client.aforce_login(ada)
    session = await client.asession()
    kept = await session.aget(visitors.ADOPTED_KEY)
    await in_database(visitors.adopt_late, session, Owner.of_user(bob.pk))
    assert await session.aget(visitors.ADOPTED_KEY) == kept


async def test_only_the_user_who_the_visitor_became_adopts_later(scripted: Script) -> None:
    client, ada, bob = AsyncClient(), await person(), await person("bob")
    await ask(client, "early")
    visitor = await visitor_of(client)
    await client.aforce_login(ada)
    await client.aforce_login(bob)
    await submit(key="late", owner=visitor)
    assert await status_of(client, "/api/chat/late") == 404


async def test_sign_in_works_even_if_the_database_refuses(
    scripted: Script, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(*args: Any) -> None:
        raise OperationalError("no")

    client, user = AsyncClient(), await person()
    await ask(client, "c1")
    with monkeypatch.context() as patch:
        patch.setattr(visitors, "adopt", refuses)
        await client.aforce_login(user)
    assert await status_of(client, "/api/chat/c1") == 404
    assert "could not be given to the user" in caplog.text
    await client.aforce_login(user)
    assert await status_of(client, "/api/chat/c1") == 200


async def test_visitors_have_a_limit_of_conversations_and_users_have_none(scripted: Script, settings: Any) -> None:
    settings.STREAMING_MAX_CONVERSATIONS_PER_VISITOR = 1
    await submit(key="c1")
    await current().idle()
    with pytest.raises(TooManyRequests, match="Visitors may have 1 conversations"):
        await submit(key="c2")
    await submit(key="c1")
    user = await person()
    for key in ("c1", "c2"):
        await submit(key=key, owner=Owner.of_user(user.pk))


async def _of_age(days: int, owner: Owner) -> Generation:
    generation = await submit(key=f"c{days}", owner=owner)
    updated_at = timezone.now() - datetime.timedelta(days=days)
    await Conversation.objects.filter(pk=generation.conversation_id).aupdate(updated_at=updated_at)
    return generation


async def test_old_conversations_of_visitors_are_deleted_with_their_files(scripted: Script, settings: Any) -> None:
    scripted(text="ok")
    user = await person()
    old = await _of_age(3, ALICE)
    await in_database(
        lambda: Attachment.objects.create(
            owner_key=ALICE.key, conversation=old.conversation, message=old.message, size=1, digest="x"
        )
    )
    kept = [await _of_age(1, ALICE), await _of_age(3, Owner.of_user(user.pk))]
    await current().idle()
    scripted(text="ok", hang_after=0)
    kept.append(await _of_age(3, BOB))
    assert await in_steps(forget_old()) == 0
    settings.STREAMING_VISITOR_RETENTION_DAYS = 2
    assert await in_steps(forget_old()) == 1
    assert {row.pk async for row in Generation.objects.all()} == {each.pk for each in kept}
    assert not await Attachment.objects.aexists()
