"""`manage.py stream_doctor` opens a real stream and says where it is buffered, compressed, cut or slow."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandError

from streaming.conf import is_address
from streaming.management.doctor import (
    Finding,
    Measurement,
    behind_middleware,
    culprit,
    findings,
    over_http,
    view_alone,
)
from streaming.management.progress import ReportingCommand
from streaming.views.probe import Plan

LONGEST_SILENCE = 3600
DEFAULT_SITE = "http://127.0.0.1:8000"
BLAME = {
    "app": "The app itself does this. Please report it.",
    "middleware": "A middleware of the site does this.",
    "server": "The ASGI server does this, or what runs before Django in asgi.py.",
    "site": "A proxy, a balancer or a CDN before the server does this (docs/deployment.md).",
}


class Command(ReportingCommand):
    help = (
        "Open a stream of a running site, and compare when each frame is sent and when it arrives. It is measured in "
        "turn: the app alone, with the site's middleware, at the server, and at the site's address. Run it with the "
        "settings of the site; it asks no model."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("site", nargs="?", type=_address, default=DEFAULT_SITE, help="The address that people use.")
        parser.add_argument("--server", type=_address, help="The address of the ASGI server behind the proxy.")
        parser.add_argument(
            "--silence", type=_seconds, default=0.0, help="Seconds of silence in mid-stream, to find idle timeouts."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(silence=options["silence"])
        layers: list[dict[str, Any]] = []
        lines: list[str] = []
        known: set[str] = set()
        places = list(_layers(plan, options))
        for name, measure in self.progress(options, "places measured", len(places)).counted(places):
            found = measure()
            wrong = findings(found)
            new = [one for one in wrong if one.code not in known]
            advice = _advice(name, new, known, options)
            known |= {one.code for one in wrong}
            layers.append(_described(name, found, wrong, advice))
            lines += _lines(name, found, wrong, advice)
        self.report(options, {"is_well": not known, "layers": layers}, "\n".join(lines))
        if known:
            raise CommandError("The stream does not arrive as it is sent.")


def _layers(plan: Plan, options: dict[str, Any]) -> Iterator[tuple[str, Callable[[], Measurement]]]:
    yield "app", lambda: view_alone(Plan())
    yield "middleware", lambda: behind_middleware(Plan(), options["site"])
    if options["server"]:
        yield "server", lambda: over_http(plan, options["server"])
    yield "site", lambda: over_http(plan, options["site"])


def _advice(name: str, new: list[Finding], known: set[str], options: dict[str, Any]) -> str:
    """Returns a sentence about who is to blame for what is `new` here. `known` is what was wrong before."""
    if not new:
        return ""
    if new[0].code == "unreachable":
        return "Start the site, or give the address at which it runs."
    if name == "middleware":
        quick = Plan(pause=0.05)
        one = culprit(quick, options["site"], lambda found: {each.code for each in findings(found)} <= known)
        return f"It is {one}." if one else BLAME[name]
    if name == "site" and not options["server"]:
        return "The server or a proxy does this. Name the server with --server to know which."
    return BLAME[name]


def _described(name: str, found: Measurement, wrong: list[Finding], advice: str) -> dict[str, Any]:
    times = {"first_ms": round(found.first * 1000), "delay_ms": round(found.delay * 1000)} if found.frames else {}
    return {
        "layer": name,
        "status": found.status,
        "frames": len(found.frames),
        **times,
        "findings": [one._asdict() for one in wrong],
        "advice": advice,
    }


def _lines(name: str, found: Measurement, wrong: list[Finding], advice: str) -> list[str]:
    if not wrong:
        first, delay = round(found.first * 1000), round(found.delay * 1000)
        return [f"{name:<11} well: first frame after {first} ms, none held back for more than {delay} ms"]
    return [f"{name:<11} {one.text}" for one in wrong] + ([f"{'':<11} {advice}"] if advice else [])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_SILENCE:
        raise ArgumentTypeError(f"{text!r} must be a number of seconds, 0 to {LONGEST_SILENCE}")
    return seconds


def _address(text: str) -> str:
    if not is_address(text):
        raise ArgumentTypeError(f"{text!r} is no address; write for example https://example.com")
    return text
