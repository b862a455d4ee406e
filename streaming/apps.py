"""The app's entry in `INSTALLED_APPS`."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class StreamingConfig(AppConfig):
    name = "streaming"
    verbose_name = _("LLM conversations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Not at the top: these import models, which Django loads before it calls `ready`.
        from django.contrib.auth.signals import user_logged_in

        from streaming.access import adopt_at_sign_in
        from streaming.checks import register_checks
        from streaming.models import receive_deletions

        register_checks()
        receive_deletions(apps.get_models())
        user_logged_in.connect(adopt_at_sign_in)
