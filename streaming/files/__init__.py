"""Files that people send: from their bytes to an attachment, and to the provider's request.

`kinds` finds what bytes are; `addresses` says how a part names an attachment; `attachments` stores files and gives them
to a message; `for_provider` puts their bytes into a request.
"""

from __future__ import annotations

from streaming.files.attachments import attach, forget_unsent, has_same_files, keep, kept
from streaming.files.for_provider import check_taken, with_files

__all__ = ["attach", "check_taken", "forget_unsent", "has_same_files", "keep", "kept", "with_files"]
