"""Files that people send: they become attachments, and then go into the provider's request.

`kinds` finds the media type of bytes; `addresses` makes and reads the URLs of attachments; `attachments` stores files
and adds them to a message; `for_provider` puts their bytes into a request.
"""

from __future__ import annotations

from streaming.files.attachments import attach, forget_unsent, has_same_files, keep, kept
from streaming.files.for_provider import check_taken, with_files

__all__ = ["attach", "check_taken", "forget_unsent", "has_same_files", "keep", "kept", "with_files"]
