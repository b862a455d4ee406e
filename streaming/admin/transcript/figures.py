"""The line of figures below an answer."""

from __future__ import annotations

from django.utils.translation import gettext as _

from streaming.admin import cells
from streaming.admin.unreadable import notices
from streaming.models import Generation


def figures_of(generation: Generation) -> list[str]:
    """Returns what is known: model, times, speed, tokens, cost, finish reason, attempts, tried providers.

    Notices about values that cannot be read come last.
    """
    first = cells.duration(generation.first_delta_ms)
    used = cells.tokens_of(generation)
    cost = cells.money(generation.cost)
    tried = cells.tries(generation)
    cached = generation.cached_input_tokens
    known = [
        generation.model or generation.provider,
        _("first token after %(time)s") % {"time": first} if first else None,
        cells.duration(generation.duration_ms),
        cells.speed(generation),
        _("%(count)s tokens") % {"count": used} if used else None,
        _("%(count)s cached") % {"count": cells.number(cached)} if cached else None,
        _("cost %(cost)s") % {"cost": cost} if cost else None,
        generation.finish_reason,
        _("%(count)d requests") % {"count": generation.attempts} if generation.attempts > 1 else None,
        _("tried %(providers)s") % {"providers": tried} if tried else None,
        *notices(generation, "timeline", "tried", "context"),
    ]
    return [cells.apart(fact) for fact in known if fact]
