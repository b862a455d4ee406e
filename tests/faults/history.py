"""The record of a test as JSON lines, and an independent check of it.

There are three independent witnesses: each client with what it received, the provider with its requests and what it
sent, and the rows at the end. `violations` reads only their lines and checks the invariants:

    I1  the client's text, the row's text and a beginning of the provider's text are the same; all of it if it finished
    I2  a client's numbers go up by one, over all its connections
    I3  there is one end, the same for the client and in the row
    I4  the provider was asked as often as allowed
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Line = dict[str, Any]
ENDS = ("finish", "error")


class History:
    """The record of one test."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, list[Line]] = defaultdict(list)

    def note(self, witness: str, key: str, **fields: Any) -> None:
        """Writes a line by `witness` (`client`, `provider`, `row`, `rule`) about the conversation `key`."""
        self._lines[key].append({"witness": witness, "key": key, **fields})

    def check(self, *keys: str) -> int:
        """Checks the invariants of these conversations, or of all.

        Writes their record to a file and returns their number.
        """
        lines = [line for key in keys or list(self._lines) for line in self._lines.pop(key)]
        self._path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        found = violations(map(json.loads, self._path.read_text().splitlines()))
        assert not found, f"{len(found)} violations in {self._path}:\n" + "\n".join(found[:20])
        return len({line["key"] for line in lines})


def violations(lines: Iterable[Line]) -> list[str]:
    """The violations that the lines prove, one sentence each."""
    by_key: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        by_key[line["key"]][line["witness"]].append(line)
    return [f"{key}: {wrong}" for key, witnesses in by_key.items() for wrong in _wrongs(witnesses)]


def _wrongs(of: dict[str, list[Line]]) -> list[str]:
    rule: Line = {"calls": 1, "may_begin_again": False} | (of["rule"][0] if of["rule"] else {})
    if len(of["row"]) != 1:
        return [f"I3 {len(of['row'])} answers are stored"]
    row, found = of["row"][0], []
    if len(of["provider"]) > rule["calls"]:
        found.append(f"I4 the provider was asked {len(of['provider'])} times")
    if row["status"] in ("pending", "running"):
        found.append(f"I3 the row is left {row['status']}")
    for call in of["provider"][-1:]:  # readers have seen nothing of the earlier ones
        found += _row_against_provider(row, call)
    clients: dict[str, list[Line]] = defaultdict(list)
    for line in of["client"]:
        clients[line["client"]].append(line)
    for lines in clients.values():
        found += _client_against_row(lines, row, may_begin_again=rule["may_begin_again"])
    return found


def _row_against_provider(row: Line, call: Line) -> list[str]:
    found = []
    if not call["sent"].startswith(row["text"]):
        found.append("I1 the row has text that the provider did not send")
    if row["status"] == "finished" and row["text"] != call["whole"]:
        found.append(f"I1 finished with {len(row['text'])} of {len(call['whole'])} characters")
    return found


def _client_against_row(lines: list[Line], row: Line, *, may_begin_again: bool) -> list[str]:
    found, last, begins = [], 0, 0
    for place, line in enumerate(lines):
        if line["seq"] != last + 1:
            if not (may_begin_again and line["seq"] == 1):
                found.append(f"I2 frame {line['seq']} after {last}")
            begins = place
        last = line["seq"]
    chunks = [line["chunk"] for line in lines[begins:]]
    text = "".join(chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta")
    if text != row["text"]:
        found.append(f"I1 the client has {len(text)} characters, the row {len(row['text'])}")
    ends = [chunk["type"] for chunk in chunks if chunk["type"] in ENDS]
    if len(ends) != 1 or chunks[-1]["type"] not in ENDS:
        found.append(f"I3 the client saw the ends {ends}")
    statuses = {chunk["messageMetadata"]["status"] for chunk in chunks if "messageMetadata" in chunk} - {None}
    if statuses and statuses != {row["status"]}:
        found.append(f"I3 the client was told {statuses}, the row says {row['status']}")
    return found
