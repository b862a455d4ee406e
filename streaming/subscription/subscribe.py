"""The choice of the log that a reader gets."""

from __future__ import annotations

import functools
import uuid

from streaming.journal import live_logs
from streaming.models import Generation
from streaming.subscription.agui import AgentRun, AgentSubscription
from streaming.subscription.contract import Subscription
from streaming.subscription.html import HtmlSubscription
from streaming.subscription.journal import JournalSubscription
from streaming.subscription.live import LiveSubscription
from streaming.subscription.mapped import MappedSubscription
from streaming.subscription.picture import pictures
from streaming.subscription.translation import Translation, translations


async def subscribe(generation_id: uuid.UUID, after: int = 0, *, html: bool = False) -> Subscription:
    """Follows a generation after frame `after`. A number that the log has not reached means from the beginning.

    With `html`, the changes of the HTML of the answer's texts follow its frames.
    """
    if html:
        return _with_html(await subscribe(generation_id, after), generation_id)
    log = live_logs().get(generation_id)
    return JournalSubscription(generation_id, after) if log is None else LiveSubscription(log, after)


async def follow(generation: Generation, *, html: bool = False) -> Subscription:
    """Follows a generation for the client that submitted it, without the frames of the answer's earlier generations."""
    if html:
        return _with_html(await subscribe(generation.pk), generation.pk, head=generation.head_seq)
    subscription = await subscribe(generation.pk)
    return without_head(subscription, generation.head_seq) if generation.head_seq else subscription


async def follow_run(generation: Generation, run: AgentRun) -> Subscription:
    """Follows a generation as a run of AG-UI.

    The log of a generation that has ended may be made anew, so its readers do not share its events.
    """
    from_start = functools.partial(subscribe, generation.pk)
    shared = translations.get(generation.pk) if generation.is_active else Translation(generation.pk)
    return AgentSubscription(await from_start(), run, shared, from_start)


def _with_html(inner: Subscription, generation_id: uuid.UUID, *, head: int = 0) -> Subscription:
    from_start = functools.partial(subscribe, generation_id)
    return HtmlSubscription(inner, pictures.get(generation_id), from_start, head=head)


def without_head(inner: Subscription, head_seq: int) -> Subscription:
    """Leaves out frames 2 to `head_seq`. Frame 1 stays, because it opens the message."""

    def kept(frames: list[bytes]) -> list[bytes]:
        first = inner.seq - len(frames) + 1
        return [one for seq, one in enumerate(frames, first) if not 1 < seq <= head_seq]

    return MappedSubscription(inner, kept)
