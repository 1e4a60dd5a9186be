"""What the stand-in provider cannot show: token counting, images as they were sent, streams that break in the middle."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.contract.conftest import Scripted
from tests.lambda_runtime.upstream_server import answer_json, answer_stream

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("scripted")]

IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400).decode()
QUESTION: list[Any] = [{"role": "user", "content": "hello"}]


def chunk(**changes: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **changes}


def event(data: dict[str, Any], name: str | None = None) -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def message(content: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 1}
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}


@pytest.fixture
def openai_client(scripted: Scripted) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=scripted.gateway.openai_base_url, api_key=scripted.gateway.key, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(scripted: Scripted) -> Iterator[anthropic.Anthropic]:
    url, key = scripted.gateway.anthropic_base_url, scripted.gateway.key
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as client:
        yield client


def test_tokens_are_counted(scripted: Scripted, anthropic_client: anthropic.Anthropic) -> None:
    scripted.upstream.answer = answer_json({"input_tokens": 14})
    count = anthropic_client.messages.count_tokens(model="m", system="be brief", messages=QUESTION)
    assert count.input_tokens == 14
    assert scripted.upstream.last.target == "/v1/messages/count_tokens"
    assert json.loads(scripted.upstream.last.body) == {"model": "m", "system": "be brief", "messages": QUESTION}


def test_an_image_in_chat_completions(scripted: Scripted, openai_client: openai.OpenAI) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "a picture"}, "finish_reason": "stop"}
    scripted.upstream.answer = answer_json(chunk(object="chat.completion", choices=[choice]))
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}", "detail": "low"}}
    asked: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "what is this?"}, image]}]
    answer = openai_client.chat.completions.create(model="m", messages=asked)
    assert answer.choices[0].message.content == "a picture"
    assert json.loads(scripted.upstream.last.body)["messages"] == asked


def test_an_image_in_messages(scripted: Scripted, anthropic_client: anthropic.Anthropic) -> None:
    scripted.upstream.answer = answer_json(message([{"type": "text", "text": "a picture"}]))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}
    asked: list[Any] = [{"role": "user", "content": [image, {"type": "text", "text": "what is this?"}]}]
    answer = anthropic_client.messages.create(model="m", max_tokens=10, messages=asked)
    assert answer.content[0].type == "text"
    assert json.loads(scripted.upstream.last.body)["messages"] == asked


def test_a_chat_stream_that_breaks_is_an_error_after_what_had_come(scripted: Scripted, openai_client: openai.OpenAI) -> None:
    choice = {"index": 0, "delta": {"role": "assistant", "content": "half an ans"}, "finish_reason": None}
    scripted.upstream.answer = answer_stream([event(chunk(choices=[choice]))], cut=True)
    stream = openai_client.chat.completions.create(model="m", messages=QUESTION, stream=True)
    assert next(stream).choices[0].delta.content == "half an ans"
    with pytest.raises(openai.APIError) as caught:
        next(stream)
    assert caught.value.code == "upstream_stream_interrupted"


def test_a_message_stream_that_breaks_is_an_error_after_what_had_come(
    scripted: Scripted, anthropic_client: anthropic.Anthropic
) -> None:
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "half an ans"}}
    begin = {"type": "message_start", "message": message([])}
    scripted.upstream.answer = answer_stream([event(data, data["type"]) for data in (begin, block, delta)], cut=True)
    with anthropic_client.messages.stream(model="m", max_tokens=10, messages=QUESTION) as stream:
        assert next(stream.text_stream) == "half an ans"
        with pytest.raises(anthropic.APIStatusError) as caught:
            next(stream.text_stream)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "api_error"


def test_the_terminal_tells_that_a_stream_broke(scripted: Scripted, openai_client: openai.OpenAI) -> None:
    choice = {"index": 0, "delta": {"content": "half"}, "finish_reason": None}
    scripted.upstream.answer = answer_stream([event(chunk(choices=[choice]))], cut=True)
    before = scripted.gateway.printed("broke off after it had started")
    with pytest.raises(openai.APIError):
        list(openai_client.chat.completions.create(model="m", messages=QUESTION, stream=True))
    scripted.gateway.wait_for("broke off after it had started", before + 1)
