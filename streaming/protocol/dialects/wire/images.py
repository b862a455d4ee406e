"""Images within an answer, read as a media type and a URL."""

from __future__ import annotations

import re
from typing import Any

URL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""What a whole URL begins with. Base64 may begin with a slash."""

ADDRESSES = ("image_url", "url")
"""The keys whose text is a URL, whole or relative."""

PLACES = (*ADDRESSES, "image", "source")
"""The keys under which the URL of an image is found, best first."""

BASE64 = ("b64_json", "data")

MAX_LEVELS = 3


def read_image(wire: Any) -> tuple[str, str] | None:
    """Returns the media type and URL of an image; None if `wire` is no object that has one.

    OpenAI sends `{"image_url": {"url": …}}`, others the URL at another place, or only the bytes in base64.
    """
    url = _url_of(wire, MAX_LEVELS) if isinstance(wire, dict) else None
    return (_media_type(url), url) if url else None


def _url_of(wire: Any, levels: int) -> str | None:
    if isinstance(wire, str):
        return wire if URL.match(wire) else None
    if not isinstance(wire, dict) or not levels:
        return None
    base64 = next((wire[key] for key in BASE64 if wire.get(key)), None)
    if isinstance(base64, str):
        return data_url(str(wire.get("media_type") or wire.get("mime_type") or "image/png"), base64)
    addresses = (wire[key] for key in ADDRESSES if isinstance(wire.get(key), str) and wire[key])
    return next(addresses, None) or next((url for key in PLACES if (url := _url_of(wire.get(key), levels - 1))), None)


def data_url(media_type: str, base64: str) -> str:
    """Returns the URL of an image in base64. Some relays send the whole URL in its place."""
    if URL.match(base64):
        return base64
    return f"data:{media_type};base64,{base64}"


def _media_type(url: str) -> str:
    if url.startswith("data:"):
        return url[5:].partition(",")[0].partition(";")[0] or "application/octet-stream"
    return "image/*"
