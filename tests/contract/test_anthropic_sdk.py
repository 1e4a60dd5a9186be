"""The official Anthropic SDK against the whole local gateway: base URL and key are all it is told."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.local_gateway import LocalGateway

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]

MODEL = "claude-sonnet-stand-in"  # a real name would be deprecated one day, which the SDK warns of
QUESTION: list[Any] = [{"role": "user", "content": "say something"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture
def client(local_gateway: LocalGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=local_gateway.anthropic_base_url, api_key=local_gateway.key, max_retries=0) as opened:
        yield opened


def test_message(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION)
    assert answer.content[0].type == "text"
    assert answer.content[0].text
    assert answer.usage.output_tokens > 0


def test_message_with_the_older_key_header(local_gateway: LocalGateway) -> None:
    with anthropic.Anthropic(
        base_url=local_gateway.anthropic_base_url,
        api_key="ignored",
        default_headers={"x-api-key": local_gateway.key, "authorization": anthropic.omit},  # type: ignore[dict-item]
        max_retries=0,
    ) as client:
        assert client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION).content


def test_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model=MODEL, max_tokens=100, messages=QUESTION) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text
    assert final.stop_reason == "end_turn"


def test_tools(client: anthropic.Anthropic) -> None:
    first = client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION, tools=[WEATHER])
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.name == "get_weather"
    result: Any = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}
    asked: Any = {"role": "assistant", "content": [block.to_dict() for block in first.content]}
    second = client.messages.create(model=MODEL, max_tokens=100, messages=[*QUESTION, asked, result], tools=[WEATHER])
    assert any(block.type == "text" for block in second.content)


def test_models(client: anthropic.Anthropic) -> None:
    page = client.models.list(limit=1000)
    names = [model.id for model in page]
    assert "claude-3-sonnet" in names  # of the model map
    assert len(names) == len(set(names))
    assert client.models.retrieve("claude-3-sonnet").type == "model"


def test_models_are_paged(client: anthropic.Anthropic) -> None:
    everything = [model.id for model in client.models.list(limit=1000)]
    assert [model.id for model in client.models.list(limit=2)] == everything


def test_a_bad_key_is_refused(local_gateway: LocalGateway) -> None:
    with (
        anthropic.Anthropic(base_url=local_gateway.anthropic_base_url, api_key="x" * 40, max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        client.messages.create(model=MODEL, max_tokens=100, messages=QUESTION)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "authentication_error"


def test_a_missing_field_is_named(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="model"):
        client.post("/v1/messages", body={"messages": QUESTION}, cast_to=object)


def test_claude_code_style_request(client: anthropic.Anthropic) -> None:
    """A query string, several betas and a body as large as coding agents send them."""
    answer = client.beta.messages.create(
        model=MODEL,
        max_tokens=100,
        betas=["prompt-caching-2024-07-31", "interleaved-thinking-2025-05-14"],
        system=[{"type": "text", "text": "x" * 80_000, "cache_control": {"type": "ephemeral"}}],
        messages=QUESTION,
    )
    assert answer.content
