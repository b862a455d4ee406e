"""The settings of all tests that run in pytest's own process."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from project.database_url import database_from

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "for-tests-only"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "tests.urls"
ASGI_APPLICATION = "tests.asgi.application"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "daphne",
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
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# A file and not :memory:, because generations write from other threads. With IMMEDIATE, writers wait for each other.
DATABASE_FILE = os.environ.get("TEST_DATABASE", str(Path(tempfile.gettempdir()) / f"streaming-{os.getpid()}.sqlite3"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATABASE_FILE,
        "TEST": {"NAME": DATABASE_FILE},
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
# tests/journal/test_backends.py sets these variables to run the engine's tests on other databases, and with Redis.
if url := os.environ.get("TEST_DATABASE_URL"):
    if url.startswith("mysql:"):
        import pymysql

        pymysql.install_as_MySQLdb()
    DATABASES = {"default": database_from(url)}
# A replica that is for ever behind: it has the tables, and never a row.
if os.environ.get("TEST_REPLICA"):
    DATABASES["replica"] = DATABASES["default"] | {"NAME": f"{DATABASE_FILE}-replica"}
    DATABASES["replica"] |= {"TEST": {"NAME": DATABASES["replica"]["NAME"]}}
    DATABASE_ROUTERS = ["tests.routers.ReadsReplica"]
MEDIA_ROOT = os.environ.get("MEDIA_ROOT", str(Path(tempfile.gettempdir()) / f"streaming-{os.getpid()}-media"))
STREAMING_REDIS_URL = os.environ.get("TEST_REDIS_URL", "")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

STREAMING_ALLOW_ANONYMOUS = True
STREAMING_PROVIDERS = {
    "default": {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": {"text": "Hello from the script."}},
}
