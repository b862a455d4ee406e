"""Properties that all checks share."""

from __future__ import annotations

import re
from pathlib import Path

from tests.checks import messages

ROOT = Path(__file__).resolve().parents[2]
ID = re.compile(r"streaming\.([EW]\d{3})")


def test_settings_of_the_tests_pass_every_check():
    assert messages() == []
    assert messages(deploy=True) == []


def test_ids_are_unique_documented_and_tested():
    code = [check_id for path in (ROOT / "streaming/checks").glob("*.py") for check_id in ID.findall(path.read_text())]
    documented = re.findall(r"^\| `streaming\.([EW]\d{3})`", (ROOT / "docs/checks.md").read_text(), re.MULTILINE)
    tests = [*Path(__file__).parent.glob("*.py")]
    tested = {check_id for path in tests for check_id in ID.findall(path.read_text())}
    assert documented == sorted(documented, key=lambda check_id: check_id[1:])
    assert sorted(documented) == sorted(set(code))
    assert len({check_id[1:] for check_id in documented}) == len(documented)
    assert tested == set(code)
