"""The browser tests' site with the static files that `collectstatic` stored in STATIC_ROOT.

The environment variable `STATICFILES_STORAGE` names the storage.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

from tests.browser.settings import *  # noqa: F403

DEBUG = False  # with DEBUG on, Django uses the files' own names
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.browser.stored_urls"
STATIC_ROOT = Path(os.environ["TEST_DATABASE"]).parent / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": os.environ.get("STATICFILES_STORAGE", "")},
}


class RewritingStorage(ManifestStaticFilesStorage):
    """A storage that also writes hashed names into the imports of modules."""

    support_js_module_import_aggregation = True
