"""A running answer in the admin: Watch and Stop."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.test import AsyncClient
from django.urls import reverse

from streaming.models import Generation, StaffAccess
from streaming.testing import frames_of, text_in
from tests.engine import load, submit

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.usefixtures("engine")]

READ = ("view_conversation", "view_message", "view_generation")


@sync_to_async
def staff_with(*permissions: str) -> AsyncClient:
    user = get_user_model().objects.create_user("rita", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = AsyncClient()
    client.force_login(user)
    return client


def address(generation: Generation, name: str) -> str:
    return reverse(f"admin:streaming_generation_{name}", args=[generation.pk])


async def watched(client: AsyncClient, generation: Generation) -> list[dict[str, Any]]:
    response = await client.get(address(generation, "watch"))
    assert response.status_code == 200, response.content
    body = b"".join([piece async for piece in response])
    lines = [line.removeprefix("data: ") for line in body.decode().splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def kinds(chunks: list[dict[str, Any]]) -> set[str]:
    return {chunk["type"] for chunk in chunks}


async def test_staff_watch_the_log_that_the_owner_reads(scripted: Any) -> None:
    scripted(text="one two three four", reasoning="Secretly.", delay=0.01)
    client = await staff_with(*READ)
    generation = await submit()
    chunks = await watched(client, generation)
    assert text_in(chunks) == "one two three four" == (await load(generation)).message.text
    assert chunks[-1]["type"] == "finish"
    assert "reasoning-delta" not in kinds(chunks)
    assert "Secretly" not in json.dumps(chunks)
    logged = await StaffAccess.objects.aget()
    assert (logged.username, logged.action, logged.object_id) == ("rita", "watch", str(generation.pk))


async def test_staff_with_the_permission_watch_reasoning(scripted: Any) -> None:
    scripted(text="one two", reasoning="Secretly.")
    client = await staff_with(*READ, "view_reasoning")
    assert "reasoning-delta" in kinds(await watched(client, await submit()))


@pytest.mark.parametrize("name", ["watch", "stop"])
@pytest.mark.parametrize("permissions", [(), ("view_conversation", "view_generation")])
async def test_watch_and_stop_need_their_permissions(name: str, permissions: tuple[str, ...]) -> None:
    generation = await submit()
    client = await staff_with(*permissions)
    call = client.post if name == "stop" else client.get
    assert (await call(address(generation, name))).status_code == 403


async def test_people_outside_the_staff_are_refused() -> None:
    generation = await submit()
    client = AsyncClient()
    assert (await client.get(address(generation, "watch"))).status_code == 403
    assert (await client.post(address(generation, "stop"))).status_code == 403


async def test_redaction_closes_watch(settings: Any) -> None:
    settings.STREAMING_REDACT = "tests.admin.test_staff.hide"
    generation, client = await submit(), await staff_with(*READ)
    assert (await client.get(address(generation, "watch"))).status_code == 403


async def test_stop_ends_the_answer_and_leads_back(scripted: Any) -> None:
    scripted(text="word " * 1000, delay=0.02)
    client = await staff_with(*READ, "stop_generation")
    generation = await submit()
    await asyncio.sleep(0.1)
    page = "http://testserver/admin/streaming/conversation/"
    response = await client.post(address(generation, "stop"), headers={"Referer": page})
    assert (response.status_code, response["Location"]) == (302, page)
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.cancel_reason) == ("cancelled", "staff")
    assert row.message.text.startswith("word")


async def test_stop_is_a_post_and_leads_only_to_this_site() -> None:
    client = await staff_with("stop_generation")
    generation = await submit()
    assert (await client.get(address(generation, "stop"))).status_code == 405
    response = await client.post(address(generation, "stop"), headers={"Referer": "https://evil.example/"})
    assert response["Location"] == reverse("admin:streaming_generation_change", args=[generation.pk])


async def test_stop_needs_the_token_of_a_form() -> None:
    generation, client = await submit(), await staff_with(*READ, "stop_generation")
    client.handler.enforce_csrf_checks = True
    assert (await client.post(address(generation, "stop"))).status_code == 403


@pytest.mark.parametrize(("name", "method"), [("watch", "get"), ("stop", "post")])
async def test_database_that_is_away_is_no_traceback(
    name: str, method: str, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(text="one")
    client = await staff_with(*READ, "stop_generation")
    generation = await submit()
    await frames_of(generation.pk)

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    for place in ("_admit", "StaffAccess.objects.record" if name == "watch" else "stop"):
        with monkeypatch.context() as patched:
            patched.setattr(f"streaming.admin.live.{place}", away)
            response = await getattr(client, method)(address(generation, name))
        assert response.status_code == 503
        assert response.content.decode() == "The site's database is away. Try again in a moment."
        assert int(response.headers["Retry-After"]) > 0


async def test_list_stops_the_selected_answers(scripted: Any) -> None:
    scripted(text="word " * 1000, delay=0.02)
    client = await staff_with(*READ, "stop_generation")
    generation = await submit()
    action = {"action": "stop_selected", "_selected_action": [str(generation.pk)]}
    response = await client.post(reverse("admin:streaming_generation_changelist"), action)
    assert response.status_code == 302
    await frames_of(generation.pk)
    row = await load(generation)
    assert row.status == "cancelled"
