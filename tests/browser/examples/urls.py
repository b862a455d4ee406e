"""The URLs of the example site, and at the end those that the documentation adds."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path  # noqa: F401

from project.urls import urlpatterns  # noqa: F401

exec((settings.BASE_DIR / "mysite/urls.py").read_text())
