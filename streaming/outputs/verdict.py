"""The verdict at the end of an answer: the object, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from django.utils.translation import gettext_lazy as _

from streaming.outputs.extract import JSONText
from streaming.outputs.types import Mismatch, OutputType
from streaming.protocol import Part, RefusalPart, text_of

Fault = Literal["refused", "cut", "missing", "malformed", "mismatch"]

REFUSALS = frozenset({"refusal", "content_filter"})

REASONS: dict[str, Any] = {
    "refused": _("The model refused to answer."),
    "cut": _("The answer reached its length limit before the object was complete."),
    "missing": _("The model answered without an object."),
    "malformed": _("The object is no valid JSON."),
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of checking whether an answer is the wanted object.

    `value` is the object, and `fault` is None. Otherwise `fault` is `refused`, `cut` (by the length limit), `missing`
    (there is only prose), `malformed` (broken JSON) or `mismatch` (valid JSON of another type), with the `path` and the
    `reason`. `has_other_text` is True if the model wrote something around the object.
    """

    value: Any = None
    fault: Fault | None = None
    path: str = "$"
    reason: str = ""
    has_other_text: bool = False


def judge(wanted: OutputType, parts: Sequence[Part], finish_reason: str = "stop") -> Verdict:
    """Judges an answer by its parts and its finish reason. A complete object counts even if more text was cut."""
    found = JSONText(is_list=wanted.is_list)
    text = found.feed(text_of(tuple(parts)))
    if found.is_complete:
        return _decoded(wanted, found, text)
    if finish_reason in REFUSALS or any(isinstance(part, RefusalPart) for part in parts):
        return _fault("refused")
    if finish_reason == "length":
        return _fault("cut")
    return _malformed(found) if found.is_begun else _fault("missing")


def _decoded(wanted: OutputType, found: JSONText, text: str) -> Verdict:
    try:
        value = _value(wanted, found, text)
    except Mismatch as fault:
        return Verdict(fault="mismatch", path=fault.path, reason=fault.reason, has_other_text=found.has_other_text)
    return Verdict(value=value, has_other_text=found.has_other_text)


def _value(wanted: OutputType, found: JSONText, text: str) -> Any:
    """Decodes the text itself, so that numbers keep their digits.

    Half a surrogate pair is valid JSON that the decoders refuse. It becomes U+FFFD, as in the partial objects.
    """
    try:
        return wanted.decode(text)
    except Mismatch:
        if "\\ud" not in text.lower():
            raise
        return wanted.decode(_clean(found))


def _malformed(found: JSONText) -> Verdict:
    error = found.scanner.error
    told = f"{error.reason}, character {error.offset}" if error else "unexpected_end"
    reason = f"{REASONS['malformed']} ({told})"
    return Verdict(fault="malformed", reason=reason, has_other_text=found.has_other_text)


def _clean(found: JSONText) -> str:
    try:
        return msgspec.json.encode(found.scanner.snapshot()).decode()
    except RecursionError as fault:
        raise Mismatch("It is nested too deep.") from fault


def _fault(fault: Fault) -> Verdict:
    return Verdict(fault=fault, reason=str(REASONS[fault]))
