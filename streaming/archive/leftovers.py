"""Leftovers: rows that no longer have a use. Functions delete some at a time, so that nobody waits for the database."""

from __future__ import annotations

from streaming.database import delete_each
from streaming.models import LedgerEntry, RevokedLink, Share
from streaming.models.shares import FORM_SECONDS

SHARES_PER_DELETION = 20
ENTRIES_PER_DELETION = 1_000


def forget_expired_shares() -> int:
    """Deletes some shared links that have expired, with their snapshots. Returns 0 if there are none left."""
    without_content = Share.objects.expired().defer("messages")  # a snapshot may have megabytes
    return delete_each(without_content, SHARES_PER_DELETION)


def forget_revoked_links() -> int:
    """Deletes the digests of links that were revoked long ago. Returns how many."""
    return RevokedLink.objects.older_than(2 * FORM_SECONDS).delete()[0]


def forget_old_entries() -> int:
    """Deletes some entries of the ledger that no limit counts any more. Returns 0 if there are none left."""
    old = list(LedgerEntry.objects.outdated().values_list("pk", flat=True)[:ENTRIES_PER_DELETION])
    return LedgerEntry.objects.filter(pk__in=old).delete()[0] if old else 0
