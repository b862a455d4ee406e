"""The owner of a conversation: a signed-in user, a visitor with a random token in the session, or the site's code."""

from __future__ import annotations

from typing import Any, NamedTuple

USER_PREFIX = "user:"
VISITOR_PREFIX = "visitor:"
CODE_PREFIX = "code:"


class Owner(NamedTuple):
    """One owner. Rows store `key`; `user_id` is the user's primary key, None for a visitor and for code."""

    key: str
    user_id: Any = None

    @classmethod
    def of_user(cls, user_id: Any) -> Owner:
        return cls(f"{USER_PREFIX}{user_id}", user_id)

    @classmethod
    def of_visitor(cls, token: str) -> Owner:
        return cls(f"{VISITOR_PREFIX}{token}")

    @classmethod
    def of_code(cls, job: str = "") -> Owner:
        """The site's own code. Each job may be an owner of its own, with limits and budgets of its own."""
        return cls(f"{CODE_PREFIX}{job}")

    @property
    def is_user(self) -> bool:
        """True for a user of the site."""
        return self.key.startswith(USER_PREFIX)

    @property
    def is_visitor(self) -> bool:
        """True for somebody who is not signed in. The site's own code may be an owner, too."""
        return self.key.startswith(VISITOR_PREFIX)
