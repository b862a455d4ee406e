"""The base of all admin classes. The app writes the rows, so nobody adds, changes or deletes them in the admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import Media, Script
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from streaming.admin.changelist import CappedPaginator, ContentChangeList
from streaming.admin.permissions import May, Staff, may_read, needed_for
from streaming.admin.search import as_uuid, owned_by_any, owners_named, parse
from streaming.admin.unavailable import tolerant
from streaming.models import Action, Conversation, StaffAccess

MAX_FOUND = 1000
"""The most rows that a search finds, the newest: twenty pages. Whoever needs more adds a word or a filter."""

ModelT = TypeVar("ModelT", bound=models.Model)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
else:
    # Django's class takes a type argument only for type checkers.
    class ModelAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, item: object) -> type[admin.ModelAdmin]:
            return cls


class ViewOnlyAdmin(ModelAdmin[ModelT]):
    """An admin with Django's `view` permission. It refuses adding, changing and deleting to everybody."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # it would count the whole table once for each value of each filter
    paginator = CappedPaginator

    @property
    def media(self) -> Media:
        scripts: Any = [Script(f"streaming/admin/{name}.js", type="module") for name in ("review", "watch")]
        return super().media + Media(css={"all": ["streaming/markdown.css", "streaming/admin.css"]}, js=scripts)

    @property
    def urls(self) -> list[URLPattern]:
        """The addresses of all pages. While the database cannot answer, they say so."""
        return [tolerant(pattern) for pattern in self.get_urls()]

    def has_view_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        """Asks only for `view`. In Django, staff who may change a row may also see it, but nobody changes these."""
        return request.user.has_perm(f"{self.opts.app_label}.view_{self.opts.model_name}")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False


class ReadOnlyAdmin(ViewOnlyAdmin[ModelT]):
    """The admin of rows with content. Each look at content is logged.

    `to_conversation` is the lookup of a row's conversation. `private_columns` are columns with content, each with the
    column that others see in its place. `search_fields` only makes Django show the search box.
    """

    to_conversation: str
    private_columns: dict[str, str] = {}
    shows_content = True
    change_list_template = "streaming/admin/change_list.html"

    def having(self, rows: QuerySet[ModelT], term: str, *, reads_content: bool) -> QuerySet[ModelT]:
        """Returns the rows that have the term. Content is searched only with `reads_content`."""
        raise NotImplementedError

    def add_content(self, rows: Sequence[Any], terms: Sequence[str]) -> None:
        """Adds what the columns show of content to the rows of one page. Only staff who may read content get it."""

    def desk_links(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """Returns the links above the list: pairs of a text and an address."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"desk_links": self.desk_links(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ContentChangeList]:
        return ContentChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return columns if may_read(request) else [self.private_columns.get(str(column), column) for column in columns]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Leaves out filters that would let people guess content that they may not read."""
        offered, reads_content = super().get_list_filter(request), may_read(request)
        return [one for one in offered if reads_content or not getattr(one, "tells_content", False)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuses filters in the address that would let people guess content that they may not read."""
        needed = needed_for(lookup)
        if needed and not (request and Staff(request).may(*needed)):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelT], search_term: str
    ) -> tuple[QuerySet[ModelT], bool]:
        """Finds a row by its complete id, as logs show it. Other searches are described in `streaming.admin.search`.

        The newest `MAX_FOUND` rows are found. They are looked for once, because Django asks for a list's rows and for
        their number, and a common word is expensive.
        """
        if not search_term.strip():
            return queryset, False
        exact = queryset.filter(pk=as_uuid(search_term))  # a key of a conversation may look like an id
        if exact.exists():
            return exact, False
        found = self._found(queryset, search_term, reads_content=may_read(request))
        newest = found.order_by(*self.ordering or (), "-pk").values_list("pk", flat=True)[:MAX_FOUND]
        return queryset.filter(pk__in=list(newest)), False

    def _found(self, queryset: QuerySet[ModelT], typed: str, *, reads_content: bool) -> QuerySet[ModelT]:
        """The rows of the named owners that have all terms, and all rows of an account whose whole name was typed."""
        query = parse(typed)
        owned = owners_named(typed)
        if owned.exists():
            return queryset.filter(**{f"{self.to_conversation}__in": owned.values("pk")})
        if query.owners:
            owned = Conversation.objects.order_by().filter(owned_by_any(query.owners))
            queryset = queryset.filter(**{f"{self.to_conversation}__in": owned.values("pk")})
        for term in query.terms:
            queryset = self.having(queryset, term, reads_content=reads_content)
        return queryset

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ModelT | None:
        """Returns the row with the member of the staff who asks, for the columns and fields of its page."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.staff = Staff(request)
        return row  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == 200 and self.shows_content and Staff(request).may(May.READ):
            StaffAccess.objects.record(request.user, Action.VIEW, self.opts.model_name or "", object_id)
        return response
