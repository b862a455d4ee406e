"""Images within an answer, read as a media type and a URL."""

from __future__ import annotations

from typing import Any

SCHEMES = ("data:", "https:", "http:")

PLACES = ("image_url", "url", "image", "source")
"""The keys under which the URL of an image is found, best first."""

BASE64 = ("b64_json", "data")


def read_image(wire: Any, levels: int = 3) -> tuple[str, str] | None:
    """Returns the media type and URL of an image; None if `wire` has none.

    OpenAI sends `{"image_url": {"url": …}}`, others the URL at another place, or only the bytes in base64.
    """
    if isinstance(wire, str):
        return (_media_type(wire), wire) if wire.startswith(SCHEMES) else None
    if not isinstance(wire, dict) or not levels:
        return None
    base64 = next((wire[key] for key in BASE64 if wire.get(key)), None)
    if isinstance(base64, str):
        return read_image(data_url(str(wire.get("media_type") or wire.get("mime_type") or "image/png"), base64))
    return next((found for key in PLACES if (found := read_image(wire.get(key), levels - 1))), None)


def data_url(media_type: str, base64: str) -> str:
    return f"data:{media_type};base64,{base64}"


def _media_type(url: str) -> str:
    if url.startswith("data:"):
        return url[5:].partition(",")[0].partition(";")[0] or "application/octet-stream"
    return "image/*"
