"""The addresses of the chat pages. They take forms and give HTML, and work without JavaScript."""

from __future__ import annotations

from typing import Any

from docs.reference.operation import HTML, Answer, Errors, Methods, Operation, Query
from streaming.errors import (
    BadRequest,
    Conflict,
    NotAsync,
    NotFound,
    OverBudget,
    Overloaded,
    SiteFault,
    TooLarge,
    TooManyRequests,
    UnsupportedFile,
)

TROUBLE: Errors = (SiteFault, Overloaded)
"""The refusals that every page can give. A visitor who must sign in is redirected instead."""
PAGE = Answer("The page.", media=(HTML,))
SIGN_IN = Answer("Sign in first: the address of the login page.")
SEE = Answer("Done: the address of the page to show.")
LIST_QUERIES = (
    Query("q", "Words that conversations of the list must have."),
    Query("page", "The page of the list."),
    Query("options", "The id of a conversation of the list: shows what one can do to it."),
)
MESSAGE_QUERIES = (
    Query("from", "The id of a message: shows everything from that message on."),
    Query("before", "The id of a message: shows the messages before that message."),
    Query("edit", "The id of a question: shows the form that edits it."),
    Query("comment", "The id of an answer: shows the form with the comment on it."),
)
TEXT_FIELD = {"type": "string"}


def _page(meaning: str, *errors: Any, queries: tuple[Query, ...] = ()) -> Methods:
    queries = (*LIST_QUERIES, *queries)
    return {"GET": Operation(meaning, {200: PAGE, 302: SIGN_IN}, queries=queries, errors=errors, always=TROUBLE)}


def _form(meaning: str, fields: str, *errors: Any) -> Methods:
    form = dict.fromkeys(fields.split(), TEXT_FIELD)
    return {"POST": Operation(meaning, {302: SIGN_IN, 303: SEE}, form=form, errors=errors, always=TROUBLE)}


FORMS: dict[str, Methods] = {
    "conversation_list": _page("Show the list of conversations, and the composer of a new one."),
    "conversation": _page("Show a conversation beside the list.", NotFound, queries=MESSAGE_QUERIES),
    "send": _form(
        "Send a message. If it is refused, the page shows the reason and keeps the message.",
        "prompt provider client_id edited kept suggestion continue regenerate decide",
        *(BadRequest, NotFound, Conflict, TooLarge, UnsupportedFile, TooManyRequests, OverBudget, NotAsync),
    ),
    "change": _form("Rename, pin or delete a conversation.", "change title", BadRequest, NotFound, Conflict),
    "shares": {
        "GET": Operation(
            "Show the shared links of a conversation.", {200: PAGE, 302: SIGN_IN}, errors=(NotFound,), always=TROUBLE
        ),
        "POST": Operation(
            "Make or revoke a shared link. The page shows a new one, only this once.",
            {200: PAGE, 302: SIGN_IN},
            form=dict.fromkeys(["days", "reasoning", "tools", "files", "revoke"], TEXT_FIELD),
            errors=(BadRequest, NotFound, Conflict, TooManyRequests),
            always=TROUBLE,
        ),
    },
    "shared": {
        "GET": Operation(
            "Show a shared conversation. Whoever has the link may read it.",
            {200: PAGE},
            errors=(NotFound, NotAsync),
            always=TROUBLE,
        )
    },
    "delete_all": _form("Delete all conversations.", "confirm", BadRequest),
    "stop": _form("Stop the answer.", ""),
    "branch": _form("Show another version of a message.", "branch prompt", NotFound, Conflict),
    "feedback": _form("Store or remove a thumb.", "message thumb comment", NotFound, Conflict, TooLarge),
}
"""The fields of `send` for decisions about tool calls have the call's id in their name, so they are not listed."""
