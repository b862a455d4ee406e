"""The number of SQL statements for an answer does not depend on the number of its tokens."""

from __future__ import annotations

import re
from typing import Any

from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.servers import Site

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"sql": {"format": "SQL %(message)s"}},
    "handlers": {"sql": {"class": "logging.StreamHandler", "formatter": "sql"}},
    "loggers": {"django.db.backends": {"level": "DEBUG", "handlers": ["sql"], "propagate": False}},
}
# The session, and the rows (9). A user who has signed in takes one more for the session, and a visitor one more for a
# new conversation. BEGIN and COMMIT are not counted; there are two of each.
MOST_STATEMENTS = 12


async def test_statements_do_not_grow_with_tokens(start_site: StartSite, visit: Visit) -> None:
    # No tick happens during the answer, because ticks come at intervals.
    site = start_site("uvicorn", LOGGING=LOGGING, STREAMING_TICK_SECONDS=60, STREAMING_LEASE_SECONDS=120)
    visitor = await visit(site).greet()
    few = await _statements(visitor, "words-20", 20)
    many = await _statements(visitor, "words-2000", 2000)
    assert len(many) == len(few), "\n".join(many)
    assert 9 < len(few) <= MOST_STATEMENTS, "\n".join(few)


async def test_follow_up_takes_no_more_statements_than_a_first_message(start_site: StartSite, visit: Visit) -> None:
    site = start_site("uvicorn", LOGGING=LOGGING, STREAMING_TICK_SECONDS=60, STREAMING_LEASE_SECONDS=120)
    visitor = await visit(site).greet()
    first = await _statements(visitor, "words-20", 20)
    second = await _statements(visitor, "words-20", 20)
    assert len(second) == len(first) - 1, "\n".join(second)


async def test_resume_takes_few_statements(start_site: StartSite, visit: Visit) -> None:
    """The session, and the newest generation with its conversation. The frames are in memory."""
    site = start_site("uvicorn", LOGGING=LOGGING, STREAMING_TICK_SECONDS=60, STREAMING_LEASE_SECONDS=120)
    visitor = await visit(site).greet()
    await (await visitor.ask("Hello?", "slow")).until("text-delta")
    before = len(site.log())
    await (await visitor.follow()).until("text-delta", 3)
    statements = _logged(site, before)
    await visitor.stop()
    assert len(statements) <= 3, "\n".join(statements)


async def _statements(visitor: Visitor, provider: str, tokens: int) -> list[str]:
    """The statements of one question in the conversation of its own that each provider has."""
    visitor.key = f"{provider}-key"
    before = len(visitor.site.log())
    stream = await (await visitor.ask("Hello?", provider)).whole()
    assert stream.types.count("text-delta") == tokens
    return _logged(visitor.site, before)


def _logged(site: Site, before: int) -> list[str]:
    return re.findall(r"^SQL \S+ (?!BEGIN|COMMIT).*", site.log()[before:], re.MULTILINE)
