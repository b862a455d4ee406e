"""The fields of a message that go back with a reasoning part on the next turn, as the provider sent them."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

JSONObject = dict[str, Any]

GROWING = frozenset({"text", "thinking", "summary", "data"})
"""The fields of a detail that arrive in pieces."""

SECRETS = frozenset({"data", "signature"})
"""The fields for which a detail has to go back. Without them the provider needs no detail back."""

RETURNED_TEXT = frozenset({"reasoning_content", "reasoning_text"})
"""The fields of reasoning text that some providers want back: DeepSeek and Moonshot, Copilot."""


class Detail:
    """One reasoning detail, from its pieces."""

    def __init__(self) -> None:
        self._fields: JSONObject = {}
        self._growing: dict[str, StringIO] = {}

    def add(self, piece: JSONObject) -> None:
        for key, value in piece.items():
            if key in GROWING and isinstance(value, str):
                self._grow(self._growing.setdefault(key, StringIO()), value)
            elif value is not None or key not in self._fields:
                self._fields[key] = value

    def _grow(self, text: StringIO, piece: str) -> None:
        is_repeated = len(piece) == text.tell() and piece == text.getvalue()
        if not is_repeated:
            text.write(piece)

    def is_of(self, piece: JSONObject) -> bool:
        """Returns False for a piece of another detail at the same place (Gemini: one for each call)."""
        ids = self._fields.get("id"), piece.get("id")
        return None in ids or ids[0] == ids[1]

    def whole(self) -> JSONObject:
        return self._fields | {key: text.getvalue() for key, text in self._growing.items()}


class ReturnedFields:
    """Collects what goes back with one reasoning part. `reserve` counts each detail, because it takes memory."""

    def __init__(self, reserve: Callable[[], None]) -> None:
        self._reserve = reserve
        self._field = ""
        self._details: dict[str, list[Detail]] = {}
        self._open: dict[tuple[str, str, str], Detail] = {}
        self._has_secrets = False
        self._opaque: list[str] = []

    def note_text(self, field: str) -> None:
        """Notes the field in which the reasoning text came."""
        if not self._field and field in RETURNED_TEXT:
            self._field = field

    def add_details(self, field: str, pieces: list[JSONObject]) -> None:
        """Adds pieces of details. Pieces with the same type, index and id are one detail."""
        for piece in pieces:
            place = field, str(piece.get("type")), str(piece.get("index"))
            detail = self._open.get(place)
            if detail is None or not detail.is_of(piece):
                self._reserve()
                detail = self._open[place] = Detail()
                self._details.setdefault(field, []).append(detail)
            detail.add(piece)
            self._has_secrets = self._has_secrets or any(piece.get(key) for key in SECRETS)

    def add_opaque(self, piece: str) -> None:
        self._opaque.append(piece)

    @property
    def must_go_back(self) -> bool:
        """True if something goes back that is not only the name of a field."""
        return self._has_secrets or bool(self._opaque)

    def collect(self, *, has_text: bool) -> JSONObject:
        """Returns what goes back. `has_text` is True if the part has text.

        `field` is the name of the field that has the text. All other keys are fields of the message.
        """
        fields: JSONObject = {"field": self._field} if has_text and self._field else {}
        if self._has_secrets:
            fields |= {field: [each.whole() for each in details] for field, details in self._details.items()}
        if self._opaque:
            fields["reasoning_opaque"] = "".join(self._opaque)
        return fields
