"""The public signals. Their sender is the class `Generation`."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger(__name__)


class _Signal(Signal):
    """A signal that logs a failed receiver without the exception's text, which may have words of the conversation."""

    def _log_robust_failure(self, receiver: Any, err: Exception) -> None:
        logger.error("The receiver %s failed (%s).", getattr(receiver, "__qualname__", receiver), type(err).__name__)


generation_started = _Signal()
"""An answer has been accepted and stored, and its process begins to write it. Receivers get `generation`."""

generation_settled = _Signal()
"""An answer has ended, in whatever way, and is stored. Receivers get `generation`. It is sent once for each generation.

The process that stores the end sends it: the one that wrote the answer, or another one that found its process dead.
"""

tool_called = _Signal()
"""This site has executed a tool call. Receivers get `generation`, the `call` and its `result`."""
