"""The notices of streams that must end before their answers do. The keys are the codes that AG-UI's clients get."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOTICES: dict[str, str | Promise] = {
    "disconnected": _("The connection broke off. Reload to go on."),
    "login_required": _("You have been signed out. Sign in to go on."),
    "too_many_requests": _("This is open in too many places. Close one of them."),
    "deleted": _("This conversation has been deleted."),
}
