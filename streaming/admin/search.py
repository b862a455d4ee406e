"""The search of the admin's lists.

    rain                    a word of a title or a text; of several words, each must be found
    "will it rain"          these words in this order
    owner:ada               the conversations of the account `ada`, by name or email
    owner:visitor           those of all visitors; owner:visitor:3f2a91c0: those of one visitor
    owner:code              those of the site's own code

On PostgreSQL a word is found by its beginning, in an index that a migration makes. Other databases find any piece of
text.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import BooleanField, Expression, F, Func, Q, QuerySet, Value
from django.utils.text import smart_split, unescape_string_literal

from streaming.models import Conversation, Message, OwnerKind

# These scripts have no spaces between words, so the index knows whole sentences only.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
MAX_WORDS = 30
"""The most words that a search has; those behind them do not count. SQLite refuses a statement with a thousand."""
OWNER = "owner:"
KINDS = (OwnerKind.VISITOR, OwnerKind.CODE)
"""The owners who have no name. Staff search for them by their keys."""


class Query(NamedTuple):
    """A search that staff typed: the terms that must all be found, and the owners of whom one must match."""

    terms: list[str]
    owners: list[str]


def parse(typed: str) -> Query:
    words = [_unquoted(word) for word in islice(smart_split(typed.replace("\0", " ")), MAX_WORDS)]
    owners = [_unquoted(word.removeprefix(OWNER)) for word in words if word.startswith(OWNER)]
    return Query([word for word in words if word and not word.startswith(OWNER)], [owner for owner in owners if owner])


def as_uuid(text: str) -> uuid.UUID | None:
    """Returns the id that a text is, or None."""
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def _unquoted(word: str) -> str:
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        return unescape_string_literal(word)
    return word


class HasWords(Func):
    """True for rows whose text has the words of a text query. The expression is that of PostgreSQL's index."""

    output_field = BooleanField()
    arg_joiner = ", 100000)) @@ to_tsquery('simple'::regconfig, "
    template = "(to_tsvector('simple'::regconfig, left(%(expressions)s))"


def text_condition(term: str, using: str) -> Q | Expression:
    """Returns the condition that a message's text has the term, on the database `using`."""
    words = [word for word in term.split() if re.search(r"\w", word)]
    if connections[using].vendor != "postgresql" or not words or UNSPACED.search(term):
        return Q(text__icontains=term)
    has_words = HasWords(F("text"), Value(" & ".join(map(_quoted, words))))
    # The index finds the words; comparing the texts is far quicker than PostgreSQL's own search for phrases.
    return Q(has_words, text__icontains=term) if len(words) > 1 else has_words


def _quoted(word: str) -> str:
    """The word in a PostgreSQL text query. The server splits it further; its end may be missing."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}':*"


def messages_with(term: str) -> QuerySet[Message]:
    messages = Message.objects.order_by()
    return messages.filter(text_condition(term, messages.db))


def titled(term: str) -> QuerySet[Conversation]:
    return Conversation.objects.order_by().filter(title__icontains=term)


def owned_by_any(owners: Iterable[str]) -> Q:
    """The condition that a conversation belongs to one of the owners, as staff name them."""
    condition = Q(pk__in=[])
    for owner in owners:
        condition |= _owned_by(owner)
    return condition


def _owned_by(owner: str) -> Q:
    kind, _, rest = owner.partition(":")
    if kind in KINDS:
        return Q(owner_key__startswith=f"{kind}:{rest}")
    return Q(owner_key=owner) | _named(owner)


def _named(name: str) -> Q:
    model = get_user_model()
    fields = {model.USERNAME_FIELD, model.get_email_field_name()} & {field.name for field in model._meta.fields}
    condition = Q(pk__in=[])
    for field in fields:
        condition |= Q(**{f"user__{field}": name})
    return condition


def either(*found: QuerySet[Any]) -> QuerySet[Any]:
    """Returns the values of all queries together. A union uses each query's index; an OR would read the whole table."""
    first, *others = found
    return first.union(*others) if others else first


def owners_named(typed: str) -> QuerySet[Conversation]:
    """The conversations of the account whose whole name or email was typed, without anything else."""
    return Conversation.objects.order_by().filter(_named(typed.strip()))
