"""A conversation as staff read it: one path through its tree, with the other versions of each message one click away.

`versions` finds the path and the versions, `blocks` turns parts into what the templates show, `figures` has the line of
figures below an answer, `sent` says what the model was sent, and `render` puts them together. The templates are in
`streaming/admin/`.
"""

from __future__ import annotations

from streaming.admin.transcript.blocks import pretty
from streaming.admin.transcript.render import render_conversation, render_message
from streaming.admin.transcript.sent import words_of

__all__ = ["pretty", "render_conversation", "render_message", "words_of"]
