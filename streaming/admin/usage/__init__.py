"""The usage page: what was asked of models, what it cost in tokens and time, and how often it failed.

`figures` computes everything in the database, `chart` draws it, and `page` shows it, also as CSV.
"""

from __future__ import annotations

from streaming.admin.usage.page import UsagePage

__all__ = ["UsagePage"]
