"""The chat pages in a browser without JavaScript: forms that a person sends, and the HTML of the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.test import AsyncClient

from streaming.models import Generation, Message
from streaming.protocol import Part
from streaming.supervisor import current

Script = Callable[..., None]


def html(response: HttpResponse) -> str:
    return response.content.decode()


async def send(client: AsyncClient, prompt: str = "Hello", key: str = "c1", **fields: str) -> HttpResponse:
    return await client.post(f"/chat/{key}/send/", {"prompt": prompt, **fields})


async def answered(client: AsyncClient, prompt: str = "Hello", key: str = "c1") -> str:
    """Sends a message, waits until the answer has ended, and returns the page."""
    response = await send(client, prompt, key)
    assert response.status_code == 303, html(response)
    await current().idle()
    return html(await client.get(response.headers["Location"]))


async def active(client: AsyncClient, scripted: Script) -> Generation:
    """A generation that has written two words and then hangs."""
    scripted(text="one two three four", hang_after=4)
    await send(client)
    generation = await Generation.objects.aget()
    async with asyncio.timeout(30):
        while "two" not in html(await client.get("/chat/c1/")):  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.02)
    return generation


async def stored(client: AsyncClient, *parts: Part, **outcome: Any) -> str:
    """The page of a conversation whose only answer has these parts and this outcome."""
    await answered(client)
    message = await Message.objects.aget(role="assistant")
    message.set_parts(parts)
    await message.asave()
    await Generation.objects.aupdate(**outcome)
    return html(await client.get("/chat/c1/"))


def visible(page: str) -> str:
    """The page without the templates that chat.js clones."""
    return re.sub(r"<template.*?</template>", "", page, flags=re.DOTALL)
