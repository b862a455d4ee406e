"""One walk through all that a person can do, on sites that are set up in unusual ways."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.urls import include, path

from streaming.models import Message
from streaming.supervisor import current

pytestmark = pytest.mark.usefixtures("engine", "stored")

urlpatterns = [path("talk/", include("streaming.urls", namespace="talk"))]
"""The app below a prefix, and with a namespace of the site's own."""
SESSIONS = "django.contrib.sessions.backends"
SITES: dict[str, tuple[str, dict[str, Any]]] = {
    "below a script name": ("/site", {"FORCE_SCRIPT_NAME": "/site"}),
    "with a namespace of its own": ("/talk", {"ROOT_URLCONF": __name__}),
    "with sessions in cookies": ("", {"SESSION_ENGINE": f"{SESSIONS}.signed_cookies"}),
    "with sessions in the cache": ("", {"SESSION_ENGINE": f"{SESSIONS}.cache"}),
    "without time zones": ("", {"USE_TZ": False, "TIME_ZONE": "Asia/Tokyo"}),
}
ADDRESS = re.compile(r'(?:href|src|action)="(/[^"]*)"|"url": ?"(/[^"]*)"|\]\((/[^)]*)\)')
"""The addresses on this site that a page, JSON or Markdown names."""


@pytest.fixture(params=SITES)
async def site(request: pytest.FixtureRequest, settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on a site whose address has the site's prefix."""
    prefix, values = SITES[request.param]
    for name, value in {"STREAMING_SHARES": True, **values}.items():
        setattr(settings, name, value)
    transport = httpx.ASGITransport(get_asgi_application())
    async with httpx.AsyncClient(transport=transport, base_url=f"http://testserver{prefix}") as browser:
        yield browser


async def _walk(browser: httpx.AsyncClient) -> AsyncIterator[httpx.Response]:
    """Yields the response to each thing that a person does with one conversation."""
    uploaded = await browser.post("/api/files", files={"file": ("note.txt", b"text")})
    yield uploaded
    yield await browser.get(f"http://testserver{uploaded.json()['url']}")
    body = {"id": "c", "prompt": "Hi", "files": [{"url": uploaded.json()["url"]}]}
    yield await browser.post("/api/chat", json=body)
    await current().idle()
    for address in ("/api/chat/c", "/api/chat/c/stream?after=0", "/api/agui/c", "/api/chat?q=Hi", "/api/chat/c/export"):
        yield await browser.get(address)
    for address in ("/", "/chat/c/", "/chat/c/shares/"):
        yield await browser.get(address)
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    answer = await Message.objects.aget(role="assistant")
    yield await browser.post("/chat/c/feedback/", data=form | {"message": answer.public_id, "thumb": "up"})
    yield await browser.post("/chat/c/change/", data=form | {"change": "pin"})
    shared = await browser.post("/api/chat/c/shares", json={"files": True, "days": 3})
    yield shared
    yield await browser.get(shared.json()["url"])
    yield await browser.delete("/api/chat/c")


async def test_everything_works_and_every_address_is_below_the_sites_prefix(site: httpx.AsyncClient) -> None:
    prefix = site.base_url.path.rstrip("/")
    async for response in _walk(site):
        step = f"{response.request.method} {response.request.url}"
        assert response.status_code < 400, step
        named = ["".join(groups) for groups in ADDRESS.findall(response.text)] + [response.headers.get("Location", "")]
        ours = {one for one in named if one and not one.startswith(("/static/", "/site/static/", "/accounts/login/"))}
        assert {one for one in ours if not one.startswith(f"{prefix}/")} == set(), step
