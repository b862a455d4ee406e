"""The list of an admin page: after the rows of one page are known, their content is added and the look is logged."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.functional import cached_property

from streaming.admin.permissions import May, Staff
from streaming.admin.search import parse
from streaming.models import Action, StaffAccess

MAX_COUNTED = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that counts the rows of a list only up to `MAX_COUNTED`. Counting all of a table takes seconds."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:MAX_COUNTED].count())

    @property
    def is_capped(self) -> bool:
        return self.count == MAX_COUNTED


class ContentChangeList(ChangeList):
    """A list whose admin class has `add_content(rows, terms)`, called for staff who may read content."""

    model_admin: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        staff = Staff(request)
        for row in rows:
            row.staff = staff
        if rows and staff.may(May.READ):
            self.model_admin.add_content(rows, parse(self.query).terms)
            StaffAccess.objects.record(
                request.user, Action.LIST, self.opts.model_name or "", count=len(rows), detail=request.GET.urlencode()
            )
        self.result_list: Any = rows
