"""The number of SQL statements for an answer does not depend on the number of its tokens."""

from __future__ import annotations

import re
from typing import Any

from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"sql": {"format": "SQL %(message)s"}},
    "handlers": {"sql": {"class": "logging.StreamHandler", "formatter": "sql"}},
    "loggers": {"django.db.backends": {"level": "DEBUG", "handlers": ["sql"], "propagate": False}},
}
# The session, two transactions (4), and the rows (9). The session of a user who has signed in takes one more.
MOST_STATEMENTS = 14


async def test_statements_do_not_grow_with_tokens(start_site: StartSite, visit: Visit) -> None:
    # No tick happens during the answer, because ticks come at intervals.
    site = start_site("uvicorn", LOGGING=LOGGING, STREAMING_TICK_SECONDS=60, STREAMING_LEASE_SECONDS=120)
    visitor = await visit(site).greet()
    few = await _statements(visitor, "words-20", 20)
    many = await _statements(visitor, "words-2000", 2000)
    assert len(many) == len(few), "\n".join(many)
    assert 0 < len(few) <= MOST_STATEMENTS, "\n".join(few)


async def _statements(visitor: Visitor, provider: str, tokens: int) -> list[str]:
    """The statements of one question in a new conversation."""
    visitor.key = f"{provider}-key"
    before = len(visitor.site.log())
    stream = await (await visitor.ask("Hello?", provider)).whole()
    assert stream.types.count("text-delta") == tokens
    return re.findall(r"^SQL .*", visitor.site.log()[before:], re.MULTILINE)
