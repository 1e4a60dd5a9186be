from __future__ import annotations

import pytest

from gateway_cli.smoke.desk import asked_model
from gateway_cli.smoke.plan import mapped_models, planned
from lambda_runtime.config import AuthStyle, Endpoint, GatewayConfig, ModelRoute, Operation, UpstreamConfig

CHAT, MESSAGES, RESPONSES, EMBEDDINGS = (
    Operation.CHAT_COMPLETIONS,
    Operation.MESSAGES,
    Operation.RESPONSES,
    Operation.EMBEDDINGS,
)


def upstream(name: str, *operations: Operation) -> UpstreamConfig:
    endpoint = Endpoint(base_url=f"https://{name}.invalid/v1", auth=AuthStyle.BEARER, operations=operations)
    return UpstreamConfig(name=name, endpoints=(endpoint,))


CONFIG = GatewayConfig(
    upstreams=(upstream("chat", CHAT, EMBEDDINGS), upstream("claude", MESSAGES), upstream("new", RESPONSES, EMBEDDINGS)),
    models={
        "gpt": ModelRoute(["chat/gpt-4.1"]),
        "opus": ModelRoute(["claude/opus", "chat/opus"]),
        "o9": ModelRoute(["new/o9"]),
        "vectors": ModelRoute(["new/Text-Embedding-3"]),
    },
)


def operations(model: str, *configurations: GatewayConfig) -> list[Operation]:
    return [one.operation for one in planned([model], configurations)]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt", [CHAT, MESSAGES]),
        ("opus", [CHAT, MESSAGES]),
        ("o9", [RESPONSES, EMBEDDINGS]),
        ("vectors", [EMBEDDINGS]),
        ("not-mapped", [CHAT, MESSAGES]),
    ],
)
def test_each_model_is_asked_in_every_format_that_it_is_served_in(model: str, expected: list[Operation]) -> None:
    assert operations(model, CONFIG) == expected


def test_without_a_configuration_both_are_tried() -> None:
    assert operations("gpt") == [CHAT, MESSAGES]
    assert operations("text-embedding-3-small") == [EMBEDDINGS]


def test_during_a_release_both_maps_count() -> None:
    other = GatewayConfig(upstreams=CONFIG.upstreams, models={"new": ModelRoute(["chat/new"]), "gpt": ModelRoute(["chat/x"])})
    assert mapped_models([CONFIG, other]) == ["gpt", "opus", "o9", "vectors", "new"]


def test_embeddings_have_no_stream() -> None:
    assert [one.streams for one in planned(["o9"], [CONFIG])] == [(False, True), (False,)]


def test_the_first_model_that_the_map_sends_to_an_upstream() -> None:
    assert asked_model(CONFIG.upstream("chat"), [CONFIG]) == "gpt-4.1"
    assert asked_model(CONFIG.upstream("new"), [CONFIG]) == "o9"
    assert asked_model(CONFIG.upstream("chat"), []) is None
