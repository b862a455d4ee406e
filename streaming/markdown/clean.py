"""The second lock: an allow-list of elements and attributes over everything that was rendered.

The renderer escapes all text and makes no other elements, so this changes nothing that is right. It is here for the
mistake that somebody makes in the renderer.
"""

from __future__ import annotations

import functools
from typing import Any

from streaming.markdown.code import CLASSES, PREFIX
from streaming.markdown.mathml import ATTRIBUTES, ELEMENTS

SCHEMES = frozenset({"http", "https", "mailto"})
"""The schemes of links. Addresses without a scheme lead to this site."""

_TAGS = (
    "p br hr h3 h4 h5 h6 strong em s code pre figure figcaption blockquote ul ol li table thead tbody tr th td a img "
    "sup span div i"
)
TAGS = frozenset(_TAGS.split())
DIRECTED = ("p", "h3", "h4", "h5", "h6", "li", "ul", "ol", "blockquote", "th", "td", "div", "pre")
OWN_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title", "rel", "target"},
    "img": {"src", "alt", "title", "loading", "referrerpolicy"},
    "ol": {"start"},
    "figure": {"data-language"},
    "pre": {"tabindex"},
    "div": {"tabindex"},
    "code": {"data-open"},
}
ALIGNED = frozenset({"md-left", "md-center", "md-right"})
"""The classes of the cells of a table."""
OWN_CLASSES: dict[str, set[str]] = {
    "span": {"md-check", *(f"{PREFIX}{letter}" for letter in CLASSES.values())},
    "sup": {"md-note"},
    "ol": {f"md-digits-{digits}" for digits in range(4, 11)},
    "p": {"md-plain", "md-notes"},
    "li": {"md-plain", "md-task"},
    "th": set(ALIGNED),
    "td": {"md-plain", *ALIGNED},
    "figure": {"md-code"},
    "div": {"md-table", "md-math"},
    "code": {"md-math"},
}


def clean(html: str) -> str:
    """Returns the HTML without anything that is not allowed."""
    cleaned: str = _cleaner().clean(html)
    return cleaned


def clean_rows(rows: str) -> str:
    """Cleans table rows as `clean` cleans blocks. A parser of HTML drops rows that are in no table."""
    inside = clean(f"<table><tbody>{rows}</tbody></table>")
    return inside.removeprefix("<table><tbody>").removesuffix("</tbody></table>")


@functools.cache
def _cleaner() -> Any:
    import nh3

    attributes = {tag: set(names) for tag, names in OWN_ATTRIBUTES.items()}
    for tag in DIRECTED:
        attributes.setdefault(tag, set()).add("dir")
    for tag in ELEMENTS:
        attributes[tag] = set(ATTRIBUTES)
    return nh3.Cleaner(
        tags=set(TAGS | ELEMENTS),
        attributes=attributes,
        allowed_classes=OWN_CLASSES,
        url_schemes=set(SCHEMES),
        link_rel=None,
        strip_comments=True,
    )
