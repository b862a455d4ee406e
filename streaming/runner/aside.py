"""Side calls: a model is asked for something that is no message, such as a summary or a title."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from streaming.conf import settings
from streaming.costs import cost_of, with_cached
from streaming.errors import ProviderError
from streaming.models import COUNTS, MAX_MODEL_CHARS, Metered, Status
from streaming.protocol import Event, GenerationRequest, StreamParser, Transcript, Usage
from streaming.protocol.events import TERMINAL
from streaming.protocol.requests import completed, tokens_sent
from streaming.protocol.storable import storable
from streaming.providers import Provider
from streaming.runner.ending import Ending, ending_of
from streaming.runner.observed import inference

LATE_SECONDS = 1.0
"""The seconds for which a body is read after the last word.

Only the usage may follow, and the end of the body, which lets the connection be used again. Some servers leave the
connection open.
"""


async def ask_aside(
    provider: Provider, request: GenerationRequest, said: Transcript, seconds: float, most_chars: int | None = None
) -> Ending:
    """Reads the model's answer into `said`, and returns how it ended.

    An answer that takes longer than `seconds` ends with `timeout`; a text of more than `most_chars`, or a body of more
    than `STREAMING_MAX_ANSWER_BYTES`, with `too_long`. An exception that no provider should raise ends it with
    `internal`, and is logged.
    """
    parser = StreamParser(provider.dialect, **{"choices": 1} | dict(provider.parser_options))
    trouble: Exception | None = None
    terminal: Event | None = None
    is_late, read = False, 0
    with inference(provider, request, 1) as told:
        try:
            async with asyncio.timeout(seconds) as limit, aclosing(provider.stream(request)) as body:
                async for chunk in body:
                    read += len(chunk)
                    terminal = _fold(parser.feed(chunk), said) or terminal
                    _check_length(read, said, most_chars)
                    if parser.is_complete and not is_late:
                        is_late = True
                        limit.reschedule(min(limit.when() or 0, asyncio.get_running_loop().time() + LATE_SECONDS))
        except TimeoutError:
            trouble = ProviderError("timeout", f"more than {seconds:g} seconds")
        except Exception as error:  # of any kind, because the row of the call needs an end
            trouble = error
        finally:
            terminal = _fold(parser.close(), said) or terminal
            told.end(provider, said)
    return ending_of(terminal, None, trouble)


def _check_length(read: int, said: Transcript, most_chars: int | None) -> None:
    """Checks that neither the `read` bytes nor the text are too many.

    Raises:
        ProviderError: they are.
    """
    if read > settings.MAX_ANSWER_BYTES:
        raise ProviderError("too_long", f"more than {settings.MAX_ANSWER_BYTES} bytes")
    if most_chars is not None and len(said.text) > most_chars:
        raise ProviderError("too_long", f"more than {most_chars} characters")


def _fold(events: Iterable[Event], said: Transcript) -> Event | None:
    """Folds the events, and returns the one that ends the stream, if it is among them."""
    last = None
    for event in events:
        said.apply(event)
        last = event if isinstance(event, TERMINAL) else last
    return last


def meter(row: Metered, model: str, request: GenerationRequest, said: Transcript, ending: Ending) -> dict[str, Any]:
    """Writes onto the row how the call ended, and what it used and cost. Returns these columns.

    `model` is the name for a provider that reports none.
    """
    usage, is_estimated = said.usage or Usage(), False
    if ending.status != Status.FINISHED and (said.parts or ending.status == Status.CANCELLED):
        usage, is_estimated = completed(said.usage, tokens_sent(request), said.parts)
    usage = with_cached(usage, row.provider)
    columns: dict[str, Any] = {name: getattr(usage, name) for name in COUNTS}
    columns |= {"model": storable((said.model or model)[:MAX_MODEL_CHARS]), "status": ending.status}
    columns["is_usage_estimated"] = is_estimated
    for name, value in columns.items():
        setattr(row, name, value)
    row.cost, row.price = cost_of(row)
    return columns | {"cost": row.cost, "price": row.price}
