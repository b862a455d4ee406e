"""Translations: the catalogues have every message of the app, and no page shows a word beside them."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from streaming import errors
from streaming.errors import PUBLIC_MESSAGES, RequestError
from streaming.models import Feedback, Generation, Review, Share, StaffAccess
from streaming.protocol import FilePart, FinishReason, ReasoningPart, TextPart, ToolApproval, ToolCall, ToolResult
from tests import catalogues
from tests.admin.site import exchange
from tests.catalogues import LANGUAGES, code_messages, compiled, messages_of, path_of, placeholders, read, texts_of
from tests.pages import answered, html, send, stored
from tests.responses import body_of
from tests.wrapped import bare_words, wrapped

HINT = "Run `make messages`; it adds new messages, removes old ones, and lists what is untranslated."


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_exactly_the_messages_of_the_code(language: str) -> None:
    said, has = set(code_messages()), set(messages_of(read(language)))
    assert not said - has, f"{HINT} Missing:\n" + "\n".join(map(repr, said - has))
    assert not has - said, f"{HINT} No longer in the code:\n" + "\n".join(map(repr, has - said))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_with_its_placeholders(language: str) -> None:
    faults = []
    for key, message in messages_of(read(language)).items():
        singular = key if isinstance(key, str) else key[-1]
        texts = texts_of(message)
        wanted = catalogues.forms(language) if isinstance(key, tuple) else 1
        if message.fuzzy or len(texts) != wanted or not all(texts):
            faults.append(f"untranslated: {key!r}")
        elif any(_differs(singular, text, is_plural=isinstance(key, tuple)) for text in texts):
            faults.append(f"other placeholders: {key!r}: {texts!r}")
    assert not faults, "\n".join(faults)


def _differs(message: str, text: str, *, is_plural: bool) -> bool:
    """True if a text has other placeholders than its message. A form for one or two may say the number as a word."""
    extra = set(placeholders(text)) - set(placeholders(message))
    return bool(extra) if is_plural else placeholders(text) != placeholders(message)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    assert path_of(language, "mo").read_bytes() == compiled(language), HINT


def test_line_ends_and_edges_are_those_of_the_message() -> None:
    for language in LANGUAGES:
        for key, message in messages_of(read(language)).items():
            for text in texts_of(message):
                assert text == text.strip(), (language, key)
                assert "\n" not in text, (language, key)


@pytest.mark.parametrize(
    ("language", "word"), [("de", "Senden"), ("pt-br", "Enviar"), ("zh-hans", "发送"), ("de-at", "Senden")]
)
def test_django_finds_the_catalogues(language: str, word: str) -> None:
    with translation.override(language):
        assert gettext("Send") == word


# The text of a `BadRequest` is mostly for those who write clients: no page sends what it refuses.
TOLD = {kind.__name__ for kind in RequestError.__subclasses__()} - {"BadRequest"} | {"OverBudget"}
NOT_SAID: set[tuple[str, str]] = {
    ("views/endpoint.py", "NotFound"),
    ("views/health.py", "NotFound"),
    ("views/probe.py", "NotFound"),
    ("views/shares.py", "NotFound"),
    ("intake/bounds.py", "TooLarge"),
    ("views/endpoint.py", "TooLarge"),
}
"""Refusals that only programs get."""


def _untranslated_refusals() -> Iterator[tuple[str, str]]:
    root = Path(errors.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant() | ast.JoinedStr(), *_]) if name in TOLD:
                    yield path.relative_to(root).as_posix(), name


def test_refusals_are_translated() -> None:
    assert set(_untranslated_refusals()) == NOT_SAID


PARTS = (
    ReasoningPart(text=wrapped("thought"), duration_ms=2000),
    TextPart(text=wrapped("said")),
    ToolCall(id="1", name="⟦tool⟧", raw_arguments="{}", arguments={"⟦a⟧": "⟦b⟧"}, is_complete=True),
    ToolCall(id="2", name="⟦tool⟧", raw_arguments="{}", arguments={}, is_complete=True),
    ToolResult(call_id="1", output="⟦c⟧", duration_ms=1500),
    ToolApproval(call_id="2"),
    FilePart(media_type="text/plain", url="https://example.org/a", filename="⟦file⟧"),
)


@pytest.fixture
def site(settings: Any) -> None:
    settings.STREAMING_SHOW_USAGE = settings.STREAMING_SHARES = True
    settings.STREAMING_SUGGESTIONS = ["⟦suggestion⟧"]
    settings.STREAMING_REVIEW_LABELS = ["⟦label⟧"]
    entry = settings.STREAMING_PROVIDERS["default"]
    settings.STREAMING_PROVIDERS = {
        "default": entry | {"LABEL": "⟦one⟧"},
        "other": entry | {"LABEL": "⟦two⟧"},
    }


@pytest.mark.usefixtures("engine", "brackets", "site")
async def test_the_pages_show_no_word_beside_the_catalogues() -> None:
    client = AsyncClient()
    outcome = {"finish_reason": "length", "output_tokens": 5, "input_tokens": 7}
    page = await stored(client, *PARTS, **outcome)
    await client.patch("/api/chat/c1", '{"title": "⟦title⟧", "pinned": true}', content_type="application/json")
    await Generation.objects.aupdate(status="failed", error_code="timeout")
    await client.post("/chat/c1/send/", {"prompt": "⟦again⟧", "edited": ""})
    pages = [page, html(await client.get("/chat/c1/")), html(await client.get("/")), html(await client.get("/?q=zz"))]
    pages.append(html(await send(client, "", "c2")))  # a refusal
    made = html(await client.post("/chat/c1/shares/", {"days": "7", "tools": "1", "reasoning": "1", "files": "1"}))
    [link] = re.findall(r'value="http://testserver(/shared/[^"]+)"', made)
    pages += [made, html(await client.get(link)), html(await client.get("/shared/x/"))]
    assert {word for each in pages for word in bare_words(each, r"Hello( from the script\.)?")} == set()


@pytest.mark.usefixtures("engine", "brackets")
async def test_refusals_and_ends_are_in_the_language_of_the_one_who_asked(settings: Any) -> None:
    settings.STREAMING_MAX_PROMPT_CHARS = 3
    client = AsyncClient()
    refused = html(await client.post("/api/chat", '{"id": "c", "prompt": "long"}', content_type="application/json"))
    assert re.fullmatch("⟦.*⟧", refused)
    with translation.override("de"):
        assert Generation(status="failed", error_code="timeout").error_text == wrapped(PUBLIC_MESSAGES["timeout"])


@pytest.mark.usefixtures("engine")
async def test_a_limit_that_a_database_thread_finds_is_told_in_the_readers_language(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    settings.STREAMING_MAX_PROMPTS_PER_MINUTE = 1
    client = AsyncClient()
    await answered(client)
    for language, text in (("de", "Sie können"), ("ja", "メッセージ")):
        with translation.override("en"):
            refused = await client.post(
                "/api/chat",
                '{"id": "c1", "prompt": "Hi"}',
                content_type="application/json",
                headers={"Accept-Language": language},
            )
        assert (refused.status_code, text in html(refused)) == (429, True), html(refused)


@pytest.mark.usefixtures("engine")
async def test_the_error_of_an_answer_streams_in_the_askers_language(settings: Any, scripted: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    scripted(error="timeout")
    with translation.override("en"):
        response = await AsyncClient().post(
            "/api/chat",
            '{"id": "c1", "prompt": "Hi"}',
            content_type="application/json",
            headers={"Accept-Language": "de"},
        )
        body = await body_of(response)
    assert "Das Modell brauchte zu lange, um zu antworten." in body.decode()


@pytest.mark.usefixtures("engine")
async def test_the_page_in_arabic_is_written_from_right_to_left(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    with translation.override("en"):  # the middleware leaves its language behind
        page = html(await AsyncClient().get("/", headers={"Accept-Language": "ar"}))
    assert '<html lang="ar" dir="rtl">' in page
    assert 'aria-label="إرسال"' in page


CODES = [code.replace("_", " ") for code in (*PUBLIC_MESSAGES, *get_args(FinishReason))]
DATA = "|".join(
    (
        *(r"user:\d+", r"client-\w+", "[0-9a-f-]{32,36}", "owner of ", "root", "default", "gpt-5-mini"),
        *("Search", "True", "False"),  # Django's own, which it does not translate
        *sorted(map(re.escape, CODES), key=len, reverse=True),  # as the API and the log have them
        *(r"\b(ms|message|conversation|generation)\b", "CSV", r"\d+×", r"p\d\d"),
    )
)


def _admin_pages(client: Client) -> Iterator[tuple[str, str]]:
    answer = Generation.objects.get()
    for kind, pk in (
        ("conversation", answer.conversation_id),
        ("message", answer.message_id),
        ("generation", answer.pk),
        ("share", Share.objects.values_list("pk", flat=True).first()),
        ("staffaccess", StaffAccess.objects.values_list("pk", flat=True).first()),
    ):
        for address in (
            reverse(f"admin:streaming_{kind}_changelist"),
            reverse(f"admin:streaming_{kind}_change", args=[pk]),
        ):
            yield address, client.get(address).content.decode()
    for name in ("events", "request", "replay"):
        address = reverse(f"admin:streaming_generation_{name}", args=[answer.pk])
        yield address, client.get(address).content.decode()
    for by in ("day", "model", "provider", "user"):
        address = reverse("admin:streaming_generation_usage") + f"?by={by}"
        yield address, client.get(address).content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("brackets", "site")
def test_the_admin_shows_no_word_beside_the_catalogues() -> None:
    client = Client()
    root = get_user_model().objects.create_superuser("root", password="secret")
    client.force_login(root)
    timeline = [[5, "reasoning", 3], [10, "text", 4], [20, "call", "1"], [900, "result", "1"]]
    conversation = exchange(
        "⟦title⟧", "⟦prompt⟧", PARTS, root, timeline=timeline, error_code="timeout", error_detail="⟦d⟧"
    )
    answer = conversation.active_leaf
    Feedback.objects.create(message=answer, thumb=-1, comment="⟦comment⟧")
    Review.objects.create(message=answer, rating=3, is_flagged=True, note="⟦note⟧", labels="\n⟦label⟧\n")
    StaffAccess.objects.create(username="⟦who⟧", action="view", kind="message", object_id="1")
    Share.objects.create(conversation=conversation, digest="x")
    faults = {address: bare_words(page, DATA) for address, page in _admin_pages(client)}
    assert {address: words for address, words in faults.items() if words} == {}


def test_no_message_hides_inside_an_f_string() -> None:
    """Before 3.12, Python has no tokens inside an f-string, so the message would not be found."""
    root = Path(errors.__file__).parent
    hidden = [
        f"{path.relative_to(root)}:{call.lineno}"
        for path in root.rglob("*.py")
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in catalogues.KEYWORDS
    ]
    assert hidden == []


SCRIPTS = sorted((Path(errors.__file__).parent / "static").rglob("*.js"))


def test_scripts_have_no_words_of_their_own() -> None:
    """They show texts that the server gives them."""
    prose = []
    for path in SCRIPTS:
        code = re.sub(r"/\*.*?\*/|(?m:(?<!:)//.*$)", "", path.read_text(), flags=re.DOTALL)
        prose += [(path.name, text) for text in re.findall(r"""["'`]([A-Z][a-z]+ [a-z][^"'`]*)["'`]""", code)]
    assert SCRIPTS
    assert prose == []


NEW = ("A new text.", "%(n)s cat")


def test_what_is_missing_can_be_filled_in_and_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(catalogues.LOCALE, tmp_path / "locale")
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    known = {key: places for key, places in code_messages().items() if key in messages_of(read("ar"))}
    added: dict[Any, list[str]] = {"A new text.": ["a.py"], ("%(n)s cat", "%(n)s cats"): ["a.py"]}
    monkeypatch.setattr(catalogues, "code_messages", lambda: known | added)
    missing = {message: texts for message, texts in catalogues.update_all({}).items() if message in NEW}
    assert {message: set(texts) for message, texts in missing.items()} == {
        "A new text.": set(LANGUAGES),
        "%(n)s cat": set(LANGUAGES),
    }
    assert len(missing["%(n)s cat"]["ar"]) == 6
    filled = {
        m: {key: ["x"] * len(t) if isinstance(t, list) else "x" for key, t in each.items()}
        for m, each in missing.items()
    }
    assert not set(filled) & set(catalogues.update_all(filled))
    assert messages_of(read("ar"))["A new text."].string == "x"
    monkeypatch.setattr(catalogues, "code_messages", lambda: known)
    catalogues.update_all({})
    assert "A new text." not in messages_of(read("ar"))
