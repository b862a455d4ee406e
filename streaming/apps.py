"""The app's entry in `INSTALLED_APPS`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StreamingConfig(AppConfig):
    name = "streaming"
    verbose_name = _("LLM conversations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Not at the top: the checks import models, which Django loads before it calls `ready`.
        from streaming.checks import register_checks

        register_checks()
