"""The how-tos of the documentation: their code runs, their templates render, their numbers hold."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import AsyncClient, AsyncRequestFactory
from django.urls import resolve

from benchmarks.provider import CHUNK, END
from streaming.chat import chat
from streaming.conf import SETTINGS
from streaming.errors import PUBLIC_MESSAGES
from streaming.models import Conversation, StaffAccess
from streaming.testing import text_in
from tests.checks import messages
from tests.engine import Script
from tests.responses import body_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(r"^```(?:python|django|yaml)\n(?:# |\{# )(\S+?)(?: #\})?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """The files that a page shows, by their names."""
    return dict(BLOCK.findall((DOCS / page).read_text()))


def module(monkeypatch: pytest.MonkeyPatch, page: str, name: str) -> Any:
    """A module that a page shows, under its name in the page."""
    dotted = name.removesuffix(".py").replace("/", ".")
    made = types.ModuleType(dotted)
    exec(compile(blocks(page)[name], name, "exec"), made.__dict__)
    monkeypatch.setitem(sys.modules, "shop", types.ModuleType("shop"))
    monkeypatch.setitem(sys.modules, dotted, made)
    return made


def settings_of(page: str) -> dict[str, Any]:
    """The settings that a page shows."""
    found: dict[str, Any] = {}
    exec(blocks(page)["settings.py"], found)
    return {name: value for name, value in found.items() if name.startswith("STREAMING_")}


class TestOwnProvider:
    @pytest.fixture
    def gateway(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
        """The page's class as the default provider. `gateway.answer` makes the response to a request."""
        made = module(monkeypatch, "own-provider.md", "shop/gateway.py")
        made.answer = lambda request: httpx.Response(200, content=CHUNK * 2 + END + b"data: [DONE]\n\n")
        client = httpx.AsyncClient
        transport = httpx.MockTransport(lambda request: made.answer(request))
        monkeypatch.setattr(made.httpx, "AsyncClient", lambda **options: client(transport=transport, **options))
        settings.STREAMING_PROVIDERS = settings_of("own-provider.md")["STREAMING_PROVIDERS"]
        settings.STREAMING_PROVIDER_RETRIES = 0
        return made

    @pytest.mark.usefixtures("engine")
    async def test_it_answers(self, gateway: Any) -> None:
        asked: list[httpx.Request] = []
        answer = gateway.answer
        gateway.answer = lambda request: asked.append(request) or answer(request)
        result = await chat("Hello?")
        assert (result.status, result.text) == ("finished", " word word")
        assert json.loads(asked[0].content)["model"] == "large"
        assert str(asked[0].url) == "https://models.example.com/v1/chat/completions"

    @pytest.mark.usefixtures("engine")
    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (lambda request: httpx.Response(429, text="slow down"), "rate_limited"),
            (lambda request: (_ for _ in ()).throw(httpx.ConnectError("no")), "unreachable"),
            (lambda request: (_ for _ in ()).throw(httpx.ReadError("no")), "connection_lost"),
        ],
    )
    async def test_its_failures_have_codes(self, gateway: Any, answer: Any, code: str) -> None:
        gateway.answer = answer
        await AsyncClient().post("/api/chat", {"id": "c", "prompt": "?"}, content_type="application/json")
        from streaming.models import Generation
        from streaming.supervisor import current

        await current().idle()
        assert (await Generation.objects.aget()).error_code == code

    def test_it_passes_the_checks(self, gateway: Any, settings: Any) -> None:
        assert messages(STREAMING_PROVIDERS=settings.STREAMING_PROVIDERS) == []
        del settings.STREAMING_PROVIDERS["default"]["OPTIONS"]["model"]
        [missing] = messages(STREAMING_PROVIDERS=settings.STREAMING_PROVIDERS)
        assert "E007" in str(missing)


class TestOwnCode:
    @pytest.fixture
    async def request_of_ada(self, engine: None) -> Any:
        ada = await get_user_model().objects.acreate(username="ada")
        client = AsyncClient()
        await client.aforce_login(ada)
        request = AsyncRequestFactory().post("/", {"text": "VAT"})
        request.user, request.session = ada, await sync_to_async(lambda: client.session)()

        async def auser() -> Any:
            return ada

        request.auser = auser
        return request

    async def test_view_waits(self, request_of_ada: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        view = module(monkeypatch, "own-code.md", "shop/views.py").advice
        scripted(text="Number 7.")
        assert json.loads((await view(request_of_ada)).content)["text"] == "Number 7."
        scripted(error="overloaded")
        failed = await view(request_of_ada)
        assert (failed.status_code, json.loads(failed.content)) == (502, {"error": PUBLIC_MESSAGES["overloaded"]})
        request_of_ada.user = AnonymousUser()
        assert (await inspect.unwrap(view)(request_of_ada)).status_code == 401

    async def test_view_streams(self, request_of_ada: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        scripted(text="You said: {prompt}")
        response = await module(monkeypatch, "own-code.md", "shop/streams.py").explain(request_of_ada)
        frames = [json.loads(line[6:]) for line in (await body_of(response)).decode().splitlines() if "data: {" in line]
        assert text_in(frames) == "You said: Explain this to a customer: VAT"

    @pytest.mark.django_db(transaction=True)
    def test_task_needs_no_event_loop(self, scripted: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        scripted(text="None.")
        ada = get_user_model().objects.create(username="ada")
        assert module(monkeypatch, "own-code.md", "shop/tasks.py").late_orders(ada) == "None."

    async def test_conversation_has_its_own_prompt(
        self, request_of_ada: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scripted(text="By May.")
        ask = module(monkeypatch, "own-code.md", "shop/taxes.py").ask_about_taxes
        assert [(await ask(request_of_ada.user, "When?")).text for _ in range(2)] == ["By May."] * 2
        assert "tax forms" in (await Conversation.objects.aget()).system_prompt


class TestOwnTemplate:
    @pytest.mark.usefixtures("engine")
    async def test_it_is_what_the_page_shows(self, settings: Any, tmp_path: Path) -> None:
        for name, content in blocks("own-template.md").items():
            file = tmp_path / name.removeprefix("templates/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
        page = (await AsyncClient().get("/")).content.decode()
        assert "· The Shop</title>" in page
        assert "Hello! What did you order?" in page
        assert page.count("Where is my order?") >= 2
        form_id = re.findall(r'form="([^"]+)" name="suggestion"', page)[0]
        assert f'id="{form_id}"' in page
        ada = await get_user_model().objects.acreate(username="ada", first_name="Ada")
        client = AsyncClient()
        await client.aforce_login(ada)
        assert "Hello Ada! What" in (await client.get("/")).content.decode()


class TestRollingRestarts:
    def test_grace_period_is_long_enough(self) -> None:
        text = blocks("rolling-restarts.md")["chat.yaml"]

        def seconds(pattern: str) -> int:
            return int(re.findall(pattern, text)[0])

        needed = seconds(r'sleep, "(\d+)"') + SETTINGS["DRAIN_SECONDS"].default + 2
        needed += seconds(r'timeout-graceful-shutdown, "(\d+)"')
        assert seconds(r"terminationGracePeriodSeconds: (\d+)") > needed

    def test_probes_ask_what_there_is(self) -> None:
        text = blocks("rolling-restarts.md")["chat.yaml"]
        [path] = re.findall(r"httpGet: { path: (\S+),", text)
        assert resolve(path).view_name == "streaming:health"
        assert "livenessProbe:\n            tcpSocket" in text


class TestPrivacy:
    @pytest.fixture
    async def ada(self, engine: None) -> Any:
        user = await get_user_model().objects.acreate(username="ada")
        for number in range(2):
            await chat(f"Question {number}", user=user)
        await chat("Not hers")
        return user

    async def test_export_has_everything_of_one_person(self, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        page = module(monkeypatch, "privacy.md", "shop/privacy_requests.py")
        text = "".join(await sync_to_async(lambda: list(page.everything_of(ada)))())
        assert ("Question 0" in text, "Question 1" in text, "Not hers" in text) == (True, True, False)

    async def test_account_is_closed(self, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        await module(monkeypatch, "privacy.md", "shop/accounts.py").close_account(ada)
        assert await Conversation.objects.acount() == 1
        assert not await get_user_model().objects.aexists()

    def test_settings_pass_the_checks(self) -> None:
        assert messages(**settings_of("privacy.md")) == []

    @pytest.mark.django_db
    def test_log_says_who_saw(self, monkeypatch: pytest.MonkeyPatch) -> None:
        one = Conversation.objects.create(key="c", owner_key="nobody")
        bob = get_user_model().objects.create(username="bob")
        StaffAccess.objects.record(bob, "view", "conversation", one.pk)
        found = module(monkeypatch, "privacy.md", "shop/seen.py").who_saw(one)
        assert [row[:2] for row in found] == [("bob", "view")]


def test_every_block_with_a_name_is_tested() -> None:
    """A how-to that gets another file needs a test for it."""
    source = inspect.getsource(sys.modules[__name__])
    pages = ("own-code.md", "own-provider.md", "own-template.md", "rolling-restarts.md", "privacy.md")
    names = [name for page in pages for name in blocks(page) if name.endswith((".py", ".yaml"))]
    assert names
    assert [name for name in names if name not in source] == []


def test_upgrade_notes_name_modules_that_exist() -> None:
    named = re.findall(r"`(streaming\.\w+)`", (DOCS / "upgrading.md").read_text())
    assert [name for name in named if importlib.util.find_spec(name) is None] == []
