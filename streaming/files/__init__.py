"""Files that people send: from the bytes that came, to an attachment, to the provider's request.

`kinds` tells what bytes are; `addresses` how a part names an attachment; `keeping` takes them in and gives them to a
message; `sending` puts their bytes into a request.
"""

from __future__ import annotations

from streaming.files.keeping import attach, forget_unsent, has_same_files, keep, kept
from streaming.files.sending import check_taken, with_files

__all__ = ["attach", "check_taken", "forget_unsent", "has_same_files", "keep", "kept", "with_files"]
