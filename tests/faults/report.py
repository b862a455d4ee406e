"""Puts the figures of a run into the tables: `python -m tests.faults.report FIGURES docs/reliability.md README.md`.

The first page has the whole table. The second has a shorter one, which is made from it, between two comments.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.scale import IS_LONG

# The texts of the column "measured". `sum`, `max` and `min` are over the tests of that fault.
SAYS = {
    "F1": "{generations.sum} answers, {cuts.sum} cuts: no gap, no duplicate",
    "F2": "{kills.sum} kills: interrupted within {interrupted_after_s.max} s; {lost_tail_s.max} s of text lost",
    "F3": "{streams.sum} streams, drain {drain_s.max} s: ended after {ended_after_s.max} s",
    "F4": "{generations.sum} answers, {interrupted.sum} interrupted, {resumes.sum} came back",
    "F5": "{answers.sum} answers, away {away_s.max} s: streams stood still for {longest_gap_s.max} s at most",
    "F6": "{answers.sum} answers, hung {hung_s.max} s: streams stood still for {longest_gap_s.max} s at most; "
    "Stop obeyed within {stopped_after_s.max} s",
    "F7": "idle {idle_s.max} s, {readers.max} readers: all there; {connections.max} connections for two processes",
    "F8": "{answers.sum} answers, text exact; streams stood still for {longest_gap_s.max} s at most",
    "F9": "away {away_s.max} s: streams stood still for {longest_gap_s.max} s at most; "
    "a process cut off from it fenced {fenced_after_s.max} s after its return",
    "F10": "locked {locked_s.max} s: streams stood still for {longest_gap_s.max} s at most",
    "F11": "{clients.max} within 2 s: all streaming after {all_streaming_after_s.max} s, {connections.max} connections",
    "F12": "{streams.max} streams, {events_per_s.max} events/s: p50 {p50_ms.max} ms, p99 {p99_ms.max} ms, "
    "{kb_per_stream.max} KB each",
    "F13": "{clients.max} cut: all back after {all_resumed_after_s.max} s, {connections.max} connections",
    "F14": "{megabytes.max} MB not read: {mb_each.max} MB each; cut after {cut_after_s.max} s; others' p99 "
    "{p99_alone_ms.max} ms alone, {p99_ms.max} ms beside them",
    "F15": "{bytes_per_s.min} bytes/s for {read_for_s.max} s: not cut",
    "F16": "limit {limit_s.max} s: given up after {given_up_after_s.min}–{given_up_after_s.max} s",
    "F17": "{failure.count} failures, 2 calls each",
    "F18": "{failure.count} failures, 1 call each",
    "F19": "{case.count} cases; {grown_mb.max} MB more at most",
    "F20": "{stops.sum} stops, {cancelled.sum} in time: provider left within {provider_closed_after_s_max.max} s",
    "F21": "{posts.sum} POSTs: {generations.sum} answers, {provider_calls.sum} calls",
    "F22": "{cycles.sum} connections, {junk_frames.sum} junk frames: {grown_mb.max} MB more; "
    "half of {stops.sum} stops obeyed within {obeyed_after_ms.max} ms",
    "F23": "{awaits.sum} awaits",
    "F24": "{failed_database_calls.sum} calls failed, {cancelled_awaits.sum} awaits cancelled, one a run",
    "F25": "provider left {provider_closed_after_s.max} s after waking",
    "F26": "{generations.sum} answers under ±60 s: none ended",
    "F27": "silent for {silence_s.max} s behind a proxy that waits {patience_s.max} s",
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
    """The text of what its tests measured, for each fault."""
    columns: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for name, value in line.items():
            columns[line["fault"]][name].append(value)
    named = {fault: {name: Column(values) for name, values in found.items()} for fault, found in columns.items()}
    return {fault: _words(fault, found) for fault, found in named.items()}


def _words(fault: str, found: dict[str, Column]) -> str:
    """The figures as text, and the number of passed tests for them."""
    passed = found["passed"].count
    tests = f"{passed} test{'s' if passed > 1 else ''}"
    return f"{SAYS[fault].format(**found)} ({tests})" if fault in SAYS else tests


def fill(page: str, cells: dict[str, str]) -> str:
    """Returns the page with new last cells in the faults' rows of five cells, and the line that names the run."""
    for fault, words in cells.items():
        row = re.compile(rf"^(\| {fault} \|(?:[^|\n]*\|){{3}})[^|\n]*\|$", re.MULTILINE)
        page, count = row.subn(partial(_with_last_cell, words), page)
        if count != 1:
            sys.exit(f"The page has {count} rows for {fault}.")
    form = "long" if IS_LONG else "short"
    today = datetime.datetime.now(tz=datetime.UTC).date()
    said = f"Last filled by the {form} form, on {os.cpu_count()} cores, {today}."
    return re.sub(r"(?m)^Last filled by .*$", said, page)


def _with_last_cell(words: str, row: re.Match[str]) -> str:
    return f"{row[1]} {words} |"


def shortened(page: str) -> str:
    """The shorter table: what is done and what was measured, for each row of the whole table."""
    rows = re.findall(r"(?m)^\| F\d+ \| ([^|\n]*) \|(?:[^|\n]*\|){2} ([^|\n]*) \|$", page)
    lines = ["| what is done | measured |", "|---|---|", *(f"| {done} | {words} |" for done, words in rows)]
    filled = re.search(r"(?m)^Last filled by .*$", page)
    assert filled
    return "\n".join([*lines, "", filled[0]])


def put(page: str, table: str) -> str:
    """Returns the page with `table` between its two comments."""
    return re.sub(r"(?s)(<!-- faults -->\n).*(<!-- /faults -->)", lambda found: f"{found[1]}{table}\n{found[2]}", page)


if __name__ == "__main__":
    figures, whole, short = map(Path, sys.argv[1:])
    lines = [json.loads(line) for line in figures.read_text().splitlines()]
    whole.write_text(fill(whole.read_text(), measured(lines)))
    short.write_text(put(short.read_text(), shortened(whole.read_text())))
