"""A proxy as many are written to run behind the Lambda web adapter: FastAPI, uvicorn and an asynchronous httpx client."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

BASE_URL = os.environ["UPSTREAM_BASE_URL"]
API_KEY = os.environ["UPSTREAM_API_KEY"]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep one client."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(600, connect=5)) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/v1/chat/completions")
async def chat_completions(request: Request) -> Response:
    """Pass a chat request on."""
    body = await request.json()
    client: httpx.AsyncClient = request.app.state.client
    upstream_request = client.build_request(
        "POST",
        f"{BASE_URL}/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {API_KEY}"},
    )
    if not body.get("stream"):
        response = await client.send(upstream_request)
        return Response(response.content, status_code=response.status_code, media_type="application/json")
    response = await client.send(upstream_request, stream=True)

    async def events() -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        finally:
            await response.aclose()

    return StreamingResponse(events(), status_code=response.status_code, media_type="text/event-stream")
