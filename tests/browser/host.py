"""A site that has pages of its own, with a strict Content Security Policy, and puts chats into them.

The environment variable `CSP` names who makes the policy: `django` (Django 6) or `package` (django-csp). Visitors must
sign in. Static files have hashed names, so that the page has an import map, which is an inline script.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django

from tests.browser.settings import *  # noqa: F403
from tests.browser.settings import MIDDLEWARE as ALL
from tests.browser.settings import TEMPLATES

ROOT_URLCONF = "tests.browser.host_urls"
ALLOWED_HOSTS = ["127.0.0.1"]
STREAMING_ALLOW_ANONYMOUS = False
STATIC_ROOT = Path(os.environ["TEST_DATABASE"]).parent / "static"
DEBUG = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
DIRECTIVES: dict[str, Any] = {
    "default-src": ["'none'"],
    "connect-src": ["'self'"],
    "img-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["streaming-chat"],
}
MIDDLEWARE = [name for name in ALL if name != "tests.browser.strict_csp.StrictCSP"]
BY_DJANGO = "django.middleware.csp.ContentSecurityPolicyMiddleware"
STAND_IN = "tests.browser.lazy_nonce.ContentSecurityPolicyMiddleware"  # before Django 6

if os.environ.get("CSP") == "django":
    MIDDLEWARE = [BY_DJANGO if django.VERSION >= (6, 0) else STAND_IN, *MIDDLEWARE]
    NONCE = "<CSP_NONCE_SENTINEL>"
    SECURE_CSP = DIRECTIVES | {"script-src": [NONCE], "style-src": [NONCE]}
else:
    from csp.constants import NONCE as PACKAGE_NONCE

    MIDDLEWARE = ["csp.middleware.CSPMiddleware", *MIDDLEWARE]
    CONTENT_SECURITY_POLICY = {"DIRECTIVES": DIRECTIVES | {"script-src": [PACKAGE_NONCE], "style-src": [PACKAGE_NONCE]}}

TEMPLATES[0]["DIRS"] = [Path(__file__).parent / "templates", *TEMPLATES[0]["DIRS"]]  # type: ignore[misc]
