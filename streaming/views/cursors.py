"""The cursor of a client: the number of its last frame, and the answer that it belongs to."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.http import HttpRequest

from streaming.errors import BadRequest

UNKNOWN_CURSOR = "The cursor must be the id of the last event received."
CURSOR = re.compile(r"(\d{1,10})(?:-([0-9a-f]{8}))?", re.ASCII)


class Cursor(NamedTuple):
    """`tag` is the beginning of the generation's id, empty if the client did not ask for ids that name their answer."""

    seq: int
    tag: str = ""


def cursor_in(request: HttpRequest) -> Cursor | None:
    """Returns the client's cursor, from `Last-Event-ID` or `?after=`; None if there is neither.

    The header wins because it is newer: an EventSource reconnects to the address that it was opened with.

    Raises:
        BadRequest: no event has such an id.
    """
    given = request.headers.get("Last-Event-ID") or request.GET.get("after") or ""
    if not given:
        return None
    if not (found := CURSOR.fullmatch(given)):
        raise BadRequest(UNKNOWN_CURSOR)
    return Cursor(int(found[1]), found[2] or "")
