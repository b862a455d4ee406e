"""The check of the providers that stand in for others."""

from __future__ import annotations

import pytest
from django.core.checks import Error

from streaming.checks.fallback import EXAMPLE
from tests.checks import SCRIPTED, messages


@pytest.mark.parametrize(
    ("fallback", "fault", "hint"),
    [
        ([], "it must be a list of aliases, one or more.", EXAMPLE),
        ("other", "it must be a list of aliases, one or more.", EXAMPLE),
        (None, "it must be a list of aliases, one or more.", EXAMPLE),
        (["other", 7], "it must be a list of aliases, one or more.", EXAMPLE),
        (["default"], "it names the provider itself.", "Remove it: the provider is asked first anyway."),
        (["othr"], "there is no provider 'othr'.", "Did you mean 'other'?"),
        (["other", "other"], "it names 'other' twice.", "Remove the second one: each provider is asked once in turn."),
    ],
)
def test_fallback_names_other_providers(fallback, fault, hint):
    providers = {"default": {**SCRIPTED, "FALLBACK": fallback}, "other": SCRIPTED}
    text = f"STREAMING_PROVIDERS['default'] has a wrong FALLBACK: {fault}"
    assert messages(STREAMING_PROVIDERS=providers) == [Error(text, hint=hint, id="streaming.E016")]


def test_two_providers_may_stand_in_for_each_other():
    one, other = {**SCRIPTED, "FALLBACK": ["other"]}, {**SCRIPTED, "FALLBACK": ("default",)}
    assert messages(STREAMING_PROVIDERS={"default": one, "other": other}) == []
