"""The official OpenAI SDK against the whole local gateway: base URL and key are all it is told."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.local_gateway import LocalGateway

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]

QUESTION: list[Any] = [{"role": "user", "content": "say something"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
def client(local_gateway: LocalGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=local_gateway.openai_base_url, api_key=local_gateway.key, max_retries=0) as opened:
        yield opened


def test_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4.1", messages=QUESTION)
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0
    assert answer.model == "gpt-4.1"


def test_chat_with_a_mapped_model(client: openai.OpenAI) -> None:
    # The answer's model stays the one that really answered.
    assert client.chat.completions.create(model="gpt-4", messages=QUESTION).model == "gpt-4.1"


def test_chat_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="gpt-4.1", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None


def test_chat_tools(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4.1", messages=QUESTION, tools=[WEATHER])
    calls = first.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].function.name == "get_weather"
    json.loads(calls[0].function.arguments)
    result: Any = {"role": "tool", "tool_call_id": calls[0].id, "content": "sunny"}
    second = client.chat.completions.create(
        model="gpt-4.1", messages=[*QUESTION, first.choices[0].message.to_dict(), result], tools=[WEATHER]
    )
    assert second.choices[0].message.content


def test_streamed_tools(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4.1", messages=QUESTION, tools=[WEATHER], stream=True)
    arguments = ""
    for chunk in stream:
        for call in chunk.choices[0].delta.tool_calls or [] if chunk.choices else []:
            arguments += (call.function.arguments or "") if call.function else ""
    json.loads(arguments)


def test_embeddings(client: openai.OpenAI) -> None:
    # Left to itself the SDK asks for base64, which is relayed like everything else.
    answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert [len(item.embedding) > 0 for item in answer.data] == [True, True]


def test_responses(client: openai.OpenAI) -> None:
    assert client.responses.create(model="gpt-4.1", input="say something").output_text


def test_responses_stream(client: openai.OpenAI) -> None:
    types = [event.type for event in client.responses.create(model="gpt-4.1", input="say something", stream=True)]
    assert types[0] == "response.created"
    assert "response.output_text.delta" in types
    assert types[-1] == "response.completed"


def test_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert "gpt-4" in names  # of the model map
    assert "gpt-4o" in names  # of the upstream
    assert len(names) == len(set(names))
    assert client.models.retrieve("gpt-4").id == "gpt-4"


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("no-such/model")
    assert "no-such/model" in str(caught.value)


def test_a_bad_key_is_refused(local_gateway: LocalGateway) -> None:
    with (
        openai.OpenAI(base_url=local_gateway.openai_base_url, api_key="x" * 40, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.chat.completions.create(model="gpt-4.1", messages=QUESTION)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.type == "authentication_error"


def test_a_missing_field_is_named(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"messages": QUESTION}, cast_to=object)
    assert caught.value.param == "model"
    assert "model" in caught.value.message


def test_an_unknown_route_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.images.generate(model="x", prompt="y")
    assert caught.value.code == "unknown_route"
