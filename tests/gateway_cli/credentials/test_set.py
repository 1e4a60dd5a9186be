"""Setting a key at once, and going back."""

import json

import pytest

from gateway_cli.errors import FAILED, MISTAKEN
from lambda_runtime.config import AuthStyle, Endpoint, Operation
from lambda_runtime.config.secrets import STAGED_LABEL, RotationKind
from tests.gateway_cli.credentials.bench import PLACEHOLDER, Bench
from tests.gateway_cli.credentials.conftest import CURRENT, upstream
from tests.lambda_runtime.rotation.kit import takes
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

NEXT, OTHER = "key-to-come-0002", "key-to-come-0003"


@pytest.fixture(autouse=True)
def known_keys(server: UpstreamServer) -> None:
    server.answer = takes(CURRENT, NEXT)


def test_the_first_key(bench: Bench, server: UpstreamServer) -> None:
    done = bench.call("set", "new", key=NEXT)
    assert done.stdout.splitlines()[:2] == ["The key of new is set.", "It is the first one: there was no key before."]
    assert "Function instances fetch the current key" in done.stdout
    assert "127.0.0.1 takes the key." in done.stderr
    assert json.loads(bench.value("new") or "") == {"apiKey": NEXT}
    assert server.last.target == "/v1/models"
    assert bench.status("new")["state"] == "set"
    error = bench.call("revert", "new", status=FAILED).stderr
    assert "the previous value of new is no key: the placeholder, or none at all" in error


def test_another_key(bench: Bench) -> None:
    done = bench.call("set", "plain", key=NEXT)
    assert "stays in the secret as the previous one; to go back to it: ai-gateway credentials revert plain" in done.stdout
    assert json.loads(bench.value("plain") or "") == {"team": "search", "token": NEXT}
    assert json.loads(bench.value("plain", "AWSPREVIOUS") or "") == {"team": "search", "token": CURRENT}
    document = json.loads(bench.call("revert", "plain", "--json").stdout)
    assert (document["upstream"], document["changed"]) == ("plain", True)
    assert json.loads(bench.value("plain") or "")["token"] == CURRENT
    bench.now += 3600 + 1800  # half an hour more than is told: the secrets have a time of their own
    assert "The key of plain is the previous one again, which was made 1 h ago." in bench.call("revert", "plain").stdout
    assert json.loads(bench.value("plain") or "")["token"] == NEXT, "there and back again"


def test_a_secret_without_a_value(bench: Bench) -> None:
    bench.add(upstream("empty", bench.url), None)
    bench.call("set", "empty", key=NEXT)
    assert bench.value("empty") == NEXT


def test_a_key_that_is_refused(bench: Bench) -> None:
    error = bench.call("set", "plain", key=OTHER, status=FAILED).stderr
    assert "127.0.0.1 refuses the key, and nothing was changed: key refused: status 401: Incorrect API key" in error
    assert "ai-gateway credentials set plain --no-test" in error
    assert bench.labels("plain") == ["AWSCURRENT"]
    bench.call("set", "plain", "--no-test", key=OTHER)
    assert json.loads(bench.value("plain") or "")["token"] == OTHER


def test_an_upstream_that_cannot_tell(bench: Bench, server: UpstreamServer) -> None:
    server.answer = answer_json({}, 404)
    assert "cannot tell whether the key is right" in bench.call("set", "plain", key=NEXT).stderr
    assert json.loads(bench.value("plain") or "")["token"] == NEXT
    server.answer = answer_json({"error": "later"}, 503)
    error = bench.call("set", "plain", key=OTHER, status=FAILED).stderr
    assert "cannot be asked whether the key is right, and nothing was changed: status 503: later" in error
    assert "--no-test" in error
    endpoint = Endpoint(base_url="http://127.0.0.1:1/v1", auth=AuthStyle.BEARER, operations=(Operation.RESPONSES,))
    bench.add(upstream("away", bench.url, endpoints=(endpoint,)), PLACEHOLDER)
    assert "cannot be connected to" in bench.call("set", "away", key=OTHER, status=FAILED).stderr


def test_the_endpoint_that_takes_a_key_is_asked(bench: Bench, server: UpstreamServer) -> None:
    nobody = Endpoint(base_url="http://127.0.0.1:1/v1", auth=AuthStyle.NONE, operations=(Operation.RESPONSES,))
    keyed = Endpoint(base_url=f"{bench.url}/anthropic", auth=AuthStyle.X_API_KEY, operations=(Operation.MESSAGES,))
    bench.add(upstream("both", bench.url, endpoints=(nobody, keyed)), PLACEHOLDER)
    bench.call("set", "both", key=NEXT)
    assert server.last.target == "/anthropic/v1/models"
    assert server.last.header("x-api-key") == NEXT


@pytest.mark.parametrize(("key", "status"), [(CURRENT, FAILED), ("", MISTAKEN), ("two words", MISTAKEN)])
def test_what_is_not_set(bench: Bench, server: UpstreamServer, key: str, status: int) -> None:
    bench.call("set", "rotating", key=key, status=status)
    bench.call("set", "new", key="s0mething-rand0m", status=FAILED)
    assert bench.labels("rotating") == bench.labels("new") == ["AWSCURRENT"]
    assert server.received == [], "nobody was asked"


def test_what_was_staged_is_taken_care_of(bench: Bench) -> None:
    bench.call("stage", "rotating", key=OTHER)
    done = bench.call("set", "rotating", key=NEXT)
    assert "another key is staged for rotating, and the next rotation takes it" in done.stderr
    assert "ai-gateway credentials unstage rotating" in done.stderr
    assert bench.value("rotating", STAGED_LABEL) == OTHER
    bench.call("set", "rotating", "--no-test", key=OTHER)
    assert bench.value("rotating") == OTHER
    assert bench.labels("rotating") == ["AWSCURRENT", "AWSPREVIOUS"], "or else the next rotation would fail"


def test_a_rotation_does_not_come_after_it(bench: Bench) -> None:
    bench.put("rotating", OTHER, "AWSPENDING")
    done = bench.call("set", "rotating", key=NEXT)
    assert "a rotation that began" in done.stderr
    assert "is put aside" in done.stderr
    assert bench.labels("rotating") == ["AWSCURRENT", "AWSPREVIOUS"]


def test_a_service_account_is_forgotten_with_its_key(bench: Bench) -> None:
    found = upstream("minted", bench.url)
    value = '{"apiKey": "key-minted-0001", "serviceAccountId": "svc_1", "team": "search"}'
    bench.rotate_by(found, bench.add(found, value), RotationKind.OPENAI_ADMIN, project="proj_1")
    bench.call("set", "minted", key=NEXT)
    assert json.loads(bench.value("minted") or "") == {"apiKey": NEXT, "team": "search"}


def test_revert(bench: Bench, server: UpstreamServer) -> None:
    error = bench.call("revert", "rotating", status=FAILED).stderr
    assert "rotating has no previous key to go back to. Set another one: ai-gateway credentials set rotating" in error
    bench.put("rotating", OTHER, "AWSPREVIOUS")
    bench.put("rotating", NEXT, "AWSPENDING")
    assert "refuses the key, and nothing was changed" in bench.call("revert", "rotating", status=FAILED).stderr
    assert bench.value("rotating") == CURRENT
    done = bench.call("revert", "rotating", "--no-test")
    assert "The key of rotating is the previous one again" in done.stdout
    assert "is put aside" in done.stderr
    assert (bench.value("rotating"), bench.value("rotating", "AWSPREVIOUS")) == (OTHER, CURRENT)
    assert bench.labels("rotating") == ["AWSCURRENT", "AWSPREVIOUS"]
    assert server.received
