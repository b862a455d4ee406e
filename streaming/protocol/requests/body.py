"""The JSON body of a request, in any dialect."""

from __future__ import annotations

from typing import Any

SHARED = ("text", "output_config")
"""The fields of a body that hold the schema beside other settings, for example the verbosity."""


def with_extra(fields: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """Returns the body: the fields that are not None, and then `extra`. It may add to `SHARED` fields."""
    body = {key: value for key, value in fields.items() if value is not None}
    added = {key: body[key] | extra[key] for key in SHARED if key in body and isinstance(extra.get(key), dict)}
    return body | extra | added
