from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk.aws_logs import RetentionDays

from gateway_app.context import AppContext, read_context
from gateway_app.json_value import ContextError
from gateway_construct import (
    AiGateway,
    AllAtOnce,
    AuthStyle,
    Canary,
    ModelRoute,
    Operation,
    Plan,
    Price,
    Quota,
    Timeouts,
    WebAcl,
    Weighted,
)
from tests.templates import cdk_json

pytestmark = pytest.mark.template

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-AbCdEf"


def read(**block: Any) -> AppContext:
    return read_context({"upstreams": ["openai"], **block})


def test_smallest_block() -> None:
    context = read()
    assert context.stack_name == "AiGateway"
    assert [entry.upstream.name for entry in context.upstreams] == ["openai"]
    assert (context.consumers, context.settings, context.domain) == ({}, {}, None)


def test_text_of_the_command_line_is_the_same_as_an_object() -> None:
    block = cdk_json()["context"]["ai-gateway"]
    assert read_context(json.dumps(block)).consumers == read_context(block).consumers


def test_every_setting_becomes_a_prop_of_the_gateway() -> None:
    settings = read(
        models={"gpt-4": ["openai/gpt-4.1"]},
        serve_unmapped_models=False,
        prices={"openai/*": {"input": 1, "output": 0}},
        consumer_limits=True,
        client_delivery=True,
        resilience=True,
        point_in_time_recovery=True,
        cors_allow_origins=[],
        memory_size=512,
        timeout_minutes=5,
        timeouts={"first_content": 30, "total": 60.5, "heartbeat": 10},
        model_list_ttl_seconds=60,
        reserved_concurrency=10,
        snap_start=True,
        tracing=True,
        log_retention_days=7,
        access_logs=True,
        authorizer_cache_seconds=60,
        release={"stable_version": 7, "weight": 0.05},
        web_acl={"rate_limit_per_5_minutes": 500},
        dashboard=False,
        metrics_cost_notice=50,
    ).settings
    timeout, ttl, cache = (settings[name] for name in ("timeout", "model_list_ttl", "authorizer_cache_ttl"))
    durations: list[Duration] = [timeout, ttl, cache]
    assert [duration.to_seconds() for duration in durations] == [300, 60, 60]
    rest = {name: value for name, value in settings.items() if not isinstance(value, Duration)}
    assert rest == {
        "models": {"gpt-4": ModelRoute(["openai/gpt-4.1"])},
        "serve_unmapped_models": False,
        "prices": {"openai/*": Price(input=1, output=0)},
        "consumer_limits": True,
        "client_delivery": True,
        "resilience": True,
        "point_in_time_recovery": True,
        "cors_allow_origins": [],
        "memory_size": 512,
        "timeouts": Timeouts(first_content=30, total=60.5, heartbeat=10),
        "reserved_concurrency": 10,
        "snap_start": True,
        "tracing": True,
        "log_retention": RetentionDays.ONE_WEEK,
        "access_logs": True,
        "release": Weighted(stable_version="7", weight=0.05),
        "web_acl": WebAcl(rate_limit_per_5_minutes=500),
        "dashboard": False,
        "metrics_cost_notice": 50,
    }
    assert set(settings) <= set(AiGateway.__init__.__kwdefaults__ or {})


@pytest.mark.parametrize(
    ("setting", "value", "prop", "expected"),
    [
        ("release", "all_at_once", "release", AllAtOnce()),
        ("release", "canary", "release", Canary()),
        (
            "release",
            {"canary": {"weight": 0.1, "ramp": [0.5], "error_margin": 0.02, "latency_ratio": 3, "minimum_requests": 5}},
            "release",
            Canary(weight=0.1, ramp=[0.5], error_margin=0.02, latency_ratio=3, minimum_requests=5),
        ),
        ("web_acl", True, "web_acl", WebAcl()),
        ("web_acl", False, "web_acl", None),
        ("log_retention_days", "forever", "log_retention", RetentionDays.INFINITE),
        ("memory_size", 512.0, "memory_size", 512),
        ("hooks", "rules", "hooks", "rules"),
    ],
)
def test_other_spellings(setting: str, value: object, prop: str, expected: object) -> None:
    assert read(**{setting: value}).settings[prop] == expected


def test_null_is_left_out() -> None:
    assert read(memory_size=None, plans=None).settings == {}


def test_plans_and_consumers() -> None:
    context = read(
        plans={"standard": {"rate": 20, "burst": 40, "quota": {"per_week": 7}}, "free": {}},
        consumers={"search": "standard", "batch jobs": "free"},
    )
    assert context.consumers == {"search": Plan(rate=20, burst=40, quota=Quota.per_week(7)), "batch jobs": Plan()}


def test_upstreams() -> None:
    context = read_context(
        {
            "upstreams": [
                {"preset": "holysheep", "example_models": True},
                {"preset": "openai", "name": "second", "base_url": "https://eu.api.openai.com/v1", "secret_arn": ARN},
                {"preset": "bedrock", "region": "us-west-2", "secret_field": "key"},
                {
                    "preset": "openai_compatible",
                    "name": "vllm",
                    "base_url": "http://127.0.0.1:8000/v1",
                    "auth": "none",
                    "operations": ["chat_completions"],
                },
                {
                    "preset": "openai_compatible",
                    "name": "ollama",
                    "base_url": "http://127.0.0.1:11434/v1",
                    "auth": "none",
                    "model_prefixes": ["llama"],
                    "stream_usage": False,
                },
                {
                    "preset": "anthropic_compatible",
                    "name": "relay",
                    "base_url": "https://llm.example.com",
                    "model_prefixes": ["claude-"],
                },
                "anthropic",
                "deepseek",
                "gemini",
            ],
        },
    )
    upstreams = {entry.upstream.name: entry.upstream for entry in context.upstreams}
    assert list(upstreams) == ["holysheep", "second", "bedrock", "vllm", "ollama", "relay", "anthropic", "deepseek", "gemini"]
    assert upstreams["holysheep"].example_models
    assert [entry.secret_arn for entry in context.upstreams][:3] == [None, ARN, None]
    assert upstreams["bedrock"].config.secret_field == "key"
    [endpoint] = upstreams["vllm"].config.endpoints
    assert (endpoint.auth, endpoint.operations) == (AuthStyle.NONE, (Operation.CHAT_COMPLETIONS,))
    assert (upstreams["vllm"].config.model_prefixes, upstreams["vllm"].config.stream_usage) == ((), True)
    assert (upstreams["ollama"].config.model_prefixes, upstreams["ollama"].config.stream_usage) == (("llama",), False)
    assert upstreams["relay"].config.model_prefixes == ("claude-",)


def test_domain() -> None:
    zone = {"hosted_zone_id": "Z1", "hosted_zone_name": "example.com", "disable_default_endpoint": True}
    domain = read(domain={"name": "llm.example.com", "certificate_arn": "arn:aws:acm:x", **zone}).domain
    assert domain is not None
    assert (domain.name, domain.hosted_zone_id, domain.disable_default_endpoint) == ("llm.example.com", "Z1", True)


def test_alarm_topic() -> None:
    arn = "arn:aws-us-gov:sns:us-gov-west-1:111122223333:operators"
    assert read(alarm_topic_arn=arn).alarm_topic_arn == arn


# What is wrong, the path that the message must begin with, and what else it must say: the value received and the way out.
WRONG: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"memroy_size": 256}, "ai-gateway.memroy_size", ["256", "did you mean 'memory_size'?"]),
    ({"upstreams": None}, "ai-gateway.upstreams is missing", ["give it"]),
    ({"upstreams": []}, "ai-gateway.upstreams must not be empty", ["[]", '["openai"]']),
    ({"upstreams": "openai"}, "ai-gateway.upstreams must be a list", ["'openai'"]),
    ({"upstreams": ["opnai"]}, "ai-gateway.upstreams[0].preset", ["'opnai'", "did you mean 'openai'?", "bedrock"]),
    ({"upstreams": [{}]}, "ai-gateway.upstreams[0].preset is missing", ["holysheep"]),
    ({"upstreams": [7]}, "ai-gateway.upstreams[0] must be an object", ["7"]),
    ({"upstreams": ["openai", "openai"]}, "ai-gateway.upstreams[1]", ["'openai'", '"name": "openai-2"']),
    ({"upstreams": [{"preset": "bedrock"}]}, "ai-gateway.upstreams[0].region is missing", ["preset"]),
    ({"upstreams": [{"preset": "openai", "region": "x"}]}, "ai-gateway.upstreams[0].region", ["'x'", "base_url"]),
    ({"upstreams": [{"preset": "openai", "name": "Open AI"}]}, "ai-gateway.upstreams[0]", ["'Open AI'", "lower-case"]),
    (
        {"upstreams": [{"preset": "openai", "base_url": "api.openai.com"}]},
        "ai-gateway.upstreams[0]",
        ["'api.openai.com'", "absolute https URL"],
    ),
    (
        {"upstreams": [{"preset": "openai_compatible", "name": "x", "base_url": "https://x/v1", "auth": "barer"}]},
        "ai-gateway.upstreams[0].auth",
        ["'barer'", "did you mean 'bearer'?"],
    ),
    (
        {"upstreams": [{"preset": "openai_compatible", "name": "x", "base_url": "https://x/v1", "operations": ["chat"]}]},
        "ai-gateway.upstreams[0].operations[0]",
        ["'chat'", "chat_completions"],
    ),
    (
        {"upstreams": [{"preset": "openai", "secret_arn": "openai"}]},
        "ai-gateway.upstreams[0].secret_arn",
        ["'openai'", "aws secretsmanager describe-secret"],
    ),
    (
        {
            "upstreams": [
                {
                    "preset": "openai_compatible",
                    "name": "x",
                    "base_url": "https://x/v1",
                    "auth": "none",
                    "secret_arn": ARN,
                },
            ],
        },
        "ai-gateway.upstreams[0].secret_arn",
        [ARN, "leave it"],
    ),
    ({"resilience": "off"}, "ai-gateway.resilience", ["'off'", "true or false"]),
    ({"client_delivery": "whole"}, "ai-gateway.client_delivery", ["'whole'", "true or false"]),
    (
        {"upstreams": [{"preset": "openai_compatible", "name": "x", "base_url": "https://x/v1", "model_prefixes": "llama"}]},
        "ai-gateway.upstreams[0].model_prefixes must be a list",
        ["'llama'"],
    ),
    ({"upstreams": [{"preset": "openai", "stream_usage": True}]}, "ai-gateway.upstreams[0].stream_usage", ["True"]),
    ({"serve_unmapped_models": "no"}, "ai-gateway.serve_unmapped_models", ["'no'", "true or false"]),
    ({"cors_allow_origins": "*"}, "ai-gateway.cors_allow_origins", ["'*'", "list"]),
    ({"cors_allow_origins": [""]}, "ai-gateway.cors_allow_origins[0]", ["''", "not empty"]),
    ({"memory_size": 64}, "ai-gateway.memory_size", ["64", "from 128 to 10240"]),
    ({"memory_size": "256"}, "ai-gateway.memory_size", ["'256'", "without quotes"]),
    ({"memory_size": True}, "ai-gateway.memory_size", ["True", "whole number"]),
    ({"timeout_minutes": 16}, "ai-gateway.timeout_minutes", ["16", "from 1 to 15"]),
    ({"timeouts": {"idle": 0}}, "ai-gateway.timeouts.idle", ["0", "above 0"]),
    ({"timeouts": {"read": 1}}, "ai-gateway.timeouts.read", ["1", "first_content"]),
    ({"timeouts": {"heartbeat": 400}}, "ai-gateway.timeouts", ["400", "heartbeat must be less than 300 seconds"]),
    ({"log_retention_days": 8}, "ai-gateway.log_retention_days", ["8", "forever"]),
    ({"reserved_concurrency": 0}, "ai-gateway.reserved_concurrency", ["0", "at least 1"]),
    ({"authorizer_cache_seconds": 3601}, "ai-gateway.authorizer_cache_seconds", ["3601", "from 1 to 3600"]),
    ({"release": "kanary"}, "ai-gateway.release", ["'kanary'", "all_at_once", "canary"]),
    ({"release": {"canary": {"weight": 5}}}, "ai-gateway.release.canary.weight", ["5", "from 0 to 1"]),
    ({"release": {"canary": {"weight": 1}}}, "ai-gateway.release.canary", ["canary: weight must be above 0 and below 1"]),
    ({"release": {"canary": {"bake": 1}}}, "ai-gateway.release.canary.bake is no setting", ["bake_minutes"]),
    ({"release": {"canary": {}, "weight": 1}}, "ai-gateway.release.weight is no setting", ["canary"]),
    ({"release": {"weight": 0.1}}, "ai-gateway.release.stable_version is missing", ["weight"]),
    ({"release": {"stable_version": "live", "weight": 0.1}}, "ai-gateway.release", ["'live'", "list-versions-by-function"]),
    ({"release": {"stable_version": 7, "weight": 5}}, "ai-gateway.release.weight", ["5", "from 0 to 1"]),
    ({"web_acl": {"rate_limit_per_5_minutes": 1}}, "ai-gateway.web_acl.rate_limit_per_5_minutes", ["1", "at least 10"]),
    ({"plans": {"standard": {"rate": 0}}}, "ai-gateway.plans.standard.rate", ["0", "above 0"]),
    ({"plans": {"standard": {"rate": "20"}}}, "ai-gateway.plans.standard.rate", ["'20'", "without quotes"]),
    ({"plans": {"standard": {"brust": 4}}}, "ai-gateway.plans.standard.brust", ["4", "did you mean 'burst'?"]),
    ({"plans": {"standard": {"burst": 4}}}, "ai-gateway.plans.standard", ["4", "rate"]),
    ({"plans": {"standard": {"quota": 5}}}, "ai-gateway.plans.standard.quota", ["5", "object"]),
    ({"plans": {"standard": {"quota": {}}}}, "ai-gateway.plans.standard.quota", ["{}", "per_day"]),
    ({"plans": {"standard": {"quota": {"per_day": 1.5}}}}, "ai-gateway.plans.standard.quota.per_day", ["1.5", "whole"]),
    (
        {"consumers": {"search": "standrd"}, "plans": {"standard": {}}},
        "ai-gateway.consumers.search",
        ["did you mean 'standard'?"],
    ),
    ({"consumers": {"search": "standard"}}, "ai-gateway.consumers.search", ["'standard'", "none"]),
    ({"consumers": {"-": "a"}, "plans": {"a": {}}}, "ai-gateway.consumers", ["'-'", "start with a letter"]),
    ({"consumers": {"a-b": "a", "a.b": "a"}, "plans": {"a": {}}}, "ai-gateway.consumers", ["'a.b'", "'a-b'", "rename"]),
    ({"upstreams": [{"preset": "openai", "rotation": {}}]}, "ai-gateway.upstreams[0].rotation.every_days is missing", []),
    (
        {"upstreams": [{"preset": "openai", "rotation": {"every_days": 30, "notice_days": 31}}]},
        "ai-gateway.upstreams[0].rotation",
        ["notice", "31 days"],
    ),
    ({"domain": {"name": "llm.example.com"}}, "ai-gateway.domain.certificate_arn is missing", ["name"]),
    (
        {"domain": {"name": "llm.example.com", "certificate_arn": "arn:x", "hosted_zone_id": "Z1"}},
        "ai-gateway.domain",
        ["'Z1'", "give both or neither"],
    ),
    ({"dashboard": "no"}, "ai-gateway.dashboard", ["'no'", "true or false"]),
    ({"metrics_cost_notice": 0}, "ai-gateway.metrics_cost_notice", ["0", "above 0"]),
    ({"alarm_topic_arn": "operators"}, "ai-gateway.alarm_topic_arn", ["'operators'", "aws sns list-topics"]),
    ({"stack_name": "ai_gateway"}, "ai-gateway.stack_name", ["'ai_gateway'", "hyphens"]),
]


@pytest.mark.parametrize(
    ("block", "path", "says"), WRONG, ids=[f"{number}-{path}" for number, (_, path, _) in enumerate(WRONG)]
)
def test_errors_name_path_value_and_way_out(block: dict[str, Any], path: str, says: list[str]) -> None:
    with pytest.raises(ContextError) as caught:
        read(**block)
    message = str(caught.value)
    assert message.startswith(path), message
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (None, ["missing", "cdk.json", "cdk synth -c"]),
        ("{upstreams", ["JSON", "'{upstreams'", "quote it"]),
        ("[]", ["must be an object", "[]"]),
        (7, ["must be an object", "7"]),
    ],
)
def test_the_block_itself(block: object, says: list[str]) -> None:
    with pytest.raises(ContextError, match=r"^ai-gateway ") as caught:
        read_context(block)
    for part in says:
        assert part in str(caught.value)


def test_a_canary_tells_its_times_in_minutes() -> None:
    release = read(release={"canary": {"bake_minutes": 30, "ramp_interval_minutes": 5}}).settings["release"]
    assert isinstance(release, Canary)
    assert (release.bake_seconds, release.ramp_seconds) == (1800, 300)


def test_a_rotation_tells_its_times_in_days() -> None:
    block = {"preset": "openai", "rotation": {"every_days": 30, "notice_days": 3}}
    (entry,) = read(upstreams=[block], models={}).upstreams
    rotation = entry.upstream.rotation
    assert rotation is not None
    assert rotation.notice is not None
    assert (rotation.every.to_days(), rotation.notice.to_days()) == (30, 3)
