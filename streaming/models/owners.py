"""Whose a conversation is: a signed-in user's, or a visitor's, known by a random token kept in the session."""

from __future__ import annotations

from typing import Any, NamedTuple


class Owner(NamedTuple):
    """`key` is what rows are compared by, `user_id` the primary key of the user if there is one."""

    key: str
    user_id: Any = None

    @classmethod
    def of_user(cls, user_id: Any) -> Owner:
        return cls(f"user:{user_id}", user_id)

    @classmethod
    def of_visitor(cls, token: str) -> Owner:
        return cls(f"visitor:{token}")
