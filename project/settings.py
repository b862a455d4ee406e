"""The settings of the example site. These environment variables change them:
`OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL` · the same three with `ANTHROPIC_` · `STREAMING_PROVIDER` ·
`DATABASE_URL` · `REDIS_URL` · `MEDIA_ROOT` · `SECRET_KEY` · `DEBUG` · `ALLOWED_HOSTS` (comma-separated)
"""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from project.database_url import database_from, pooled
from project.loopback import HOSTS as LOOPBACK_HOSTS
from project.providers import providers_from

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG", "1").lower() in ("1", "true", "yes", "on")
SECRET_KEY = os.environ.get("SECRET_KEY") or ("for-development-only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("With DEBUG off, SECRET_KEY must be set.")

_hosts = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
ALLOWED_HOSTS = _hosts or (LOOPBACK_HOSTS if DEBUG else [])

INSTALLED_APPS = [
    "daphne",  # before staticfiles, so that runserver uses an ASGI server
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "streaming",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # the page speaks the browser's language
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "streaming.middleware.one_trip",
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

_database = database_from(os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
DATABASES = {"default": pooled(_database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "streaming:conversation_list"
LOGOUT_REDIRECT_URL = "streaming:conversation_list"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "project" / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
# The directory of attachments. The app itself serves them to their owners.
MEDIA_ROOT = os.environ.get("MEDIA_ROOT") or BASE_DIR / "media"

STREAMING_PROVIDERS = providers_from(os.environ)
# Only if no other machine can reach the site: project/asgi.py then refuses other peers.
STREAMING_ALLOW_ANONYMOUS = DEBUG and set(ALLOWED_HOSTS) <= set(LOOPBACK_HOSTS)
STREAMING_REDIS_URL = os.environ.get("REDIS_URL", "")
