"""Both official SDKs, with their own retries, against every fault of an upstream, through the whole local gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

import anthropic
import openai
import pytest
from aws_cdk import App, Stack

from gateway_construct import AiGateway, ModelRoute, Timeouts, Upstream
from lambda_runtime.config import AuthStyle
from tests.faults.cases import CASES, Case
from tests.faults.client import HUGE
from tests.faults.outcome import By, Outcome, What
from tests.faults.rig import FAULTY, SHORT, Setup, faulty_urls
from tests.faults.scenarios import BROKEN, SECTIONS
from tests.faults.wire import CHAT, FIRST, SECOND
from tests.lambda_runtime.upstream_server import UpstreamServer, serve
from tests.local_gateway import running

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("sdk-faults")]

QUESTION: list[Any] = [{"role": "user", "content": "say something"}]

# What these SDKs make of it is nobody's contract.
_NOT_FOR_CHAT_CLIENTS = "events of the responses format"


@dataclass
class Gateway:
    """The gateway, its upstreams and its clients."""

    openai: openai.OpenAI
    anthropic: anthropic.Anthropic
    faulty: UpstreamServer
    healthy: UpstreamServer


def _upstreams(urls: dict[str, str]) -> Iterator[Upstream]:
    for name, url in urls.items():
        yield Upstream.openai_compatible(f"{name}-chat", base_url=f"{url}/v1", auth=AuthStyle.NONE)
        yield Upstream.anthropic_compatible(f"{name}-messages", base_url=url, auth=AuthStyle.NONE)


def _routes() -> dict[str, ModelRoute]:
    routes: dict[str, ModelRoute] = {}
    for wire in ("chat", "messages"):
        for name in FAULTY:
            first, second = f"{name}-{wire}/m", f"healthy-{wire}/m"
            routes[f"{wire}-{Setup.ALONE}-{name}"] = ModelRoute([first])
            routes[f"{wire}-{Setup.SECOND}-{name}"] = ModelRoute([first, second])
            routes[f"{wire}-{Setup.WHOLE}-{name}"] = ModelRoute([first, second], delivery="whole")
    return routes


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One for all tests of this file. Without the table, so that no fault opens a breaker for the next test."""
    directory = tmp_path_factory.mktemp("faulty")
    with ExitStack() as stack:
        faulty, healthy = stack.enter_context(serve()), stack.enter_context(serve())
        urls = {**stack.enter_context(faulty_urls(faulty)), "healthy": healthy.url}
        app = App(outdir=str(directory / "cdk.out"))
        timeouts = Timeouts(
            connect=SHORT.connect, first_content=SHORT.first_content, idle=SHORT.idle, unstreamed=SHORT.unstreamed
        )
        AiGateway(
            Stack(app, "Faulty"),
            "Gateway",
            upstreams=list(_upstreams(urls)),
            models=_routes(),
            timeouts=timeouts,
            resilience=False,
        )
        app.synth()
        local = stack.enter_context(running(directory / "cdk.out", "--no-stand-in", scratch=directory))
        yield Gateway(
            stack.enter_context(openai.OpenAI(base_url=local.openai_base_url, api_key=local.key)),
            stack.enter_context(anthropic.Anthropic(base_url=local.anthropic_base_url, api_key=local.key)),
            faulty,
            healthy,
        )


def _ask_openai(client: openai.OpenAI, model: str, *, streamed: bool) -> Iterator[str]:
    if not streamed:
        answer = client.chat.completions.create(model=model, messages=QUESTION)
        yield from (choice.message.content or "" for choice in answer.choices)
        return
    for chunk in client.chat.completions.create(model=model, messages=QUESTION, stream=True):
        yield from (choice.delta.content or "" for choice in chunk.choices)


def _ask_anthropic(client: anthropic.Anthropic, model: str, *, streamed: bool) -> Iterator[str]:
    if not streamed:
        answer = client.messages.create(model=model, max_tokens=100, messages=QUESTION)
        yield from (block.text for block in answer.content if block.type == "text")
        return
    with client.messages.stream(model=model, max_tokens=100, messages=QUESTION) as stream:
        yield from stream.text_stream


OPENAI_ERRORS: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    408: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
}
ANTHROPIC_ERRORS: dict[int, type[anthropic.APIStatusError]] = {
    400: anthropic.BadRequestError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    408: anthropic.APIStatusError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
}


def _check_openai(error: openai.APIError, seen: Outcome) -> None:
    if seen.what is What.BROKEN:
        assert not isinstance(error, openai.APIStatusError)
        assert seen.code in {error.code, error.type}
        return
    assert isinstance(error, OPENAI_ERRORS.get(seen.status, openai.InternalServerError))
    assert error.status_code == seen.status
    assert seen.code in {error.code, error.type}
    assert error.response.headers.get("retry-after", "") == seen.retry_after


def _check_anthropic(error: anthropic.APIError, seen: Outcome) -> None:
    assert isinstance(error, anthropic.APIStatusError)
    assert isinstance(error.body, dict)
    assert error.body["error"]["type"] == seen.code
    if seen.what is What.ERROR:
        assert isinstance(error, ANTHROPIC_ERRORS.get(seen.status, anthropic.InternalServerError))
        assert error.status_code == seen.status
        assert error.response.headers.get("retry-after", "") == seen.retry_after


_NUMBERS = count(1)


def _wanted() -> Iterator[Case]:
    for case in CASES:
        broken = case.setup is Setup.WHOLE and case.scenario in SECTIONS[BROKEN]
        if (broken or case.setup in {Setup.ALONE, Setup.SECOND}) and case.scenario.name != _NOT_FOR_CHAT_CLIENTS:
            yield case


@pytest.mark.parametrize("case", list(_wanted()), ids=str)
def test_fault(gateway: Gateway, case: Case) -> None:
    gateway.faulty.answer = case.scenario.fault(case.wire, case.streamed)
    gateway.healthy.answer = case.wire.well(SECOND)
    name = {"x-client-request-id": f"request-{next(_NUMBERS)}"}
    expected, tries = case.expected()
    assert expected
    seen = expected.of(case.wire)
    said: list[str] = []
    error: openai.APIError | anthropic.APIError | None = None
    try:
        if case.wire is CHAT:
            model = f"chat-{case.setup}-{case.scenario.upstream}"
            said.extend(_ask_openai(gateway.openai.with_options(default_headers=name), model, streamed=case.streamed))
        else:
            model = f"messages-{case.setup}-{case.scenario.upstream}"
            said.extend(_ask_anthropic(gateway.anthropic.with_options(default_headers=name), model, streamed=case.streamed))
    except (openai.APIError, anthropic.APIError) as raised:
        error = raised
    text = "".join(said)
    if seen.what is What.ANSWER:
        assert error is None
        answers = {By.SECOND: {"".join(SECOND)}, By.FIRST: {"".join(FIRST), HUGE}}
        assert text in ({""} if seen.form == "empty" else answers[seen.by])
    elif case.wire is CHAT:
        assert isinstance(error, openai.APIError)
        _check_openai(error, seen)
    else:
        assert isinstance(error, anthropic.APIError)
        _check_anthropic(error, seen)
    assert bool(text) is ((seen.what is What.ANSWER and seen.form != "empty") or seen.begun)
    # The SDKs would repeat by themselves what they are not told to leave alone.
    if case.scenario.upstream == "faulty":
        assert gateway.faulty.asked(*name.values(), at_least=tries[0]) == tries[0]
    assert gateway.healthy.asked(*name.values(), at_least=tries[1]) == tries[1]
