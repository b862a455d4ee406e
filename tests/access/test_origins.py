"""Origins: this site's own by scheme, host and port, the trusted ones, and programs without any. Sockets, too."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.core.handlers.asgi import ASGIRequest

from streaming.access import refuse_cross_site, refuse_cross_site_socket
from streaming.errors import Forbidden
from streaming.routing import websockets

TRUSTED = ["https://*.example.com", "https://friend.example"]
# An origin -> True if a request to http://testserver is accepted.
ORIGINS = {
    None: True,
    "http://testserver": True,
    "https://testserver": False,
    "ftp://testserver": False,
    "http://testserver:81": False,
    "null": False,
    "http://[": False,
    "https://friend.example": True,
    "http://friend.example": False,
    "https://www.example.com": True,
    "https://a.b.example.com": True,
    "https://example.com": True,
    "http://www.example.com": False,
    "https://www.example.com.evil.test": False,
    "https://evilexample.com": False,
}


def _scope(kind: str, origin: str | None, **fields: Any) -> dict[str, Any]:
    headers = [(b"host", b"testserver"), *([(b"origin", origin.encode())] if origin is not None else [])]
    scope = {"type": kind, "path": "/ws/chat/", "headers": headers, "query_string": b"", "subprotocols": []}
    return scope | {"http": {"method": "POST", "scheme": "http"}, "websocket": {"scheme": "ws"}}[kind] | fields


def _accepts_request(origin: str | None, **fields: Any) -> bool:
    try:
        refuse_cross_site(ASGIRequest(_scope("http", origin, **fields), BytesIO()))
    except Forbidden:
        return False
    return True


def _accepts_socket(scope: dict[str, Any]) -> bool:
    try:
        refuse_cross_site_socket(scope)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize("origin", ORIGINS)
def test_request_and_socket_of_an_origin_are_treated_alike(settings: Any, origin: str | None) -> None:
    settings.CSRF_TRUSTED_ORIGINS = TRUSTED
    assert _accepts_request(origin) is ORIGINS[origin]
    assert _accepts_socket(_scope("websocket", origin)) is ORIGINS[origin]


@pytest.mark.parametrize(("own", "other"), [("https", "http"), ("http", "https")])
def test_scheme_is_the_one_that_the_server_or_its_proxy_tells(settings: Any, own: str, other: str) -> None:
    told = {"scheme": own}, {"scheme": {"http": "ws", "https": "wss"}[own]}
    assert _accepts_request(f"{own}://testserver", **told[0])
    assert _accepts_socket(_scope("websocket", f"{own}://testserver", **told[1]))
    assert not _accepts_request(f"{other}://testserver", **told[0])
    assert not _accepts_socket(_scope("websocket", f"{other}://testserver", **told[1]))


@pytest.mark.parametrize(("proto", "accepted"), [(b"https", True), (b"http", False)])
def test_proxy_says_how_a_socket_came(settings: Any, proto: bytes, accepted: bool) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    scope = _scope("websocket", "https://testserver")
    scope["headers"].append((b"x-forwarded-proto", proto))
    assert _accepts_socket(scope) is accepted


def test_server_that_tells_no_scheme_of_sockets_leaves_only_the_host_to_compare() -> None:
    scope = _scope("websocket", "https://testserver")
    del scope["scheme"]
    assert _accepts_socket(scope)
    assert not _accepts_socket(scope | {"headers": [(b"host", b"testserver"), (b"origin", b"https://evil.example")]})


def test_name_that_is_not_the_sites_gets_no_socket() -> None:
    """Another site may point a name of its own here, and then its page has the same origin."""
    scope = _scope("websocket", "http://evil.example")
    scope["headers"][0] = (b"host", b"evil.example")
    assert not _accepts_socket(scope)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("origin", ORIGINS)
async def test_whole_application_has_the_rule_of_the_consumer(settings: Any, origin: str | None) -> None:
    """A stranger's socket that is not refused is accepted, and then told to sign in."""
    settings.CSRF_TRUSTED_ORIGINS = TRUSTED
    communicator = WebsocketCommunicator(websockets, "/ws/chat/")
    communicator.scope |= _scope("websocket", origin)
    connected, _ = await communicator.connect()
    assert connected is ORIGINS[origin]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("given", ["/ws/chat/", "/mount/ws/chat/"])
@pytest.mark.parametrize("told_by", ["server", "setting"])
async def test_socket_is_found_below_the_sites_prefix(settings: Any, given: str, told_by: str) -> None:
    settings.FORCE_SCRIPT_NAME = "/mount/" if told_by == "setting" else None
    communicator = WebsocketCommunicator(websockets, given)
    communicator.scope |= _scope("websocket", None, path=given)
    communicator.scope["root_path"] = "/mount" if told_by == "server" else ""
    connected, _ = await communicator.connect()
    assert connected
