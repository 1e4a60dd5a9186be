"""What is told of secrets, and that it is never a value."""

import json

import pytest

from gateway_cli.errors import FAILED, MISTAKEN
from lambda_runtime.config import AuthStyle, Endpoint, Operation
from lambda_runtime.config.federation import OpenAiFederation
from tests.gateway_cli.credentials.bench import DAY, Bench
from tests.gateway_cli.credentials.conftest import upstream
from tests.gateway_cli.gateways import Account


def line(bench: Bench, name: str) -> list[str]:
    """A line of the table, in words."""
    return next(found for found in bench.call("status").stdout.splitlines() if found.startswith(f"{name} ")).split()


def test_what_there_is(bench: Bench) -> None:
    bench.now += 3 * 3600
    bench.put("rotating", "key-to-come-0002", "AIGATEWAY_STAGED")
    bench.now += 75
    done = bench.call("status")
    assert "Gateway AiGateway/Gateway" in done.stderr
    titles, rotating, plain, new = done.stdout.splitlines()
    assert titles.split() == ["upstream", "key", "made", "staged", "rotation", "last", "next", "previous", "secret"]
    assert rotating.split() == ["rotating", "set", "3", "h", "1", "m", "staged", "in", "9", "d", "secret-of-rotating"]
    assert plain.split() == ["plain", "set", "3", "h", "secret-of-plain"]
    assert new.split() == ["new", "placeholder", "3", "h", "secret-of-new"]
    found = bench.status("rotating")
    assert (found["state"], found["rotation"], found["rotation_enabled"]) == ("set", "staged", True)
    assert found["secret"] == "secret-of-rotating"
    assert found["secret_id"].startswith("arn:aws:secretsmanager:")
    assert found["staged"]
    assert found["next_rotation"]
    assert (found["previous"], found["under_way"], found["last_rotation"], found["why"]) == (None, None, None, None)
    assert [one["upstream"] for one in json.loads(bench.call("status", "--json").stdout)["upstreams"]] == [
        "rotating",
        "plain",
        "new",
    ]
    assert len(bench.call("status", "plain").stdout.splitlines()) == 2


def test_rotations(bench: Bench) -> None:
    bench.hides_empty = False
    fake = bench.fake("rotating")
    fake.last_rotation_date = int(bench.now - 20 * DAY)
    bench.put("rotating", "key-before-0000", "AWSPREVIOUS")
    bench.put("rotating", None, "AWSPENDING")
    bench.now += 75
    words = " ".join(line(bench, "rotating"))
    assert "set 1 m none staged 20 d in 9 d 1 m secret-of-rotating" in words
    assert "rotating: a rotation has been under way for 1 m" in bench.call("status").stdout
    bench.now += 11 * DAY
    assert "overdue" in line(bench, "rotating")
    fake.next_rotation_date = None
    assert "unknown" in line(bench, "rotating")
    fake.rotation_enabled = False
    assert "off" in line(bench, "rotating")
    assert bench.status("rotating")["rotation"] == "staged"
    bench.rotated.clear()
    fake.rotation_enabled = True
    assert "other" in line(bench, "rotating")
    assert bench.status("rotating")["rotation"] == "other"


@pytest.mark.parametrize(
    ("value", "state", "why"),
    [
        ('{"apiKey": 5, "key-in-the-wrong-field": "sk"}', "unusable", "without the text field 'apiKey'"),
        ("{broken-key", "unusable", "begins like a JSON object but is none"),
        ("two keys", "unusable", "characters that no API key has"),
        (None, "empty", "it has no value"),
    ],
)
def test_values_that_are_no_keys(bench: Bench, value: str | None, state: str, why: str) -> None:
    bench.add(upstream("odd", "http://127.0.0.1:1"), value)
    found = bench.status("odd")
    assert found["state"] == state
    assert why in found["why"]
    assert f"odd: {found['why']}" in bench.call("status").stdout


def test_bytes(bench: Bench) -> None:
    bench.client.put_secret_value(SecretId="secret-of-new", SecretBinary=b"sk-bytes")
    assert bench.status("new")["state"] == "binary"
    assert "holds bytes; put text there once" in bench.call("set", "new", key="key-to-come-0002", status=FAILED).stderr


def test_secrets_that_cannot_be_read(bench: Bench) -> None:
    for code in ("AccessDeniedException", "DecryptionFailure"):
        bench.refused["GetSecretValue"] = (code, "not you")
        found = bench.status("rotating")
        assert found["state"] == "not readable"
        assert "not you" in found["why"]
        assert found["next_rotation"], "the rest is known"
        error = bench.call("set", "rotating", key="key-to-come-0002", status=FAILED).stderr
        assert "it takes secretsmanager:GetSecretValue on the secret" in error
    bench.refused["GetSecretValue"] = ("InternalServiceError", "later")
    assert "AWS refuses that" in bench.call("status", status=FAILED).stderr
    bench.refused["DescribeSecret"] = ("AccessDeniedException", "not you")
    assert "it takes secretsmanager:DescribeSecret on the upstream's secret" in bench.call("status", status=FAILED).stderr


def test_secrets_that_are_not_there(bench: Bench) -> None:
    bench.client.delete_secret(SecretId="secret-of-plain")
    assert bench.status("plain")["state"] == "no secret"
    assert "plain has no secret: there is no arn:aws:" in bench.call("set", "plain", status=FAILED).stderr
    bench.variables["7"].pop("UPSTREAM_SECRET_NEW")
    assert "new: the function was told of none" in bench.call("status").stdout


def test_upstreams_without_a_stored_key(bench: Bench) -> None:
    endpoint = Endpoint(base_url="https://api.openai.com/v1", auth=AuthStyle.BEARER, operations=(Operation.RESPONSES,))
    federation = OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa_1", audience="https://x")
    bench.add(upstream("federated", bench.url, endpoints=(endpoint,), federation=federation), "x-unused-secret")
    nobody = Endpoint(base_url="http://127.0.0.1:1/v1", auth=AuthStyle.NONE, operations=(Operation.RESPONSES,))
    bench.add(upstream("keyless", bench.url, endpoints=(nobody,)), "x-unused-secret-2")
    assert line(bench, "federated") == ["federated", "federated"]
    assert line(bench, "keyless") == ["keyless", "takes", "none"]
    assert bench.status("federated")["secret"] is None
    assert (
        "federated has no stored key: it gets short-lived tokens" in bench.call("rotate", "federated", status=MISTAKEN).stderr
    )
    assert "keyless takes no key" in bench.call("stage", "keyless", status=MISTAKEN).stderr


def test_a_release_brings_an_upstream(bench: Bench) -> None:
    bench.add(upstream("coming", bench.url), "x-first-key-0001", versions=("8",))
    assert bench.status("coming")["state"] == "set"
    assert bench.status("rotating")["state"] == "set"


def test_unknown_upstreams_are_not_repeated(bench: Bench) -> None:
    error = bench.call("status", "rotatin", status=MISTAKEN).stderr
    assert "no upstream of that name; did you mean 'rotating'? (its upstreams: rotating, plain, new)" in error
    error = bench.call("rotate", "sk-0123456789abcdef01234", status=MISTAKEN).stderr
    assert "sk-0123" not in error
    assert "make another one at the provider" in error


def test_gateways_that_cannot_be_known(bench: Bench, account: Account) -> None:
    bench.refused["GetFunction"] = ("AccessDeniedException", "not you")
    error = bench.call("status", status=FAILED).stderr
    assert "what the gateway is made of is not known" in error
    assert "lambda:GetAlias and lambda:GetFunction" in error
    account.service.apis[0]["tags"].pop("ai-gateway:function")
    assert "does not name its function; deploy the gateway's stack once more" in bench.call("status", status=FAILED).stderr


def test_a_gateway_of_another_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"Environment": {"Variables": {"AI_GATEWAY_ROTATION": "[{}]"}}}
    monkeypatch.setattr(bench, "_GetFunctionConfiguration", lambda _: told)
    assert "what rotation-function rotates cannot be read (KeyError" in bench.call("status", status=FAILED).stderr


def test_a_gateway_without_rotation(bench: Bench, account: Account) -> None:
    account.service.apis[0]["tags"].pop("ai-gateway:rotation")
    bench.fake("rotating").rotation_enabled = False
    assert bench.status("rotating")["rotation"] is None
