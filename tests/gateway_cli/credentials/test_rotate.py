"""Rotations: what the command does before, what it sees at Secrets Manager, and what it says of the end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

from gateway_cli.credentials.rotating import ABANDONED
from gateway_cli.errors import FAILED
from lambda_runtime.config.secrets import STAGED_LABEL, RotationKind
from tests.gateway_cli.credentials.bench import PLACEHOLDER, Bench
from tests.gateway_cli.credentials.conftest import CURRENT, upstream
from tests.lambda_runtime.rotation.kit import takes
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

NEXT, OTHER = "key-to-come-0002", "key-to-come-0003"
LOGS = "aws logs tail 'rotation logs' --since 30m --region us-east-1"


@pytest.fixture(autouse=True)
def known_keys(server: UpstreamServer) -> None:
    server.answer = takes(NEXT, OTHER)


def nothing() -> None:
    """Secrets Manager has not called the function yet."""


def after(times: int, work: Callable[[], None]) -> Callable[[], None]:
    """It does so the n-th time that somebody looks."""
    left = [times]

    def worked() -> None:
        left[0] -= 1
        if left[0] == 0:
            work()

    return worked


def test_what_is_staged_becomes_current(bench: Bench) -> None:
    bench.call("stage", "rotating", key=NEXT)
    bench.works = after(3, bench.take_steps)
    done = bench.call("rotate", "rotating")
    assert "The key of rotating is rotated" in done.stdout
    assert "ai-gateway credentials revert rotating" in done.stdout
    assert "Function instances fetch the current key when they start, and when the upstream refuses the one" in done.stdout
    assert "it is tested at the upstream before" in done.stderr
    assert bench.waited == [2.0] * 3
    assert (bench.value("rotating"), bench.value("rotating", "AWSPREVIOUS")) == (NEXT, CURRENT)
    assert bench.labels("rotating") == ["AWSCURRENT", "AWSPREVIOUS"]


def test_at_once(bench: Bench) -> None:
    done = bench.call("stage", "rotating", "--rotate", "--json", key=NEXT)
    document = json.loads(done.stdout)
    assert (document["changed"], document["staged"], document["state"]) == (True, None, "set")
    assert "The next key of rotating is staged" in done.stderr
    assert bench.value("rotating") == NEXT


def test_the_first_key_can_be_tested_so(bench: Bench) -> None:
    found = upstream("fresh", bench.url)
    bench.rotate_by(found, bench.add(found, PLACEHOLDER))
    bench.call("stage", "fresh", "--rotate", key=NEXT)
    assert json.loads(bench.value("fresh") or "") == {"apiKey": NEXT}


def test_two_upstreams_share_a_secret(bench: Bench) -> None:
    other = upstream("other", bench.url)
    bench.add(other, "x-unused-secret")
    bench.variables["7"][other.secret_variable] = bench.rotated[0].secret
    assert bench.status("other")["rotation"] == "staged"
    bench.call("stage", "other", "--rotate", key=NEXT)
    assert bench.value("rotating") == NEXT


def test_nobody_has_to_wait(bench: Bench) -> None:
    bench.call("stage", "rotating", key=NEXT)
    done = bench.call("rotate", "rotating", "--no-wait")
    assert "is under way. To see what has become of it: ai-gateway credentials status rotating" in done.stdout
    assert bench.waited == []
    assert bench.status("rotating")["under_way"]


def test_nothing_is_staged(bench: Bench) -> None:
    error = bench.call("rotate", "rotating", status=FAILED).stderr
    assert "no next key is staged for rotating; stage one: ai-gateway credentials stage rotating" in error
    bench.put("rotating", CURRENT, STAGED_LABEL)
    assert "is the key that it has already" in bench.call("rotate", "rotating", status=FAILED).stderr
    assert bench.tokens == []


def test_the_provider_mints(bench: Bench) -> None:
    found = upstream("minted", bench.url)
    bench.rotate_by(found, bench.add(found, "key-minted-0001"), RotationKind.OPENAI_ADMIN, project="proj_1")
    bench.works = nothing
    error = bench.call("rotate", "minted", status=FAILED).stderr
    assert "has not ended after 20 m" in error, "new keys of OpenAI may take a quarter of an hour"


def test_it_is_not_rotated(bench: Bench) -> None:
    error = bench.call("rotate", "plain", status=FAILED).stderr
    assert "the key of plain is not rotated. To make a key the current one at once: ai-gateway credentials set plain" in error
    bench.fake("rotating").rotation_enabled = False
    assert "switched off at Secrets Manager" in bench.call("rotate", "rotating", status=FAILED).stderr
    bench.fake("rotating").rotation_enabled = True
    bench.rotated.clear()
    assert "aws secretsmanager rotate-secret --secret-id arn:" in bench.call("rotate", "rotating", status=FAILED).stderr


def test_the_upstream_refuses_it(bench: Bench, server: UpstreamServer) -> None:
    server.answer = takes(CURRENT)
    bench.call("stage", "rotating", key=NEXT)
    bench.works = after(2, bench.take_steps)
    error = bench.call("rotate", "rotating", status=FAILED).stderr
    assert "the rotation of rotating failed: its function has put the new key aside" in error
    assert LOGS in error
    assert bench.value("rotating") == CURRENT
    assert bench.labels("rotating") == ["AWSCURRENT"], "another one can be staged and rotated to"


def test_it_does_not_end(bench: Bench, server: UpstreamServer) -> None:
    server.answer = answer_json({}, 503)
    bench.call("stage", "rotating", key=NEXT)
    bench.works = after(1, bench.take_steps)
    error = bench.call("rotate", "rotating", status=FAILED).stderr
    assert "the rotation of rotating has not ended after 10 m; the current key stays until it does" in error
    assert LOGS in error
    assert bench.value("rotating") == CURRENT


def test_one_that_is_under_way_is_waited_for(bench: Bench) -> None:
    bench.call("stage", "rotating", key=NEXT)
    bench.call("rotate", "rotating", "--no-wait")
    bench.now += ABANDONED / 2
    done = bench.call("rotate", "rotating")
    assert "a rotation of rotating has been under way for 10 m; it is not begun anew" in done.stderr
    assert "ai-gateway credentials rotate rotating --again" in done.stderr
    assert len(bench.tokens) == 1
    assert bench.value("rotating") == NEXT


@pytest.mark.parametrize("options", [[], ["--again"]])
def test_one_that_came_to_nothing_is_put_aside(bench: Bench, options: list[str]) -> None:
    bench.put("rotating", OTHER, "AWSPENDING")
    bench.now += 60 if options else ABANDONED + 60
    bench.call("stage", "rotating", key=NEXT)
    done = bench.call("rotate", "rotating", *options)
    assert "did not come to its end is put aside" in done.stderr
    assert bench.value("rotating") == NEXT
    assert bench.labels("rotating") == ["AWSCURRENT", "AWSPREVIOUS"]


def test_what_is_under_way_stays_where_nothing_is_staged(bench: Bench) -> None:
    bench.put("rotating", OTHER, "AWSPENDING")
    assert "no next key is staged" in bench.call("rotate", "rotating", "--again", status=FAILED).stderr
    assert "AWSPENDING" in bench.labels("rotating")


def test_somebody_else_has_just_begun_one(bench: Bench) -> None:
    bench.call("stage", "rotating", key=NEXT)
    bench.refused["RotateSecret"] = ("InvalidRequestException", "A previous rotation isn't complete.")
    error = bench.call("rotate", "rotating", status=FAILED).stderr
    assert "Secrets Manager does not begin a rotation: A previous rotation isn't complete." in error
    assert LOGS in error
    bench.refused["RotateSecret"] = ("AccessDeniedException", "not you")
    assert "it takes secretsmanager:RotateSecret" in bench.call("rotate", "rotating", status=FAILED).stderr


def hidden(bench: Bench) -> list[str]:
    """Take the labels of the version that has been begun, as if they had not got about yet: the labels."""
    version = bench.fake("rotating").versions[bench.tokens[-1]]
    labels, version["version_stages"] = version["version_stages"], []
    return list(labels)


def test_a_version_that_is_seen_late(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets Manager is not the same everywhere at the same moment."""
    bench.call("stage", "rotating", key=NEXT)
    labels: list[str] = []
    begin = bench.answer

    def begun(event_name: str, request: AWSRequest) -> AWSResponse | None:
        answered = begin(event_name, request)
        if event_name.endswith("RotateSecret"):
            labels[:] = hidden(bench)
        return answered

    def show() -> None:
        bench.fake("rotating").versions[bench.tokens[-1]]["version_stages"] = list(labels)
        bench.works = bench.take_steps

    monkeypatch.setattr(bench, "answer", begun)
    bench.works = after(3, show)
    bench.call("rotate", "rotating")
    assert bench.value("rotating") == NEXT
    bench.call("stage", "rotating", key=OTHER)
    bench.works = nothing
    bench.waited.clear()
    assert "has put the new key aside" in bench.call("rotate", "rotating", status=FAILED).stderr
    assert 30 < sum(bench.waited) < 40
