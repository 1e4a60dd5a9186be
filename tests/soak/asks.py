"""What clients ask: formats, models and sizes, drawn at random for each request."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from tests.soak.draws import draws
from tests.soak.said import Wish

MODELS = 24
"""Of each route. A worker keeps something for each, so that with many more it would grow for longer than it is looked at."""

POPULAR = 6
"""Those of them that are asked for so often that their circuit breakers open. The others' mostly stay closed, so that there is
failover."""

_POPULARITY = 0.25
"""Share of the requests that are for one of these."""

ROUTES = {
    "alone": ("alpha",),
    "second": ("alpha", "beta"),
    "three": ("beta", "gamma", "delta"),
    "chat": ("gamma",),
    "messages": ("delta",),
    "crossed": ("gamma", "delta"),
    "whole": ("alpha", "beta"),
    "gone": ("gone", "beta"),
}
"""Upstreams in their order. Gamma speaks OpenAI's formats only, delta Anthropic's: what is asked in the other is translated."""

_WEIGHTS = (8, 6, 3, 3, 3, 2, 3, 1)

CONSUMERS = ("search", "support", "reports")
WRONG_KEY = 0.002
"""Share of requests whose key opens nothing."""

_BOTH = ("alone", "second", "whole", "gone")
"""Routes whose upstreams speak all formats."""


class Ask(NamedTuple):
    """A request.

    Args:
        serial: its number.
        format: `chat`, `messages`, `responses` or `embeddings`.
        model: the model asked for.
        streamed: whether a stream is.
        usage: whether the client wants the stream's usage.
        consumer: whose key it brings; empty for a wrong one.
        body: its body.
    """

    serial: int
    format: str
    model: str
    streamed: bool
    usage: bool
    consumer: str
    body: bytes

    @property
    def path(self) -> str:
        """The path below the stage."""
        match self.format:
            case "chat":
                return "/v1/chat/completions"
            case "messages":
                return "/v1/messages?beta=true"
        return f"/v1/{self.format}"


def key_of(consumer: str) -> str:
    """A consumer's key."""
    return f"key-of-{consumer or 'nobody'}".ljust(32, "x")


def ask(state: int, serial: int, *, slow: int = 0) -> Ask:
    """A request.

    Args:
        state: initial state of the run's random numbers.
        serial: its number.
        slow: pieces of a long stream, about, for a client that reads slowly. Default: it reads fast.
    """
    random = draws(state, "ask", serial)
    kind = random.choices(("chat", "messages", "responses", "embeddings"), (47, 45, 5, 3))[0]
    if slow and kind not in {"chat", "messages"}:
        kind = "chat"  # a response ends with an event that has all of its text, which the gateway must hold
    streamed = slow > 0 or (kind != "embeddings" and random.random() < 0.6)
    route = random.choices(tuple(ROUTES), _WEIGHTS)[0]
    if kind in {"responses", "embeddings"}:
        route = random.choice(_BOTH)
    if slow:
        # Not held until it is complete: that would be a test of how much of it is.
        route = "second" if route == "whole" else route
        wish = Wish(serial, random.randint(slow // 2, slow * 3 // 2), 14_000)
    else:
        pieces = random.choices((random.randint(4, 30), random.randint(30, 120)), (9, 1))[0]
        wish = Wish(serial, pieces, random.choice((5, 20, 60)))
    usage = kind == "chat" and streamed and random.random() < 0.4
    consumer = "" if random.random() < WRONG_KEY else random.choice(CONSUMERS)
    size = random.choices((200, 3_000, 20_000, random.randint(50_000, 85_000)), (60, 30, 7, 3))[0]
    number = random.randrange(POPULAR) if random.random() < _POPULARITY else random.randrange(POPULAR, MODELS)
    model = f"{route}-{number}"
    body = _body(kind, model, wish, size, streamed=streamed, usage=usage)
    return Ask(serial, kind, model, streamed, usage, consumer, body)


def held(state: int, serial: int, consumer: str, milliseconds: int) -> Ask:
    """A small request whose answer is held back, so that several are under way at once.

    Args:
        state: initial state of the run's random numbers.
        serial: its number.
        consumer: whose key it brings.
        milliseconds: for how long.
    """
    del state
    body = _body("chat", "alone-0", Wish(serial, 4, 5, milliseconds), 200, streamed=False, usage=False)
    return Ask(serial, "chat", "alone-0", streamed=False, usage=False, consumer=consumer, body=body)


def _body(kind: str, model: str, wish: Wish, size: int, *, streamed: bool, usage: bool) -> bytes:
    # The long part is made once for each size; only the beginning is the request's own.
    text = f"{wish} please"
    document: dict[str, Any] = {"model": model}
    match kind:
        case "embeddings":
            document |= {"input": text}
        case "responses":
            document |= {"input": text, "instructions": "@", "stream": streamed}
        case "chat":
            document |= {
                "messages": [{"role": "system", "content": "@"}, {"role": "user", "content": text}],
                "stream": streamed,
            }
            if usage:
                document["stream_options"] = {"include_usage": True}
        case _:
            system = [{"type": "text", "text": "@", "cache_control": {"type": "ephemeral"}}]
            document |= {"messages": [{"role": "user", "content": text}], "max_tokens": 4096, "stream": streamed}
            document |= {"system": system}
            if size > 50_000:
                document["tools"] = _tools()
    return json.dumps(document).encode().replace(b'"@"', _filler(size // 1000), 1)


@cache
def _filler(kilobytes: int) -> bytes:
    return json.dumps("You are helpful — übrigens auch auf 日本語.\n" * (kilobytes * 20 + 1)).encode()


@cache
def _tools() -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    return [{"name": f"tool_{number}", "description": "reads a file", "input_schema": schema} for number in range(12)]
