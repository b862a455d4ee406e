"""Dependents: the rows that are deleted with conversations. The database counts them; they are never loaded."""

from __future__ import annotations

from typing import Any

from django.db.models import CASCADE, PROTECT, RESTRICT, Model, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete
from django.utils.text import capfirst

from streaming.models import (
    Attachment,
    Conversation,
    Feedback,
    Generation,
    JournalEntry,
    Message,
    Review,
    Share,
    SideCall,
    Summary,
)

MAX_PROTECTED = 100
"""The most protected rows of one relation that the page names."""

DEPENDENTS: dict[type[Model], str] = {
    **dict.fromkeys((Message, Generation, SideCall, Summary, Attachment, Share), "conversation"),
    JournalEntry: "generation__conversation",
    **dict.fromkeys((Review, Feedback), "message__conversation"),
}
"""The models whose rows are deleted with a conversation -> the lookup of the conversation."""


class Dependents:
    """The rows that are deleted with the chosen conversations.

    `counts` has the numbers of these rows and of the conversations, by the plural names of their models. `protected`
    are rows of the site that forbid the deletion.
    """

    def __init__(self, chosen: QuerySet[Conversation]) -> None:
        self.counts: dict[str, int] = {}
        self.protected: list[str] = []
        self._count(chosen)
        for model, lookup in DEPENDENTS.items():
            rows = model._default_manager.order_by().filter(**{f"{lookup}__in": chosen})
            self._count(rows)
            self._follow_relations(rows, set())
        self._follow_relations(chosen, set())

    def _count(self, rows: QuerySet[Any]) -> None:
        if count := rows.count():
            name = str(rows.model._meta.verbose_name_plural)
            self.counts[name] = self.counts.get(name, 0) + count

    def _follow_relations(self, rows: QuerySet[Any], passed: set[Any]) -> None:
        """Counts rows of the site's own models that refer to these rows, and those that refer to them."""
        for relation in relations_of(rows.model):
            if relation.field in passed:
                continue
            everything = relation.related_model._base_manager.using(rows.db).order_by()
            found = everything.filter(**{f"{relation.field.name}__in": rows})
            if relation.on_delete in (PROTECT, RESTRICT):
                self.protected += map(_named, found[:MAX_PROTECTED])
            elif relation.on_delete is CASCADE:
                self._count(found)
                self._follow_relations(found, passed | {relation.field})


def relations_of(model: type[Model]) -> list[Any]:
    """Returns the relations by which rows of the site's own models refer to rows of a model."""
    found: Any = get_candidate_relations_to_delete(model._meta)
    return [one for one in found if one.related_model not in (Conversation, *DEPENDENTS)]


def _named(row: Model) -> str:
    return f"{capfirst(row._meta.verbose_name)}: {row}"
