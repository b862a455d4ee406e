"""The owner of a conversation: a signed-in user, a visitor with a random token in the session, or the site's code."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

MAX_OWNER_CHARS = 128
"""The longest key of an owner."""


class OwnerKind(StrEnum):
    """What an owner is."""

    USER = "user"
    VISITOR = "visitor"
    CODE = "code"

    @property
    def prefix(self) -> str:
        """The beginning of the key of such an owner."""
        return f"{self.value}:"


class Owner(NamedTuple):
    """One owner. Rows store `key`; `user_id` is the user's primary key, None for a visitor and for code."""

    key: str
    user_id: Any = None

    @classmethod
    def of_user(cls, user_id: Any) -> Owner:
        return cls(f"{OwnerKind.USER.prefix}{user_id}", user_id)

    @classmethod
    def of_visitor(cls, token: str) -> Owner:
        return cls(f"{OwnerKind.VISITOR.prefix}{token}")

    @classmethod
    def of_code(cls, job: str = "") -> Owner:
        """The site's own code. Each job may be an owner of its own, with limits and budgets of its own."""
        return cls(f"{OwnerKind.CODE.prefix}{job}")

    @property
    def is_user(self) -> bool:
        """True for a user of the site."""
        return self.key.startswith(OwnerKind.USER.prefix)

    @property
    def is_visitor(self) -> bool:
        """True for somebody who is not signed in."""
        return self.key.startswith(OwnerKind.VISITOR.prefix)
