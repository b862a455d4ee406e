"""The curl commands of docs/clients.md, run in a shell."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from tests.browser.by_prompt import WORDS
from tests.live.client import Stream, assert_whole
from tests.servers import Site


async def test_commands_ask_follow_and_stop(site: Site, examples: Path) -> None:
    asked = stream(await run("ask", site, examples))
    await asked.until("text-delta", 12)
    followed = await stream(await run("follow", site, examples)).whole()
    assert_whole(await asked.whole())
    assert asked.text == WORDS
    assert followed.seqs == list(range(13, len(asked.frames) + 1))
    assert followed.chunks == asked.chunks[12:]


async def test_stop_keeps_what_was_written_and_get_shows_it(site: Site, examples: Path) -> None:
    asked = stream(await run("ask", site, examples))
    await asked.until("text-delta", 3)
    said, _ = await (await run("stop", site, examples)).communicate()
    stopped, end = json.JSONDecoder().raw_decode(said.decode())
    assert stopped == {"status": "stopping"}
    assert json.loads(said[end:])["id"] == "sky"
    assert (await asked.whole()).types[-2:] == ["abort", "finish"]


async def run(name: str, site: Site, examples: Path) -> Process:
    """Runs a block of the page in the directory that has its cookies."""
    env = os.environ | {"SITE": site.url}
    return await asyncio.create_subprocess_exec("sh", "-e", f"curl/{name}.sh", cwd=examples, env=env, stdout=PIPE)


def stream(process: Process) -> Stream:
    assert process.stdout
    return Stream(process.stdout)
