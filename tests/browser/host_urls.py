"""The URLs of a site with pages of its own: `/shop/` has a chat below much text, `/shop/?two` has two chats."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.static import serve

from project.urls import urlpatterns as site


def shop(request: HttpRequest) -> HttpResponse:
    return render(request, "host.html", {"two": "two" in request.GET, "lines": range(40)})


urlpatterns = [
    path("static/<path:path>", serve, {"document_root": settings.STATIC_ROOT}),
    path("shop/", shop),
    *site,
]
