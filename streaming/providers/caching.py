"""The key that tells conversations apart for a vendor's prompt cache."""

from __future__ import annotations

import uuid

from django.utils.crypto import salted_hmac

KEY_CHARS = 32
"""The length of a key. OpenAI takes 64 characters."""


def cache_key_of(conversation_id: uuid.UUID) -> str:
    """Returns the key of a conversation: a hash with the site's `SECRET_KEY`, so that the vendor learns no id."""
    digest = salted_hmac("streaming.prompt_cache", str(conversation_id), algorithm="sha256").hexdigest()
    return digest[:KEY_CHARS]
