"""Images within an answer, read as a media type and a URL."""

from __future__ import annotations

from typing import Any


def read_image(wire: Any) -> tuple[str, str] | None:
    """Returns the media type and URL of an item `{"image_url": {"url": …}}`; None for any other value."""
    image = wire.get("image_url") if isinstance(wire, dict) else None
    url = image.get("url") if isinstance(image, dict) else image
    return (_media_type(url), url) if isinstance(url, str) and url else None


def data_url(media_type: str, base64: str) -> str:
    return f"data:{media_type};base64,{base64}"


def _media_type(url: str) -> str:
    if url.startswith("data:"):
        return url[5:].partition(",")[0].partition(";")[0] or "application/octet-stream"
    return "image/*"
