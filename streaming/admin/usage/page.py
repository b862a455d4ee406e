"""The usage page and its CSV."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from streaming.admin.cells import money, number
from streaming.admin.permissions import May, Staff
from streaming.admin.usage.chart import Chart, chart_of
from streaming.admin.usage.figures import DIMENSIONS, each_day, metered_since, rows_by, total_of
from streaming.archive import plain_cell
from streaming.costs import Usage
from streaming.models import Action, StaffAccess

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

DAYS = (1, 7, 30, 90, 365)
DEFAULT_DAYS = 30
NOTHING = "–"


class UsagePage:
    """The page of one admin site. `?by=` names a grouping, `?days=` the time, `?format=csv` asks for a file."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def view(self, request: HttpRequest) -> HttpResponse:
        if not Staff(request).may(May.SEE_ERRORS):
            raise PermissionDenied
        by = request.GET.get("by", "day")
        by = by if by in DIMENSIONS else "day"
        days = _days(request.GET.get("days", ""))
        today = _midnight()
        first = today - datetime.timedelta(days=days - 1)
        metered = metered_since(first)
        rows = rows_by(by, metered)
        if request.GET.get("format") == "csv":
            return _csv(request, rows, by)
        total, has_cost = total_of(metered), any(row.cost is not None for row in rows)
        context = {
            **self._site.each_context(request),
            "title": _("Usage"),
            "rows": [(row.group, cells_of(row, has_cost=has_cost)) for row in rows],
            "total": cells_of(total, has_cost=has_cost) if total else None,
            "has_cost": has_cost,
            "chart": _chart(rows, by, first.date(), today.date()),
            "by": DIMENSIONS[by][0],
            "dimensions": [(title, _address(name, days), name == by) for name, (title, _group) in DIMENSIONS.items()],
            "times": [(each, _address(by, each), each == days) for each in DAYS],
            "csv": f"{_address(by, days)}&format=csv",
        }
        return TemplateResponse(request, "streaming/admin/usage.html", context)


def cells_of(row: Usage, *, has_cost: bool) -> list[str]:
    """The figures of a line of the table, as people read them."""
    percent = number(100 * row.failed / max(1, row.requests), places=1)
    failed = f"{number(row.failed)} ({percent} %)" if row.failed else "0"
    times = (row.first_p50, row.first_p95, row.duration_p50, row.duration_p95)
    return [
        number(row.requests),
        failed,
        number(row.input_tokens),
        number(row.output_tokens),
        *([money(row.cost) or NOTHING] if has_cost else []),
        *(NOTHING if time is None else number(time) for time in times),
    ]


def _chart(rows: list[Usage], by: str, first: datetime.date, last: datetime.date) -> Chart:
    return chart_of(each_day(rows, first, last), is_series=True) if by == "day" else chart_of(rows)


def _midnight() -> datetime.datetime:
    """Returns the beginning of today. So the first day of the table is a whole one."""
    now = timezone.now()
    here = timezone.localtime(now) if timezone.is_aware(now) else now
    return here.replace(hour=0, minute=0, second=0, microsecond=0)


def _days(given: str) -> int:
    return {str(days): days for days in DAYS}.get(given, DEFAULT_DAYS)


def _address(by: str, days: int) -> str:
    return f"?{urlencode({'by': by, 'days': days})}"


def _csv(request: HttpRequest, rows: Iterable[Usage], by: str) -> HttpResponse:
    rows = list(rows)
    StaffAccess.objects.record(request.user, Action.EXPORT, "usage", count=len(rows), detail=request.GET.urlencode())
    headers = {"Content-Disposition": f'attachment; filename="usage-by-{by}.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    writer = csv.writer(response)
    writer.writerow([by, *Usage._fields[1:]])
    writer.writerows([plain_cell(str(row.group)), *row[1:]] for row in rows)
    return response
