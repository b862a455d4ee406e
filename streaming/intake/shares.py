"""Makes snapshots of conversations for others to read, lists them and revokes them."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _

from streaming.conf import settings
from streaming.database import alone, retry_on_deadlock
from streaming.errors import BadRequest, Conflict, NotFound, TooManyRequests
from streaming.files.addresses import id_of
from streaming.intake.client_json import read_body
from streaming.intake.limits import DAY_SECONDS
from streaming.intake.owned import find_conversation, locked
from streaming.models import (
    Conversation,
    History,
    Message,
    Owner,
    RevokedLink,
    Share,
    contributions,
    parts_of,
)
from streaming.models.messages import storable_json
from streaming.models.shares import digest_of, new_token
from streaming.protocol import (
    FilePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    dump_parts,
)

MAX_SHARES_PER_OWNER = 50
"""The links that one owner may have at once. Each holds a copy of a conversation."""
MAX_SHARES_PER_HOUR = 30
"""The links that one owner may make within an hour, as far as they have not been revoked."""
MAX_SHARE_DAYS = 3650
HOUR = datetime.timedelta(hours=1)


class ShareOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is shared beside the text, and for how many days; None means without an end. Other keys are ignored."""

    reasoning: bool = False
    tools: bool = False
    files: bool = False
    days: int | None = None


def read_share_options(body: bytes) -> ShareOptions:
    """Reads a body such as `{"days": 30, "reasoning": false, "tools": false, "files": false}`. It may be empty.

    Raises:
        BadRequest: it is not such JSON, or the number of days is not allowed.
    """
    example = '{"days": 30, "reasoning": false, "tools": false, "files": false}'
    return checked_options(read_body(ShareOptions, body or b"{}", example))


def checked_options(options: ShareOptions) -> ShareOptions:
    """Returns the options with the site's own limit of days, `STREAMING_SHARE_DAYS`.

    Raises:
        BadRequest: the number of days is not allowed.
    """
    most = settings.SHARE_DAYS or MAX_SHARE_DAYS
    if options.days is not None and not 1 <= options.days <= most:
        raise BadRequest(_("A shared link ends after 1 to %(limit)d days.") % {"limit": most})
    return msgspec.structs.replace(options, days=options.days or settings.SHARE_DAYS)


@retry_on_deadlock
def store_share(owner: Owner, key: str, options: ShareOptions, token: str = "") -> tuple[Share, str]:
    """Stores a snapshot of the path that is shown, without an answer that is being written. Returns it and its token.

    A form brings the `token` of its link, so a form that is sent again makes no second link, and does not bring a
    revoked one back.

    Raises:
        Conflict: there is nothing to share yet, or the link of the form has been revoked.
        NotFound: there is no such conversation of the owner's.
        TooManyRequests: the owner has too many links, or has made too many in a short time.
    """
    with alone(owner.key):
        conversation = locked(owner, key)
        if token and (made := Share.objects.filter(conversation=conversation, digest=digest_of(token)).first()):
            return made, token
        if token and RevokedLink.objects.filter(digest=digest_of(token)).exists():
            raise Conflict(_("The link of this form has been revoked. Send the form below to make another one."))
        token = token or new_token()
        _check_number(owner)
        entries = snapshot(conversation, options)
        if not entries:
            raise Conflict(_("There is nothing to share in this conversation yet."))
        stored = Share.objects.create(
            conversation=conversation,
            digest=digest_of(token),
            title=conversation.title,
            messages=storable_json(entries),
            with_reasoning=options.reasoning,
            with_tools=options.tools,
            with_files=options.files,
            expires_at=timezone.now() + datetime.timedelta(days=options.days) if options.days else None,
        )
    return stored, token


def shares_of(owner: Owner, key: str) -> list[Share]:
    """Returns the live shares of a conversation, the newest first, without their content.

    Raises:
        NotFound: there is no such conversation of the owner's.
    """
    return list(Share.objects.live().filter(conversation=find_conversation(owner, key)).defer("messages"))


def revoke_shares(owner: Owner, key: str, share_id: uuid.UUID | None = None) -> None:
    """Deletes one share of a conversation, or all of them. Their links lead nowhere from then on.

    Raises:
        NotFound: there is no such conversation of the owner's, or no such share of it.
    """
    chosen = Share.objects.filter(conversation=find_conversation(owner, key))
    deleted = (chosen if share_id is None else chosen.filter(pk=share_id)).revoke()
    if share_id is not None and not deleted:
        raise NotFound(_("There is no such shared link."))


def _check_number(owner: Owner) -> None:
    owned = Share.objects.filter(conversation__owner_key=owner.key)
    if owned.live().count() >= MAX_SHARES_PER_OWNER:
        told = _("You have %(limit)d shared links, as many as one may have. Revoke one that you do not need.")
        raise TooManyRequests(told % {"limit": MAX_SHARES_PER_OWNER}, retry_after=DAY_SECONDS)
    if owned.filter(created_at__gt=timezone.now() - HOUR).count() >= MAX_SHARES_PER_HOUR:
        raise TooManyRequests(_("You have made many shared links lately. Wait a while."), retry_after=60)


def snapshot(conversation: Conversation, options: ShareOptions) -> list[dict[str, Any]]:
    """Returns the messages of the path that is shown, each with its role, its time, its parts and how it ended."""
    history = History.read(conversation)
    grouped = contributions(history.path(history.leaf))
    entries = [_entry(rows, options) for rows in grouped if not rows[-1].is_being_written]
    return [entry for entry in entries if entry["parts"] or entry.get("error")]


def _entry(rows: list[Message], options: ShareOptions) -> dict[str, Any]:
    generation = rows[-1].generation_if_any
    ended = (
        {}
        if generation is None
        else {"status": generation.status, "reason": generation.finish_reason, "error": generation.error_code}
    )
    parts = dump_parts(shared_parts(parts_of(rows), options))
    return {"role": rows[0].role, "at": rows[0].created_at.isoformat(), "parts": parts, **ended}


def shared_parts(parts: tuple[Part, ...], options: ShareOptions) -> tuple[Part, ...]:
    """Returns what the owner chose to share of the parts. Each is made anew, without what only a provider reads.

    A tool call without a result is left out: it waits for somebody, or was never made. Approvals are left out, because
    their reasons were written for the model, and so are blocks that nobody can show.
    """
    results = {part.call_id for part in parts if isinstance(part, ToolResult)}
    shared: list[Part] = []
    for part in parts:
        keep = KEPT.get(type(part))
        kept = keep(part, options) if keep else None
        if kept is not None and not (isinstance(kept, ToolCall) and kept.id not in results):
            shared.append(kept)
    return tuple(shared)


def _call(part: ToolCall, options: ShareOptions) -> Part | None:
    return msgspec.structs.replace(part, raw=None, origin=None) if options.tools else None


def _reasoning(part: ReasoningPart, options: ShareOptions) -> Part | None:
    is_shared = options.reasoning and part.text
    return ReasoningPart(text=part.text, duration_ms=part.duration_ms) if is_shared else None


def _file(part: FilePart, options: ShareOptions) -> Part | None:
    """A file that the site stores keeps its address; any other is only named."""
    url = part.url if id_of(part) else ""
    return FilePart(media_type=part.media_type, url=url, filename=part.filename) if options.files else None


KEPT: dict[type, Callable[..., Part | None]] = {
    TextPart: lambda part, options: TextPart(text=part.text) if part.text else None,
    RefusalPart: lambda part, options: RefusalPart(text=part.text),
    ReasoningPart: _reasoning,
    ToolCall: _call,
    ToolResult: _call,
    FilePart: _file,
}
"""The kind of a part -> what is shared of it, None for nothing. A kind that is not here is never shared."""
