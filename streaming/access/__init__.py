"""The checks of who may ask: owners, origins, sessions, open streams and rates.

`owner_of` returns the owner of a request. `refuse_cross_site` refuses requests from other sites, `refuse_sync` those
through WSGI. `handshake_in` reads a WebSocket's handshake as a request, and `language_of` chooses its language.
`SessionCheck` checks later if the reader of a long stream is still signed in. `open_streams` counts what is open in
this process, `TokenBucket` limits a rate, and `current_admission` gives a crowd its turns. `redacted` hides
what the site wants hidden from staff and exports. `adopt_at_sign_in` gives a visitor's conversations to the user that
the visitor becomes.
"""

from __future__ import annotations

from streaming.access.admission import Place, current_admission
from streaming.access.handshakes import handshake_in, language_of
from streaming.access.open_streams import OpenStreams, open_everywhere, open_streams
from streaming.access.origins import refuse_cross_site, refuse_cross_site_socket
from streaming.access.owners import login_address, may_chat, owner_in_scope, owner_of, remember
from streaming.access.redaction import is_redacting, redacted, redacted_text, redactor
from streaming.access.sessions import SessionCheck
from streaming.access.token_bucket import TokenBucket
from streaming.access.visitors import VISITOR_KEY, adopt_at_sign_in
from streaming.access.wsgi import refuse_sync

__all__ = [
    "VISITOR_KEY",
    "OpenStreams",
    "Place",
    "SessionCheck",
    "TokenBucket",
    "adopt_at_sign_in",
    "current_admission",
    "handshake_in",
    "is_redacting",
    "language_of",
    "login_address",
    "may_chat",
    "open_everywhere",
    "open_streams",
    "owner_in_scope",
    "owner_of",
    "redacted",
    "redacted_text",
    "redactor",
    "refuse_cross_site",
    "refuse_cross_site_socket",
    "refuse_sync",
    "remember",
]
