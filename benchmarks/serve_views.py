"""The Django views that `benchmarks.serve` compares the app with. Tutorials show such views."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.serve_upstream import relayed, sdk_chunks


def _model(request: HttpRequest) -> str:
    return str(json.loads(request.body)["provider"])


@csrf_exempt
async def textbook(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(sdk_chunks(_model(request)), content_type="text/event-stream")


@csrf_exempt
async def relay(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_body(_model(request)), content_type="text/event-stream")


async def _body(model: str) -> AsyncIterator[bytes]:
    async for data in relayed(model):
        yield data


urlpatterns = [path("textbook", textbook), path("relay", relay), path("", include("streaming.urls"))]
