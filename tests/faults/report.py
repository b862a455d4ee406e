"""Puts the figures of a run into the table of `docs/reliability.md`: `python -m tests.faults.report FIGURES PAGE`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.faults.scale import IS_LONG

# What a row of the table says it measured. `sum`, `max` and `min` are over the tests of that fault.
SAYS = {
    "F1": "{generations.sum} answers, {cuts.sum} cuts: no gap, no duplicate",
    "F2": "interrupted within {interrupted_after_s.max} s; {lost_tail_s.max} s of text lost",
    "F4": "{generations.sum} answers, {interrupted.sum} interrupted, {resumes.sum} came back",
    "F9": "away {away_s.max} s: streams stood still for {longest_gap_s.max} s at most",
    "F10": "locked {locked_s.max} s: streams stood still for {longest_gap_s.max} s at most",
    "F11": "{clients.max} within 2 s: all streaming after {all_streaming_after_s.max} s, {connections.max} connections",
    "F12": "{streams.max} streams, {events_per_s.max} events/s: p50 {p50_ms.max} ms, p99 {p99_ms.max} ms, "
    "{kb_per_stream.max} KB each",
    "F13": "{clients.max} cut: all back after {all_resumed_after_s.max} s, {connections.max} connections",
    "F15": "{bytes_per_s.min} bytes/s for {read_for_s.max} s: not cut",
    "F16": "limit {limit_s.max} s: given up after {given_up_after_s.min}–{given_up_after_s.max} s",
    "F17": "{failure.count} failures, 2 calls each",
    "F18": "{failure.count} failures, 1 call each",
    "F19": "{case.count} cases; {grown_mb.max} MB more at most",
    "F20": "{stops.sum} stops, {cancelled.sum} in time: provider left within {provider_closed_after_s_max.max} s",
    "F21": "{posts.sum} POSTs: {generations.sum} answers, {provider_calls.sum} calls",
    "F22": "{cycles.sum} connections, {junk_frames.sum} junk frames: {grown_mb.max} MB more",
    "F24": "{failed_database_calls.sum} calls failed, {cancelled_awaits.sum} awaits cancelled, one a run",
    "F25": "provider left {provider_closed_after_s.max} s after waking",
    "F26": "{generations.sum} answers under ±60 s: none ended",
    "F28": "{attempts.sum} attempts, none through; closed {closed_after_s.max} s after signing out",
    "F29": "{failures.sum} failures, {places.sum} places searched: nothing",
    "F31": "{minutes.max} minutes, {generations.sum} answers",
}


class Column:
    """The figures of one name."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def sum(self) -> Any:
        return sum(self.values)

    @property
    def max(self) -> Any:
        return max(self.values)

    @property
    def min(self) -> Any:
        return min(self.values)


def measured(lines: list[dict[str, Any]]) -> dict[str, str]:
    """Fault → what its tests measured, in words."""
    columns: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for name, value in line.items():
            columns[line["fault"]][name].append(value)
    named = {fault: {name: Column(values) for name, values in found.items()} for fault, found in columns.items()}
    return {fault: SAYS[fault].format(**found) for fault, found in named.items()}


def fill(page: str, cells: dict[str, str]) -> str:
    """The page with the last cell of each fault's row replaced, and the line that says what run it was."""
    for fault, words in cells.items():
        page, count = re.subn(rf"(?m)^(\| {fault} \|.*\|)[^|]*\|$", lambda row: f"{row[1]} {words} |", page)  # noqa: B023
        if count != 1:
            sys.exit(f"The page has {count} rows for {fault}.")
    form = "long" if IS_LONG else "short"
    return re.sub(r"(?m)^Last filled by .*$", f"Last filled by the {form} form, on {os.cpu_count()} cores.", page)


if __name__ == "__main__":
    figures, target = map(Path, sys.argv[1:])
    lines = [json.loads(line) for line in figures.read_text().splitlines()]
    target.write_text(fill(target.read_text(), measured(lines)))
