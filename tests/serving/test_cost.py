"""The CPU cost of an answer, against peers in the same run on the same server.

The bounds are far from what is measured (`make bench`), so that a busy machine breaks none of them.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from benchmarks.serve import PEERS, Costs, measure, started, token_cost

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the CPU time of another process"),
]

COUNTS = [5, 200]
SITES = ("this app", "textbook, Django", "relay, bare")


@pytest.fixture(scope="module")
def costs() -> Costs:
    with started("uvicorn", rate=100) as site:
        return measure(site, {name: PEERS[name] for name in SITES}, COUNTS, streams=20, runs=2)


def test_token_costs_less_than_in_a_textbook_view(costs: Costs) -> None:
    """Measured: 2.2 times less."""
    assert token_cost(costs, "this app", COUNTS) < token_cost(costs, "textbook, Django", COUNTS) / 1.3


def test_token_costs_a_few_times_as_much_as_passing_its_bytes_on(costs: Costs) -> None:
    """Measured: 2.3 times."""
    assert token_cost(costs, "this app", COUNTS) < 4.5 * token_cost(costs, "relay, bare", COUNTS)


def test_answer_of_200_tokens_costs_less_than_in_a_textbook_view(costs: Costs) -> None:
    """Measured: 1.8 times less, with all that is stored."""
    ours, theirs = (statistics.median(costs[name, 200]) for name in SITES[:2])
    assert ours < theirs
