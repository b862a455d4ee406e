"""Intake: a submission is validated and stored exactly once, before any provider is called.

`read_submission` reads a client's JSON into a `Submission`, and `read_run_input` that of a client of AG-UI. `accept`
stores the message, the answer that will be written and its pending generation in one transaction, and returns what the
generation starts from. `select_branch` changes the path that is shown, `store_changes` and `delete_idle` a conversation
as a whole. `keep_opinion` stores what its owner thinks of an answer, and `store_share` a snapshot behind a link.
"""

from __future__ import annotations

from streaming.intake.accept import accept
from streaming.intake.branches import select_branch
from streaming.intake.changes import Changes, checked_changes, delete_idle, read_changes, store_changes
from streaming.intake.client_json import UNREADABLE, read_body, read_json
from streaming.intake.commands import read_command, request_id_if_any, request_id_of
from streaming.intake.feedback import checked_opinion, keep_opinion, read_opinion
from streaming.intake.opinion import Opinion
from streaming.intake.owned import find_conversation
from streaming.intake.parsing import read_stop, read_submission, submission_of
from streaming.intake.pending import Accepted, Sender, Start
from streaming.intake.queries import wants_html, wants_named_ids
from streaming.intake.run_input import RunInput, read_run_input
from streaming.intake.shares import (
    ShareOptions,
    checked_options,
    read_share_options,
    revoke_shares,
    shares_of,
    store_share,
)
from streaming.intake.submission import Submission, ToolAnswer

__all__ = [
    "UNREADABLE",
    "Accepted",
    "Changes",
    "Opinion",
    "RunInput",
    "Sender",
    "ShareOptions",
    "Start",
    "Submission",
    "ToolAnswer",
    "accept",
    "checked_changes",
    "checked_opinion",
    "checked_options",
    "delete_idle",
    "find_conversation",
    "keep_opinion",
    "read_body",
    "read_changes",
    "read_command",
    "read_json",
    "read_opinion",
    "read_run_input",
    "read_share_options",
    "read_stop",
    "read_submission",
    "request_id_if_any",
    "request_id_of",
    "revoke_shares",
    "select_branch",
    "shares_of",
    "store_changes",
    "store_share",
    "submission_of",
    "wants_html",
    "wants_named_ids",
]
