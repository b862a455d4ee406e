"""The Django views that `benchmarks.serve` compares the app with. Tutorials show such views."""

from __future__ import annotations

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.serve_peers import ag_ui, installed
from benchmarks.serve_upstream import relayed, sdk_chunks


@csrf_exempt
async def textbook(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(sdk_chunks(request.GET["model"]), content_type="text/event-stream")


@csrf_exempt
async def relay(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(relayed(request.GET["model"]), content_type="text/event-stream")


urlpatterns = [path("textbook", textbook), path("relay", relay), path("", include("streaming.urls"))]
if view := installed(ag_ui):
    urlpatterns.append(path("ag-ui", view))
