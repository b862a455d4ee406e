"""Runs `make demo`: loads the model, serves the example site on this machine, and prints its address."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import sys

HOST = "127.0.0.1"


def main(port: int) -> None:
    _refuse_busy(port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

    import django
    from django.core.management import call_command

    django.setup()
    with open(os.devnull, "w") as devnull:
        call_command("check", stdout=devnull)
    print("Preparing the database", flush=True)
    call_command("migrate", verbosity=0)
    asyncio.run(_load_model())
    _serve(port)


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            sys.exit(f"Port {port} cannot be used ({exc.strerror}). Choose another: make demo PORT={port + 1}")


async def _load_model() -> None:
    """Loads the model before the site starts, so that the person sees what takes so long."""
    from streaming.errors import ProviderError
    from streaming.providers import close_providers, get_provider

    provider = get_provider()
    start = getattr(provider, "ensure_started", None)
    try:
        if start is None:
            print(f"Answers come from {provider.model} ({type(provider).__name__})", flush=True)
        else:
            await start(functools.partial(print, flush=True))
    except ProviderError as exc:
        sys.exit(exc.detail)
    finally:
        await close_providers()


def _serve(port: int) -> None:
    from daphne.server import Server

    from project.asgi import application

    def announce() -> None:
        print(f"\nChat: http://{HOST}:{port}/    (Ctrl-C ends it)\n", flush=True)

    Server(application, endpoints=[f"tcp:port={port}:interface={HOST}"], ready_callable=announce).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
