"""The URLs of the site with stored static files."""

from __future__ import annotations

from django.conf import settings
from django.urls import path
from django.views.static import serve

from project.urls import urlpatterns as site

urlpatterns = [path("static/<path:path>", serve, {"document_root": settings.STATIC_ROOT}), *site]
