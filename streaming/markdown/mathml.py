"""LaTeX formulas as MathML, which browsers show without a script.

`latex2mathml.convert` must not be used for text from a model: it unescapes its own output, so `\\text{<img …>}` becomes
a live element, and `\\href` passes any address on. Its tree is safe once every element and attribute is checked.
"""

from __future__ import annotations

import functools
import html
from xml.etree.ElementTree import Element, tostring

MAX_FORMULA = 2_000
"""The longest formula, in characters. Longer ones are shown as source."""

MAX_DEPTH = 40
"""The deepest nesting of braces. The converter is recursive."""

_ELEMENTS = (
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts "
    "mprescripts mtable mtr mtd mpadded mphantom mstyle menclose"
)
ELEMENTS = frozenset(_ELEMENTS.split())
_ATTRIBUTES = (
    "display displaystyle scriptlevel mathvariant stretchy fence separator form lspace rspace width height depth "
    "linethickness accent accentunder columnalign rowspacing columnspacing columnlines rowlines notation minsize "
    "maxsize movablelimits largeop symmetric"
)
ATTRIBUTES = frozenset(_ATTRIBUTES.split())


@functools.lru_cache(maxsize=256)
def mathml(formula: str, *, is_display: bool) -> str | None:
    """Returns the formula as a `<math>` element, or None if it cannot be converted."""
    if len(formula) > MAX_FORMULA or _depth(formula) > MAX_DEPTH:
        return None
    try:
        from latex2mathml.converter import convert_to_element

        root = convert_to_element(formula, display="block" if is_display else "inline")
        return tostring(_checked(root), encoding="unicode").replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    except Exception:  # the converter raises many things for what is no LaTeX; the source is shown then
        return None


def _depth(formula: str) -> int:
    depth = deepest = 0
    for character in formula:
        depth += (character == "{") - (character == "}")
        deepest = max(deepest, depth)
    return max(deepest, formula.count("\\left"))


def _checked(element: Element) -> Element:
    """Returns a copy with known elements and attributes only, whose text is text."""
    if element.tag not in ELEMENTS:
        raise ValueError(element.tag)
    copy = Element(element.tag, {name: value for name, value in element.attrib.items() if name in ATTRIBUTES})
    copy.text = html.unescape(element.text or "")
    for child in element:
        copy.append(_checked(child))
    return copy
