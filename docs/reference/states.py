"""The diagram of a generation's statuses, from the table of transitions: docs/generation.svg. It needs no network."""

from __future__ import annotations

from collections.abc import Iterator

from streaming.models import TRANSITIONS

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 120, 34, 110, 16, 20
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1b1f24;text-anchor:middle;dominant-baseline:central}"
    "rect{fill:#eef2f7;stroke:#7d8794}rect.end{fill:#fff}path{fill:none;stroke:#7d8794}marker path{fill:#7d8794}"
)
Place = tuple[int, int]


def diagram() -> str:
    """The picture as SVG: a column for each number of steps from the first status."""
    columns = _columns()
    places = {name: (x, y) for x, names in enumerate(columns) for y, name in enumerate(names)}
    width = 2 * EDGE + len(columns) * WIDTH + (len(columns) - 1) * GAP_X
    height = 2 * EDGE + max(map(len, columns)) * (HEIGHT + GAP_Y)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
            "<title>The statuses of a generation, and which may follow which</title>",
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
            *(_box(name, place) for name, place in places.items()),
            *_arrows(places),
            "</svg>\n",
        ]
    )


def _columns() -> list[list[str]]:
    """The statuses by their longest way from the first one."""
    rank = {str(status): 0 for status in TRANSITIONS}
    for status, following in TRANSITIONS.items():  # each status stands before those that may follow it
        for one in following:
            rank[str(one)] = max(rank[str(one)], rank[str(status)] + 1)
    return [[name for name, at in rank.items() if at == column] for column in range(max(rank.values()) + 1)]


def _box(name: str, place: Place) -> str:
    x, y = _corner(place)
    kind = "" if TRANSITIONS[next(one for one in TRANSITIONS if one == name)] else ' class="end"'
    return (
        f'<rect{kind} x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x + WIDTH // 2}" y="{y + HEIGHT // 2}">{name}</text>'
    )


def _corner(place: Place) -> Place:
    x, y = place
    return EDGE + x * (WIDTH + GAP_X), EDGE + y * (HEIGHT + GAP_Y)


def _arrows(places: dict[str, Place]) -> Iterator[str]:
    for status, following in TRANSITIONS.items():
        for one in following:
            yield _arrow(places[str(status)], places[str(one)])


def _arrow(start: Place, end: Place) -> str:
    """An arrow from box to box. One that passes a column bends below its box."""
    (x, y), (to_x, to_y) = _corner(start), _corner(end)
    begin, stop = (x + WIDTH, y + HEIGHT // 2), (to_x, to_y + HEIGHT // 2)
    dip = 0 if end[0] - start[0] == 1 else HEIGHT + GAP_Y
    middle = (begin[0] + stop[0]) // 2
    return (
        f'<path marker-end="url(#tip)" d="M{begin[0]} {begin[1]}'
        f'C{middle} {begin[1] + dip * 2} {middle} {stop[1] + dip} {stop[0]} {stop[1]}"/>'
    )
