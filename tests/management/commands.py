"""Runs the commands in the tests."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.management import call_command


def run(name: str, *arguments: str, **options: Any) -> tuple[str, str]:
    """Runs a command and returns what it wrote to standard output and to standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(name, *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def result_of(name: str, *arguments: str) -> Any:
    """Runs a command with `--json` and returns its result."""
    return json.loads(run(name, *arguments, "--json")[0])
