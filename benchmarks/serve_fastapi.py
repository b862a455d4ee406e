"""The textbook's view in FastAPI."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from benchmarks.serve_upstream import sdk_chunks

application = FastAPI()


@application.post("/fastapi")
async def textbook(request: Request) -> StreamingResponse:
    return StreamingResponse(sdk_chunks((await request.json())["provider"]), media_type="text/event-stream")
