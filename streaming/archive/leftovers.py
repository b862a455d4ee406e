"""Leftovers: rows that no longer have a use.

Each function deletes them, and yields how many each transaction deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from streaming.database import deletions
from streaming.models import LedgerEntry, RevokedLink, Share
from streaming.models.shares import FORM_SECONDS

SHARES_PER_DELETION = 20
ROWS_PER_DELETION = 1_000


def forget_expired_shares() -> Iterator[int]:
    """Deletes shared links that have expired, with their snapshots."""
    return deletions(Share.objects.expired(), SHARES_PER_DELETION)


def forget_revoked_links() -> Iterator[int]:
    """Deletes the digests of links that were revoked long ago."""
    return deletions(RevokedLink.objects.older_than(2 * FORM_SECONDS), ROWS_PER_DELETION)


def forget_old_entries() -> Iterator[int]:
    """Deletes entries of the ledger that no limit counts any more."""
    return deletions(LedgerEntry.objects.outdated(), ROWS_PER_DELETION)
