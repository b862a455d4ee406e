"""The system checks of the app's settings and of the site around it, for `manage.py check`.

Each message has an id and a hint that says what to do. An error, `streaming.E…`, stops the site; a warning,
`streaming.W…`, does not. `docs/checks.md` lists all messages. No check opens a connection.
"""

from __future__ import annotations

from django.core import checks

from streaming.checks.costs import check_costs
from streaming.checks.database import check_database
from streaming.checks.fallback import check_fallback
from streaming.checks.files import check_files, check_files_exposure
from streaming.checks.mcp import check_mcp
from streaming.checks.outputs import check_outputs
from streaming.checks.providers import check_providers
from streaming.checks.redaction import check_redaction
from streaming.checks.redis import check_redis
from streaming.checks.settings import check_settings
from streaming.checks.site import check_exposure, check_site
from streaming.checks.telemetry import check_telemetry
from streaming.checks.tools import check_tools

TAG = "streaming"
CHECKS = (
    check_providers,
    check_fallback,
    check_tools,
    check_mcp,
    check_settings,
    check_site,
    check_database,
    check_redis,
    check_files,
    check_costs,
    check_telemetry,
    check_redaction,
    check_outputs,
)


def register_checks() -> None:
    """Registers all checks. Django calls it once, when the app is ready."""
    for check in CHECKS:
        checks.register(check, TAG)
    checks.register(check_exposure, TAG, deploy=True)
    checks.register(check_files_exposure, TAG, deploy=True)
