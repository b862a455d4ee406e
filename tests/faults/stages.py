"""Stages: a server, a database, and perhaps Redis, on which a fault test runs.

@played_on("uvicorn sqlite", "daphne postgres redis")    # these in the short form, all eight in the long one
async def test_something(stage):
    site = stage.shared()                # one that tests leave as they found it
    own = stage.start()                  # one of the test's own
    other = stage.start(beside=own)      # a second process of it, on the other server

With `FAULTS=cluster`, all tests play on uvicorn, PostgreSQL and Redis, and each shared site is a cluster: nginx, as
docs/deployment.md configures it, in front of two processes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.backing import Backing
from tests.faults.footprint import Footprint, footprint, gives_back, warmed
from tests.faults.scale import IS_CLUSTER, scaled
from tests.proxy import documented, nginx
from tests.servers import Site, serve

SERVERS = ("uvicorn", "daphne")
GROUNDS = ("sqlite", "postgres", "sqlite redis", "postgres redis")
ALL = tuple(f"{server} {ground}" for server, ground in itertools.product(SERVERS, GROUNDS))
SQLITE, POSTGRES, REDIS = (tuple(name for name in ALL if word in name) for word in ("sqlite", "postgres", "redis"))
CLUSTERED = "uvicorn postgres redis"
SETTINGS = "tests.faults.settings"
# The setting of sites on PostgreSQL. Without Django's pool, every request would open a connection of its own.
POOL = '{"max_size": 8, "timeout": 20}'


def played_on(*short: str, long: tuple[str, ...] = ALL) -> pytest.MarkDecorator:
    """Names the stages of a test: server, database, and `redis` if the log has a copy there.

    The short form has `short`, the long one `long`.
    """
    names = [name for name in long if name == CLUSTERED] if IS_CLUSTER else scaled(short, long)
    return pytest.mark.parametrize("stage", names, indirect=True)


class Scene(NamedTuple):
    """The parts of one stage's name."""

    server: str
    database: str
    has_redis: bool

    @classmethod
    def of(cls, name: str) -> Scene:
        server, database, *rest = name.split()
        return cls(server, database, rest == ["redis"])

    @property
    def name(self) -> str:
        return f"{self.server} {self.database}{' redis' if self.has_redis else ''}"


class Workshop:
    """Starts sites, and the servers that they need. `find` returns fixtures of the session."""

    def __init__(self, find: Callable[[str], Any], new_directory: Callable[[str], Path], provider_url: str) -> None:
        self._find = find
        self._new_directory = new_directory
        self._provider_url = provider_url
        self._shared: dict[str, Site] = {}
        self._fresh: dict[int, Footprint] = {}
        self.running = ExitStack()

    def start(
        self,
        scene: Scene,
        running: ExitStack,
        *,
        beside: Site | None = None,
        instead_of: Site | None = None,
        server: str = "",
        application: str = "project.asgi:application",
        env: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Site:
        """Starts a site that ends with `running`."""
        known = beside or instead_of
        server = server or (_other_server(beside) if beside else scene.server)
        own = {"FAULT_PROVIDER": self._provider_url, "FAULT_SETTINGS": json.dumps(settings)} | dict(env or {})
        own = (_ground_of(known) if known else self._new_ground(scene, own)) | own
        directory = self._new_directory(server)
        site = running.enter_context(
            serve(server, directory, settings=SETTINGS, application=application, env=own, instead_of=instead_of)
        )
        self._fresh[site.process.pid] = footprint(site)
        return site

    def shared(self, scene: Scene, beside: Site | None, **settings: Any) -> Site:
        """Returns a site that ends with the session. It is started at the first call."""
        name = json.dumps([scene, beside and beside.url, settings], sort_keys=True)
        if name not in self._shared:
            site = self.start(scene, self.running, beside=beside, **settings)
            self._shared[name] = self._clustered(site, settings) if IS_CLUSTER and beside is None else site
        return self._shared[name]

    def _clustered(self, site: Site, settings: dict[str, Any]) -> Site:
        """The site with the address of nginx, which spreads requests over it and a second process of it."""
        second = self.start(Scene.of(CLUSTERED), self.running, beside=site, server="uvicorn", **settings)
        directory = self._new_directory("nginx")
        url = self.running.enter_context(nginx(directory, documented(), [site.port, second.port]))
        return site._replace(url=url)

    async def see_left_as_found(self, site: Site, megabytes: float) -> None:
        """Checks the fifth invariant: a site that lives holds no more than any site that has worked."""
        if site.process.poll() is None:
            await gives_back(site, warmed(self._fresh[site.process.pid]), megabytes=megabytes)

    def _new_ground(self, scene: Scene, given: dict[str, str]) -> dict[str, str]:
        """The variables that name the database and the Redis of a new site, without those in `given`."""
        ground = {}
        if scene.has_redis and "REDIS_URL" not in given:
            ground["REDIS_URL"] = self._find("shared_redis").url
        if scene.database == "postgres" and "DATABASE_URL" not in given:
            ground["DATABASE_URL"] = new_database(self._find("migrated_postgres"), "migrated")
        return ground | ({"FAULT_POOL": POOL} if scene.database == "postgres" else {})


class Stage:
    """The interface of one scene for a test. The test's own sites end with the test.

    Sites may `keep_megabytes` more memory than usual, because allocators do not return everything.
    """

    def __init__(self, scene: Scene, workshop: Workshop, running: ExitStack) -> None:
        self.scene = scene
        self.keep_megabytes: float = 20
        self._workshop = workshop
        self._running = running
        self._sites: list[Site] = []

    def start(self, **options: Any) -> Site:
        """Starts a site of the test's own. `options` are those of `Workshop.start`; all others are settings.

        `beside` another it shares that one's database, and is on the other server; `instead_of` one that has ended it
        takes its address over, too.
        """
        self._sites.append(self._workshop.start(self.scene, self._running, **options))
        return self._sites[-1]

    def shared(self, *, beside: Site | None = None, **settings: Any) -> Site:
        """Returns a site that several tests use. They must leave it as they found it."""
        self._sites.append(self._workshop.shared(self.scene, beside, **settings))
        return self._sites[-1]

    async def see_all_left_as_found(self) -> None:
        """Checks all sites that live, when all clients have left."""
        for site in self._sites:
            await self._workshop.see_left_as_found(site, self.keep_megabytes)


def _ground_of(site: Site) -> dict[str, str]:
    return {name: site.env[name] for name in ("DATABASE_URL", "REDIS_URL", "FAULT_POOL") if name in site.env}


def _other_server(site: Site) -> str:
    return next(server for server in SERVERS if not site.log_file.name.startswith(server))


def new_database(server: Backing, template: str) -> str:
    """The URL of a new database."""
    name = f"site_{uuid.uuid4().hex}"
    with connect(server.url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return f"{server.url.rpartition('/')[0]}/{name}"


def wait_for(server: Backing) -> None:
    """Waits until a PostgreSQL is ready. It accepts connections a moment earlier."""
    for _ in range(100):
        with contextlib.suppress(psycopg.OperationalError), connect(server.url):
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL does not become ready")


def connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url.partition("?")[0].replace("postgres://", "postgresql://"), autocommit=True)
