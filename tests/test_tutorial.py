"""The tutorial, followed to the letter in a new project that has only the wheel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packages import ROOT, inherited, run

pytestmark = pytest.mark.slow
BLOCK = re.compile(r"^```\w+\n(?:#|\{#) (\S+?\.\w+)(, instead of .*?)?(?: #\})?\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shop(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's project, with the lines that it adds to each file, up to the real model."""
    directory = tmp_path_factory.mktemp("shop")
    env = inherited()
    run(python, "-m", "django", "startproject", "mysite", ".", cwd=directory, env=env)
    run(python, "manage.py", "startapp", "shop", cwd=directory, env=env)
    for name, is_for_later, lines in BLOCK.findall((ROOT / "docs/tutorial.md").read_text()):
        if not is_for_later:
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a") as target:
                target.write(f"\n{lines}")
    run(python, "manage.py", "makemigrations", "shop", cwd=directory, env=env)
    run(python, "manage.py", "migrate", "--verbosity", "0", cwd=directory, env=env)
    return directory


def test_checks_are_silent(shop, python):
    done = run(python, "manage.py", "check", cwd=shop, env=inherited())
    assert (done.stdout, done.stderr) == ("System check identified no issues (0 silenced).\n", "")


def test_its_tests_pass(shop, python):
    done = run(python, "-m", "pytest", "-p", "no:cacheprovider", "shop/tests.py", cwd=shop, env=inherited())
    assert "1 passed" in done.stdout


def test_its_pages_are_served(shop, python):
    code = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment
setup_test_environment()
client = Client()
assert client.get("/help/").status_code == 302
client.force_login(get_user_model().objects.create(username="ada"))
for path in ("/", "/help/"):
    page = client.get(path)
    assert page.status_code == 200, page
    assert b"chat.js" in page.content
"""
    run(python, "-c", code, cwd=shop, env=inherited() | {"DJANGO_SETTINGS_MODULE": "mysite.settings"})


def test_second_provider_passes_its_checks(shop, python):
    [(_, _, lines)] = [block for block in BLOCK.findall((ROOT / "docs/tutorial.md").read_text()) if block[1]]
    live = shop / "mysite" / "live.py"
    live.write_text(f"from mysite.settings import *\n{lines}")
    env = inherited() | {"DJANGO_SETTINGS_MODULE": "mysite.live", "OPENAI_API_KEY": "sk-none"}
    assert "no issues" in run(python, "manage.py", "check", cwd=shop, env=env).stdout
