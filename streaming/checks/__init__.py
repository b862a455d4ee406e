"""What `manage.py check` says about the app's settings and the site around it.

Each check yields messages with an id (`streaming.E…` stops the site, `streaming.W…` does not) and a hint that says
what to do; `docs/checks.md` lists them all. Nothing here opens a connection.
"""

from __future__ import annotations

from django.core import checks

from streaming.checks.database import check_database
from streaming.checks.files import check_files, check_files_exposure
from streaming.checks.providers import check_providers
from streaming.checks.redis import check_redis
from streaming.checks.settings import check_settings
from streaming.checks.site import check_exposure, check_site
from streaming.checks.tools import check_tools

TAG = "streaming"


def register_checks() -> None:
    """Called once, when the app is ready."""
    for check in (check_providers, check_tools, check_settings, check_site, check_database, check_redis, check_files):
        checks.register(check, TAG)
    checks.register(check_exposure, TAG, deploy=True)
    checks.register(check_files_exposure, TAG, deploy=True)
