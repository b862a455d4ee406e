"""The check of the function that hides content."""

from __future__ import annotations

import pytest
from django.core.checks import Error

from streaming.checks.redaction import HINT
from tests.checks import messages


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("tests.no_such_module.redact", "which cannot be imported: No module named 'tests.no_such_module'."),
        (
            "tests.checks.no_such_name",
            'which cannot be imported: Module "tests.checks" does not define a "no_such_name" attribute/class.',
        ),
        ("tests.settings.DEBUG", "which is not a function."),
    ],
)
def test_function_that_cannot_be_called_is_an_error(path, problem):
    [found] = messages(STREAMING_REDACT=path)
    assert found == Error(f"STREAMING_REDACT names {path!r}, {problem}", hint=HINT, id="streaming.E064")


def test_function_that_can_be_called_is_fine():
    assert messages(STREAMING_REDACT="tests.checks.messages") == []
