"""Opens spans."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import msgspec

from streaming.conf import settings
from streaming.telemetry.instruments import Instruments, instruments
from streaming.telemetry.names import ATTRIBUTES, CONTENT, LATEST, LATEST_ATTRIBUTES, OPERATION, SPANS, SpanName


class Span:
    """An open span, or nothing if telemetry is off."""

    def __init__(self, inner: Any = None) -> None:
        self._inner = inner

    @property
    def is_recording(self) -> bool:
        """True if somebody collects this span, so that it is worth making values for it."""
        return self._inner is not None and bool(self._inner.is_recording())

    @property
    def takes_content(self) -> bool:
        """True if the site lets content out."""
        return self.is_recording and settings.TELEMETRY_CONTENT

    def set(self, **values: Any) -> None:
        """Sets attributes by our names. None sets nothing; content is left out unless the site lets it out."""
        if self.is_recording:
            self._inner.set_attributes(_attributes(values))

    def fail(self, code: str) -> None:
        """Marks the span as failed. `code` holds nothing of the answer's content."""
        if self.is_recording:
            from opentelemetry.trace import Status, StatusCode

            self._inner.set_status(Status(StatusCode.ERROR, code))
            self.set(error=code)


NOTHING = nullcontext(Span())
"""The span of a site without telemetry: one object for all, because some spans last as long as an answer."""


def span(kind: str, subject: str = "", *, parent: Any = None, **values: Any) -> AbstractContextManager[Span]:
    """Opens a span, a child of the current one or of `parent`. `kind` is a key of `SPANS`; `values` are attributes.

    An exception marks it as failed, with the code of a `ProviderError` or the name of its class; its text is left out,
    because it may hold content. A cancel is no failure.
    """
    found = instruments()
    return NOTHING if found is None else _opened(found, SPANS[kind], subject, parent, values)


@contextmanager
def _opened(found: Instruments, name: SpanName, subject: str, parent: Any, values: dict[str, Any]) -> Iterator[Span]:
    role = found.trace.SpanKind.CLIENT if name.is_client else found.trace.SpanKind.INTERNAL
    opened = found.tracer.start_as_current_span(
        f"{name.operation} {subject}".strip(),
        context=parent,
        kind=role,
        attributes={OPERATION: name.operation} | _attributes(values),
        record_exception=False,
        set_status_on_exception=False,
    )
    with opened as inner:
        made = Span(inner)
        try:
            yield made
        except asyncio.CancelledError:
            raise
        except BaseException as trouble:
            made.fail(str(getattr(trouble, "code", "") or type(trouble).__name__))
            raise


def _attributes(values: dict[str, Any]) -> dict[str, Any]:
    names = ATTRIBUTES | (LATEST_ATTRIBUTES if settings.TELEMETRY_NAMES == LATEST else {})
    return {names[name]: _plain(name, value) for name, value in values.items() if _is_sent(name, value)}


def _is_sent(name: str, value: Any) -> bool:
    return value is not None and value != "" and (settings.TELEMETRY_CONTENT or not name.endswith(CONTENT))


def _plain(name: str, value: Any) -> Any:
    """Returns a value that an attribute can have. Content is JSON."""
    return msgspec.json.encode(value).decode() if name.endswith(CONTENT) else value
