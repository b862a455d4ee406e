"""`DATABASE_URL` of the example site."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.database_url import SQLITE_OPTIONS, database_from


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///local.sqlite3", {"NAME": "local.sqlite3", "OPTIONS": SQLITE_OPTIONS}),
        ("sqlite:////srv/a%20b.sqlite3", {"NAME": "/srv/a b.sqlite3"}),
        (
            "postgres://ada:l%40ce@db.example:5433/chat?sslmode=require",
            {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "chat",
                "USER": "ada",
                "PASSWORD": "l@ce",
                "HOST": "db.example",
                "PORT": 5433,
                "OPTIONS": {"connect_timeout": 5, "tcp_user_timeout": 20_000, "sslmode": "require"},
            },
        ),
        ("postgresql:///chat", {"NAME": "chat", "USER": "", "HOST": "", "PORT": ""}),
    ],
)
def test_database_urls_are_read(url: str, expected: dict[str, Any]) -> None:
    database = database_from(url)
    assert database == database | expected


def test_an_unknown_database_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"'oracle', must be one of: mysql, postgres, postgresql, sqlite"):
        database_from("oracle://x/y")
