"""The configuration of docs/deployment.md on one machine: nginx, several processes of a site, PostgreSQL and Redis.

    make cluster                      # or: python -m tests.cluster --workers 2 --port 8080
    with cluster(workers=2) as running: …

Everything has a private port and a directory that is removed at the end. The parts end in order: nginx first, then the
sites, which finish their answers, then the stores.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, NoReturn

import psycopg
import pytest

from tests.backing import postgres, redis, running
from tests.proxy import documented, nginx
from tests.servers import Site, environment, manage, serve

SETTINGS = "tests.cluster_settings"
READY_SECONDS = 10
STATIC = "location /static/ {{ alias {directory}/; }}\n\n    location / {{"
FORWARDED = ("STREAMING_PROVIDER", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "ANTHROPIC_API_KEY")
"""The variables of the shell that choose the provider. Without one, the scripted provider answers."""
OWN_GROUP = 0
"""Ctrl-C reaches only the main process, which ends the others in order."""


class Cluster(NamedTuple):
    """A running cluster. `url` is nginx's, and `env` is the environment of each site."""

    url: str
    sites: list[Site]
    database: str
    redis: str
    env: dict[str, str]


@contextlib.contextmanager
def cluster(
    workers: int = 2,
    *,
    settings: str = SETTINGS,
    application: str = "project.asgi:application",
    port: int = 0,
    env: Mapping[str, str] | None = None,
    postgres_options: tuple[str, ...] = (),
) -> Iterator[Cluster]:
    """Runs `workers` processes of the site on uvicorn behind nginx, and ends everything afterwards."""
    with contextlib.ExitStack() as stack:
        store = functools.partial(_postgres, options=postgres_options)
        database = stack.enter_context(contextlib.contextmanager(running)(store, OWN_GROUP))
        wakes = stack.enter_context(contextlib.contextmanager(running)(redis, OWN_GROUP))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="streaming-cluster-")))
        directory.chmod(0o755)  # nginx's workers are another user
        shared = {
            "DATABASE_URL": database.url,
            "REDIS_URL": wakes.url,
            "SECRET_KEY": "for-this-cluster-only",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "MEDIA_ROOT": str(directory / "media"),
            **(env or {}),
        }
        site_env = environment(settings, directory / "unused", shared)
        _prepare(site_env, directory)
        starting = functools.partial(
            serve, "uvicorn", settings=settings, application=application, env=shared, group=OWN_GROUP
        )
        places = [_made(directory / f"site{number}") for number in range(workers)]
        with ThreadPoolExecutor() as together:
            sites = list(together.map(lambda place: stack.enter_context(starting(place)), places))
        server = documented().replace("location / {", STATIC.format(directory=directory / "static"), 1)
        url = stack.enter_context(nginx(directory, server, [site.port for site in sites], port=port, group=OWN_GROUP))
        yield Cluster(url, sites, database.url, wakes.url, site_env)


def _postgres(directory: Path, options: tuple[str, ...]) -> object:
    return postgres(directory, *options)


def _prepare(env: dict[str, str], directory: Path) -> None:
    """Migrates the database, once it is ready, and collects the static files for nginx."""
    _wait_for(env["DATABASE_URL"].replace("postgres:", "postgresql:"))
    manage(env, "migrate", "--verbosity", "0")
    collecting = env | {"DJANGO_SETTINGS_MODULE": SETTINGS, "STATIC_ROOT": str(directory / "static")}
    manage(collecting, "collectstatic", "--noinput", "--verbosity", "0")


def _wait_for(database: str) -> None:
    """Waits until PostgreSQL is ready. It accepts connections a moment earlier."""
    for _ in range(READY_SECONDS * 20):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(database):
            return
        time.sleep(0.05)
    pytest.fail("PostgreSQL does not become ready.")


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=0, help="nginx's port; a free one by default")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    provider = {name: value for name in FORWARDED if (value := os.environ.get(name))}
    print("Starting PostgreSQL, Redis, the sites and nginx", flush=True)
    try:
        with cluster(options.workers, port=options.port, env={"STREAMING_PROVIDER": "scripted"} | provider) as one:
            print(_told(one), flush=True)
            _wait_for_a_death(one)
    except KeyboardInterrupt:
        print("Everything has ended", flush=True)
    except (pytest.skip.Exception, pytest.fail.Exception) as fault:
        sys.exit(str(fault))


def _told(one: Cluster) -> str:
    sites = "".join(f"\n  site        {site.url}  (log: {site.log_file})" for site in one.sites)
    return f"  chat        {one.url}/{sites}\n  PostgreSQL  {one.database}\n  Redis       {one.redis}\nCtrl-C ends it."


def _wait_for_a_death(one: Cluster) -> NoReturn:
    """Waits for Ctrl-C, and says so if a site dies: the others go on."""
    dead: set[str] = set()
    while True:
        for site in one.sites:
            if site.url not in dead and site.process.poll() is not None:
                dead.add(site.url)
                print(f"{site.url} has ended with the code {site.process.returncode}", flush=True)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
