"""The peers that run without Django: a bare relay, a textbook view in FastAPI, and pydantic-ai's Vercel adapter.

    PEERS[path](scope, receive, send)

A peer whose package is not installed is missing in `PEERS`. The query names the model: `?model=tokens-200`.
"""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import parse_qs

from benchmarks.serve_upstream import PROVIDER_URL, relayed, sdk_chunks

Application = Any


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Passes bytes on, without any framework."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for data in relayed(parse_qs(scope["query_string"])[b"model"][0].decode()):
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def fastapi() -> Application:
    """A textbook view."""
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app = FastAPI()

    @app.post("/fastapi")
    async def textbook(model: str) -> Any:
        return StreamingResponse(sdk_chunks(model), media_type="text/event-stream")

    return app


@functools.cache
def pydantic_model(name: str) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=PROVIDER_URL, api_key="none"))


def pydantic_ai() -> Application:
    """An agent without tools behind the adapter for the AI SDK's stream."""
    from pydantic_ai import Agent
    from pydantic_ai.ui.vercel_ai import VercelAIAdapter
    from starlette.requests import Request

    agent = Agent(pydantic_model("tokens-5"))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        model = pydantic_model(request.query_params["model"])
        response = await VercelAIAdapter.dispatch_request(request, agent=agent, model=model)
        await response(scope, receive, send)

    return application


def ag_ui() -> Any:
    """A Django view of django-ag-ui, without tools."""
    from django_ag_ui import DjangoAGUIView, ToolRegistry

    return DjangoAGUIView(
        ToolRegistry(),
        model=pydantic_model("tokens-5"),
        model_for_request=lambda request: pydantic_model(request.GET["model"]),
        csrf_exempt=True,
        require_authenticated=False,
    )


def installed(make: Any) -> Any:
    """What `make` makes; None if a package is missing."""
    try:
        return make()
    except ImportError:
        return None


MAKERS = {"/fastapi": fastapi, "/pydantic-ai": pydantic_ai}
PEERS = {"/bare": bare} | {path: app for path, make in MAKERS.items() if (app := installed(make))}
