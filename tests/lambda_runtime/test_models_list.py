"""`GET /v1/models` and `/v1/models/{id}`: the union of what upstreams list, in the asking SDK's shape."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from lambda_runtime import models_list
from lambda_runtime.config import Operation
from tests.lambda_runtime.gateway_kit import (
    UPSTREAM_KEY,
    Kit,
    anthropic_upstream,
    both_formats,
    event,
    gateway_over,
    openai_upstream,
)
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_bytes, answer_json, serve

ALL = "/v1/models"
ONE = "/v1/models/{id+}"
ANTHROPIC = {"Anthropic-Version": "2023-06-01"}
OPENAI_LIST: dict[str, Any] = {
    "object": "list",
    "data": [
        {"id": "gpt-4.1", "object": "model", "created": 1_700_000_000, "owned_by": "openai", "context_window": 5},
        {"id": "org/shared", "object": "model", "created": 1, "owned_by": "first"},
    ],
}
ANTHROPIC_LIST: dict[str, Any] = {
    "data": [
        {"type": "model", "id": "claude", "display_name": "Claude", "created_at": "2025-02-19T00:00:00Z"},
        {"type": "model", "id": "org/shared", "display_name": "Second", "created_at": "2025-02-19T00:00:00Z"},
    ],
    "has_more": False,
    "first_id": "claude",
    "last_id": "org/shared",
}


@pytest.fixture
def first() -> Iterator[UpstreamServer]:
    with serve() as server:
        server.answer = answer_json(OPENAI_LIST)
        yield server


@pytest.fixture
def second() -> Iterator[UpstreamServer]:
    with serve() as server:
        server.answer = answer_json(ANTHROPIC_LIST)
        yield server


@pytest.fixture
def kit(first: UpstreamServer, second: UpstreamServer) -> Iterator[Kit]:
    with gateway_over(
        openai_upstream("first", first.url),
        anthropic_upstream("second", second.url),
        models={"gpt-4": ["first/gpt-4.1"], "mapped": ["second/unlisted"]},
    ) as kit:
        yield kit


def ids(document: Any) -> list[str]:
    return [model["id"] for model in document["data"]]


def test_the_openai_shape(kit: Kit, first: UpstreamServer, second: UpstreamServer) -> None:
    response = kit.call(event(ALL))
    assert response.status == 200
    assert response.header("content-type") == "application/json"
    document = response.json()
    assert document["object"] == "list"
    assert ids(document) == ["gpt-4", "mapped", "gpt-4.1", "org/shared", "claude"]
    by_id = {model["id"]: model for model in document["data"]}
    assert by_id["gpt-4.1"] == OPENAI_LIST["data"][0]
    assert by_id["gpt-4"] == {**by_id["gpt-4.1"], "id": "gpt-4"}
    assert by_id["mapped"] == {"id": "mapped", "object": "model", "created": 0, "owned_by": "second"}
    assert by_id["org/shared"]["owned_by"] == "first"
    assert by_id["claude"] == {"id": "claude", "object": "model", "created": 1_739_923_200, "owned_by": "second"}
    assert (first.last.target, first.last.header("authorization")) == ("/v1/models", f"Bearer {UPSTREAM_KEY}")
    assert (second.last.target, second.last.header("x-api-key")) == ("/v1/models?limit=1000", UPSTREAM_KEY)
    assert second.last.header("anthropic-version") == "2023-06-01"


def test_the_anthropic_shape(kit: Kit) -> None:
    document = kit.call(event(ALL, headers=ANTHROPIC)).json()
    assert ids(document) == ["gpt-4", "mapped", "gpt-4.1", "org/shared", "claude"]
    assert {key: document[key] for key in ("has_more", "first_id", "last_id")} == {
        "has_more": False,
        "first_id": "gpt-4",
        "last_id": "claude",
    }
    by_id = {model["id"]: model for model in document["data"]}
    assert by_id["claude"] == ANTHROPIC_LIST["data"][0]
    assert by_id["gpt-4.1"] == {
        "id": "gpt-4.1",
        "type": "model",
        "display_name": "gpt-4.1",
        "created_at": "2023-11-14T22:13:20Z",
        "context_window": 5,
    }
    assert by_id["mapped"]["created_at"] == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("query", "expected", "has_more"),
    [
        ({"limit": "2"}, ["gpt-4", "mapped"], True),
        ({"limit": "2", "after_id": "mapped"}, ["gpt-4.1", "org/shared"], True),
        ({"limit": "2", "after_id": "org/shared"}, ["claude"], False),
        ({"after_id": "claude"}, [], False),
        ({"limit": "2", "before_id": "claude"}, ["gpt-4.1", "org/shared"], True),
        ({"limit": "2", "before_id": "mapped"}, ["gpt-4"], False),
        ({"limit": "1000"}, ["gpt-4", "mapped", "gpt-4.1", "org/shared", "claude"], False),
    ],
)
def test_anthropic_pages(kit: Kit, query: dict[str, str], expected: list[str], has_more: bool) -> None:
    document = kit.call(event(ALL, headers=ANTHROPIC, query={name: [value] for name, value in query.items()})).json()
    assert (ids(document), document["has_more"]) == (expected, has_more)
    assert (document["first_id"], document["last_id"]) == ((expected[0], expected[-1]) if expected else (None, None))


@pytest.mark.parametrize(
    ("field", "value"), [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("limit", "²"), ("after_id", "nope")]
)
def test_a_page_that_is_not_understood_is_a_400(kit: Kit, field: str, value: str) -> None:
    response = kit.call(event(ALL, headers=ANTHROPIC, query={field: [value]}))
    assert response.status == 400
    assert field in response.json()["error"]["message"]


@pytest.mark.parametrize("encode", [False, True])
def test_one_model(kit: Kit, encode: bool) -> None:
    asked = quote("org/shared", safe="") if encode else "org/shared"
    response = kit.call(event(ONE, path_id=asked))
    assert response.json() == OPENAI_LIST["data"][1]
    response = kit.call(event(ONE, path_id=asked, headers=ANTHROPIC))
    assert (response.json()["type"], response.json()["id"]) == ("model", "org/shared")


def test_an_unknown_model_is_a_404_in_the_asking_shape(kit: Kit) -> None:
    response = kit.call(event(ONE, path_id="nope"))
    assert (response.status, response.json()["error"]["code"]) == (404, "model_not_found")
    response = kit.call(event(ONE, path_id="nope", headers=ANTHROPIC))
    assert (response.status, response.json()["error"]["type"]) == (404, "not_found_error")


def test_lists_are_cached(kit: Kit, first: UpstreamServer, second: UpstreamServer) -> None:
    for _ in range(3):
        kit.call(event(ALL))
        kit.call(event(ONE, path_id="claude", headers=ANTHROPIC))
    assert (len(first.received), len(second.received)) == (1, 1)


def test_lists_are_fetched_again_after_their_time(first: UpstreamServer) -> None:
    with gateway_over(openai_upstream("first", first.url), model_list_ttl=0.0) as kit:
        kit.call(event(ALL))
        first.answer = answer_json({"data": [{"id": "new"}]})
        assert ids(kit.call(event(ALL)).json()) == ["new"]
        first.answer = answer_bytes(b"", 500)
        assert ids(kit.call(event(ALL)).json()) == ["new"]  # an old list is better than none


def test_lists_age_while_the_instance_is_frozen(first: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(time=time.time, monotonic=lambda: 0.0)
    monkeypatch.setattr(models_list, "time", clock)
    with gateway_over(openai_upstream("first", first.url)) as kit:
        kit.call(event(ALL))
        first.answer = answer_json({"data": [{"id": "new"}]})
        assert ids(kit.call(event(ALL)).json()) != ["new"]
        later = time.time() + 301
        clock.time = lambda: later
        assert ids(kit.call(event(ALL)).json()) == ["new"]


def test_the_shape_is_told_from_multi_value_headers_too(kit: Kit) -> None:
    response = kit.call(event(ALL, headers=ANTHROPIC) | {"headers": None})
    assert "has_more" in response.json()


def test_of_two_endpoints_one_is_asked(first: UpstreamServer) -> None:
    with gateway_over(both_formats("first", first.url)) as kit:
        kit.call(event(ALL))
    assert [received.target for received in first.received] == ["/v1/models"]


def test_a_long_anthropic_list_is_read_page_by_page(second: UpstreamServer) -> None:
    def answer(received: Received, connection: Connection) -> None:
        page = len(second.received)
        document = {"data": [{"id": f"m{page}/é"}], "has_more": page < 3, "last_id": f"m{page}/é"}
        answer_json(document)(received, connection)

    second.answer = answer
    with gateway_over(anthropic_upstream("second", second.url)) as kit:
        assert ids(kit.call(event(ALL)).json()) == ["m1/é", "m2/é", "m3/é"]
    assert second.last.target == "/v1/models?limit=1000&after_id=m2%2F%C3%A9"


def test_a_list_without_an_end_is_cut(second: UpstreamServer) -> None:
    second.answer = answer_json({"data": [{"id": "m"}], "has_more": True, "last_id": "m"})
    with gateway_over(anthropic_upstream("second", second.url)) as kit:
        assert ids(kit.call(event(ALL)).json()) == ["m"]
    assert len(second.received) == 5


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (404, b"{}"), (401, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b'{"data":5}'), (200, b"x" * (5 << 20))],
)
def test_an_upstream_that_fails_is_left_out_and_logged(
    kit: Kit, second: UpstreamServer, capsys: pytest.CaptureFixture[str], status: int, body: bytes
) -> None:
    second.answer = answer_bytes(body, status)
    response = kit.call(event(ALL))
    assert response.status == 200
    assert "claude" not in ids(response.json())
    assert "gpt-4.1" in ids(response.json())
    warning = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (warning["level"], warning["upstream"]) == ("WARNING", "second")


def test_nothing_listed_and_nothing_mapped_is_a_502(first: UpstreamServer) -> None:
    first.answer = answer_bytes(b"", 500)
    with gateway_over(openai_upstream("first", first.url)) as kit:
        for headers in ({}, ANTHROPIC):
            assert kit.call(event(ALL, headers=headers)).status == 502
    assert len(first.received) == 1  # and it is not asked again at once


def test_a_rotated_key_is_fetched_for_lists_too(kit: Kit, first: UpstreamServer) -> None:
    kit.credentials.fetch_all()
    kit.secrets.values["arn:first"] = "sk-next"
    first.answers = [answer_json({}, 401)]
    assert "gpt-4.1" in ids(kit.call(event(ALL)).json())
    assert first.last.header("authorization") == "Bearer sk-next"


def test_where_only_the_map_is_served_only_the_map_is_listed(first: UpstreamServer) -> None:
    with gateway_over(
        openai_upstream("first", first.url), models={"gpt-4": ["first/gpt-4.1"]}, serve_unmapped_models=False
    ) as kit:
        assert ids(kit.call(event(ALL)).json()) == ["gpt-4"]
        assert kit.call(event(ONE, path_id="gpt-4.1")).status == 404
    assert first.received == []


def test_a_404_for_a_model_names_listed_ones_that_are_cached(kit: Kit) -> None:
    kit.call(event(ALL))
    message = kit.call(event(Operation.EMBEDDINGS, {"model": "mapped"})).json()["error"]["message"]
    assert "models: gpt-4, gpt-4.1, org/shared, claude" in message
