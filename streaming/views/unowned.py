"""The decorator of views that belong to no owner: operators and their machines call them."""

from __future__ import annotations

import functools
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from streaming.access import refuse_sync
from streaming.errors import RequestError
from streaming.views.endpoint import View, form_refusals, outside_transactions, refusal


def unowned(view: View) -> View:
    """Lets GET and HEAD through, without a session, and answers every refusal with its text and status."""

    @login_not_required
    @require_safe
    @outside_transactions
    @functools.wraps(view)
    async def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            refuse_sync(request)
            with form_refusals():
                response = await view(request, **kwargs)
        except RequestError as error:
            response = refusal(error)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded
