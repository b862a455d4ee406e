"""Redacts what is exported, as the admin redacts what it shows."""

from __future__ import annotations

from streaming.access import is_redacting, redacted, redacted_text
from streaming.archive import Bundle
from streaming.models import Attachment, Message, Summary
from streaming.protocol import FilePart


def redacted_bundle(bundle: Bundle) -> Bundle:
    """Returns a conversation as `STREAMING_REDACT` lets it be seen. Files that are left out of a message go, too.

    The rows are changed in memory, and must not be saved.
    """
    if not is_redacting():
        return bundle
    bundle.conversation.title = redacted_text(bundle.conversation.title)
    messages: list[Message] = bundle.rows["message"]
    for message in messages:
        message.set_parts(redacted(message.typed_parts))
    summaries: list[Summary] = bundle.rows["summary"]
    for summary in summaries:
        summary.text = redacted_text(summary.text)
    shown = {part.url for message in messages for part in message.typed_parts if isinstance(part, FilePart)}
    files: list[Attachment] = [one for one in bundle.rows["attachment"] if f"attachment:{one.pk}" in shown]
    return bundle._replace(rows=bundle.rows | {"attachment": files})
