"""The checks of `STREAMING_PROVIDERS`."""

from __future__ import annotations

import pytest
from django.core.checks import Error, Warning, run_checks

from streaming.checks import TAG
from streaming.models import Conversation
from tests.checks import SCRIPTED, messages

CHAT = "streaming.providers.openai.ChatCompletions"
EXAMPLE = (
    'For example: {"default": {"BACKEND": "streaming.providers.openai.ChatCompletions", '
    '"OPTIONS": {"model": "gpt-5-mini"}}}'
)


@pytest.mark.parametrize("value", [{}, None, ()])
def test_missing_providers_are_an_error(value):
    assert messages(STREAMING_PROVIDERS=value) == [
        Error("STREAMING_PROVIDERS is not set.", hint=EXAMPLE, id="streaming.E001")
    ]


def test_absent_providers_setting_is_an_error(settings):
    del settings.STREAMING_PROVIDERS
    assert [message.id for message in run_checks(tags=[TAG])] == ["streaming.E001"]


def test_providers_must_be_a_dict():
    assert messages(STREAMING_PROVIDERS=["openai"]) == [
        Error("STREAMING_PROVIDERS must be a dict of dicts.", hint=EXAMPLE, id="streaming.E002")
    ]


@pytest.mark.parametrize(
    ("alias", "entry"), [("default", CHAT), ("default", None), (7, SCRIPTED), ("a" * 65, SCRIPTED)]
)
def test_each_provider_must_be_a_dict_under_a_name(alias, entry):
    text = f"STREAMING_PROVIDERS[{alias!r}] must be a dict, and its alias a str of at most 64 characters."
    assert messages(STREAMING_PROVIDERS={"default": SCRIPTED} | {alias: entry}) == [
        Error(text, hint=EXAMPLE, id="streaming.E002")
    ]


def test_longest_alias_fits_its_column():
    alias = "a" * Conversation._meta.get_field("provider").max_length
    assert messages(STREAMING_PROVIDERS={"default": SCRIPTED, alias: SCRIPTED}) == []


@pytest.mark.parametrize(
    ("backend", "option"),
    [
        (SCRIPTED["BACKEND"], "delay"),
        ("streaming.providers.openai.ChatCompletions", "timeout"),
        ("streaming.providers.local.LocalModel", "start_timeout"),
        ("streaming.providers.local.LocalModel", "grace"),
    ],
)
def test_option_in_seconds_has_a_limit(backend, option):
    options = {"model": "m", "api_key": "k", option: 1e15}
    found = messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": options}})
    [wrong] = [one.msg for one in found if one.id == "streaming.E009"]
    assert f"Expected `float` <= 1000000000.0 - at `$.{option}`" in wrong


@pytest.mark.parametrize("entry", [{}, {"BACKEND": None}, {"BACKEND": object}, {**SCRIPTED, "OPTIONS": ["model"]}])
def test_each_provider_needs_a_backend(entry):
    assert messages(STREAMING_PROVIDERS={"default": entry}) == [
        Error(
            "STREAMING_PROVIDERS['default'] needs a BACKEND (str). Its OPTIONS, if it has them, must be a dict.",
            hint=EXAMPLE,
            id="streaming.E002",
        )
    ]


def test_misspelt_key_gets_a_suggestion():
    assert messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "OPTION": {}}}) == [
        Error(
            "STREAMING_PROVIDERS['default'] has an unknown key 'OPTION'.",
            hint="Did you mean 'OPTIONS'?",
            id="streaming.E003",
        )
    ]


def test_unknown_key_gets_the_list_of_keys():
    assert messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "COLOUR": "red"}}) == [
        Error(
            "STREAMING_PROVIDERS['default'] has an unknown key 'COLOUR'.",
            hint="It must be one of: BACKEND, CONTEXT, FALLBACK, LABEL, OPTIONS, TOOLS.",
            id="streaming.E003",
        )
    ]


def test_default_provider_is_needed():
    assert messages(STREAMING_PROVIDERS={"fast": SCRIPTED, "good": SCRIPTED}) == [
        Error(
            'STREAMING_PROVIDERS has no "default".',
            hint="It answers if a message names no alias. Rename one of: fast, good.",
            id="streaming.E004",
        )
    ]


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("streaming.providers.opnai.Chat", "cannot be imported: No module named 'streaming.providers.opnai'"),
        (
            "streaming.providers.openai.Chat",
            'cannot be imported: Module "streaming.providers.openai" does not define a "Chat" attribute/class',
        ),
        ("streaming.errors.NotFound", "streaming.errors.NotFound, is not a provider"),
    ],
)
def test_backend_must_be_a_provider(path, because):
    [message] = messages(STREAMING_PROVIDERS={"default": {"BACKEND": path}})
    assert (message.id, message.hint) == (
        "streaming.E005",
        "Name a provider class, such as streaming.providers.openai.ChatCompletions.",
    )
    assert message.level == Error("").level
    assert because in message.msg


@pytest.mark.parametrize("path", [".x", "..x"])
def test_backend_that_is_no_dotted_path_is_named(path):
    [message] = messages(STREAMING_PROVIDERS={"default": {"BACKEND": path}})
    assert message.id == "streaming.E005"
    assert f"{path!r} is no dotted path" in message.msg


@pytest.mark.parametrize("backend", [CHAT, "streaming.providers.http.Messages"])
@pytest.mark.parametrize(
    ("address", "is_right"),
    [
        ("https://api.deepseek.com/v1", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000/v1", True),
        ("", True),
        ("api.deepseek.com/v1", False),
        ("localhost:8000", False),
        ("https://", False),
        ("http://u:secret@[x", False),
        ("http://host:99999", False),
    ],
)
def test_address_must_have_a_scheme_and_a_host(backend, address, is_right):
    options = {"model": "m", "api_key": "k", "base_url": address}
    found = messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": options}})
    hint = "Write it with its scheme, for example https://api.example.com/v1."
    wrong = Error("The base_url of provider 'default' is not the address of a server.", hint=hint, id="streaming.E009")
    assert found == ([] if is_right else [wrong])


@pytest.mark.parametrize("parser", [{"nope": 1}, {"dialect": "openai-chat"}])
@pytest.mark.parametrize("backend", [CHAT, SCRIPTED["BACKEND"]])
def test_unknown_option_of_the_parser_is_a_problem(backend, parser):
    options = {"model": "m", "parser": parser}
    found = messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": options}})
    [wrong] = [one.msg for one in found if one.id == "streaming.E009"]
    assert wrong.startswith("Provider 'default' has wrong options for the parser: ")


def test_option_whose_name_is_no_text_is_unknown():
    [message] = messages(STREAMING_PROVIDERS={"default": {**SCRIPTED, "OPTIONS": {1: 2}}})
    assert (message.id, message.msg) == ("streaming.E008", "Provider 'default' has an unknown option 1.")


@pytest.mark.parametrize(
    ("backend", "option"),
    [
        (SCRIPTED["BACKEND"], "recording"),
        ("streaming.providers.local.LocalModel", "model_path"),
        ("streaming.providers.local.LocalModel", "chat_template"),
    ],
)
def test_path_that_is_no_text_is_a_wrong_value(backend, option):
    found = messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": {option: 5}}})
    [wrong] = [one.msg for one in found if one.id == "streaming.E009"]
    assert f"Expected `str | null`, got `int` - at `$.{option}`" in wrong


LOCAL = "streaming.providers.local.LocalModel"
SCRIPT = SCRIPTED["BACKEND"]


@pytest.mark.parametrize(
    ("backend", "option", "value", "wanted"),
    [
        (CHAT, "max_retries", -1, "`int` >= 0"),
        ("streaming.providers.http.Messages", "max_retries", -1, "`int` >= 0"),
        (CHAT, "timeout", 0, "`float` > 0.0"),
        (CHAT, "timeout", float("nan"), "`float` > 0.0"),
        (CHAT, "max_output_tokens", 0, "`int` >= 1"),
        (LOCAL, "max_output_tokens", -5, "`int` >= 1"),
        (LOCAL, "start_timeout", 0, "`float` > 0.0"),
        (LOCAL, "grace", -1, "`float` >= 0.0"),
        (SCRIPT, "chunk_size", 0, "`int` >= 1"),
        (SCRIPT, "delay", -1, "`float` >= 0.0"),
    ],
)
def test_number_that_makes_no_sense_is_a_problem(backend, option, value, wanted):
    found = messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": {option: value}}})
    [wrong] = [one.msg for one in found if one.id == "streaming.E009"]
    assert wrong == f"Provider 'default' has an option with a wrong value: Expected {wanted} - at `$.{option}`."


def test_every_problem_of_a_provider_is_reported(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    options = {"modell": "gpt-5-mini", "timeout": "soon", "api_key": ""}
    assert messages(STREAMING_PROVIDERS={"default": {"BACKEND": CHAT, "OPTIONS": options}}) == [
        Error("Provider 'default' has an unknown option 'modell'.", hint="Did you mean 'model'?", id="streaming.E008"),
        Error(
            "Provider 'default' has an option with a wrong value: Expected `float`, got `str` - at `$.timeout`.",
            hint="Correct it.",
            id="streaming.E009",
        ),
        Error("Provider 'default' names no model.", hint='Set OPTIONS["model"].', id="streaming.E007"),
        Warning(
            "Provider 'default' has no API key.",
            hint='Set OPTIONS["api_key"], or the environment variable OPENAI_API_KEY.',
            id="streaming.W010",
        ),
    ]


@pytest.mark.parametrize(
    ("backend", "module", "extra"),
    [
        (CHAT, "openai", "openai"),
        ("streaming.providers.anthropic.Messages", "anthropic", "anthropic"),
        ("streaming.providers.local.LocalModel", "xllamacpp", "local"),
    ],
)
def test_missing_extra_is_an_error(monkeypatch, backend, module, extra):
    monkeypatch.setattr("streaming.providers.options.find_spec", lambda name: None if name == module else object())
    options = {"model": "any", "api_key": "a key"} if extra != "local" else {}
    assert messages(STREAMING_PROVIDERS={"default": {"BACKEND": backend, "OPTIONS": options}}) == [
        Error(
            f"Provider 'default' needs the package {module!r}, which is not installed.",
            hint=f'Run: pip install "django-llm-streaming[{extra}]"',
            id="streaming.E006",
        )
    ]


@pytest.mark.parametrize(
    ("alias", "ids"), [(None, []), ("small", []), ("smal", ["streaming.E026"]), ("", ["streaming.E026"])]
)
def test_the_provider_of_titles_must_exist(alias, ids):
    found = messages(STREAMING_PROVIDERS={"default": SCRIPTED, "small": SCRIPTED}, STREAMING_TITLES=alias)
    assert [message.id for message in found] == ids
