"""The function that starts releases, against moto's Lambda and Step Functions; its answers go to a real HTTP server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_runtime.custom_resource import answer as custom_resource
from lambda_runtime.release import index

FUNCTION = "gateway"
STATES = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}})


class Account:
    """A function with its alias, a state machine, and what CloudFormation was told."""

    def __init__(self, answers: list[dict[str, Any]], url: str) -> None:
        self.answers = answers
        self.url = url
        self.functions = boto3.client("lambda")
        self.sfn = boto3.client("stepfunctions")
        role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.functions.create_function(
            FunctionName=FUNCTION,
            Runtime="python3.13",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": _code(1)},
            Publish=True,
        )
        for number in (2, 3, 4):
            self.functions.update_function_code(FunctionName=FUNCTION, ZipFile=_code(number), Publish=True)
        self.machine = self.sfn.create_state_machine(name="release", definition=STATES, roleArn=role)["stateMachineArn"]

    def alias(self, version: str, **weights: float) -> None:
        """Give the alias a version, and `v3=0.05` a share."""
        arguments: dict[str, Any] = {
            "FunctionName": FUNCTION,
            "Name": "live",
            "FunctionVersion": version,
            "RoutingConfig": {"AdditionalVersionWeights": {name[1:]: weight for name, weight in weights.items()}},
        }
        known = self.functions.list_aliases(FunctionName=FUNCTION)["Aliases"]
        (self.functions.update_alias if known else self.functions.create_alias)(**arguments)

    @property
    def serving(self) -> tuple[str, dict[str, float]]:
        alias = self.functions.get_alias(FunctionName=FUNCTION, Name="live")
        return alias["FunctionVersion"], (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    def executions(self, status: str) -> list[dict[str, Any]]:
        """Inputs of the executions with a status, the newest first."""
        listed = self.sfn.list_executions(stateMachineArn=self.machine, statusFilter=status)["executions"]
        return [json.loads(self.sfn.describe_execution(executionArn=one["executionArn"])["input"]) for one in listed]

    def send(self, kind: str, request: str, version: str, *, request_id: str = "request-1", **more: Any) -> dict[str, Any]:
        """An event of CloudFormation; gives the answer."""
        properties = {"FunctionName": FUNCTION, "Alias": "live", "Version": version, "StateMachine": self.machine}
        event = {
            "RequestType": request,
            "ResourceType": kind,
            "StackId": "stack",
            "RequestId": request_id,
            "LogicalResourceId": "Resource",
            "ResponseURL": self.url,
            "ResourceProperties": properties,
            **({} if request == "Create" else {"PhysicalResourceId": "Resource"}),
            **more,
        }
        if "old" in event:
            event["OldResourceProperties"] = {**properties, "Version": event.pop("old")}
        index.handler(event, None)
        return self.answers[-1]


def _code(number: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", f"# {number}")
    return content.getvalue()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    answers: list[dict[str, Any]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with mock_aws():
            yield Account(answers, f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_first_deployment_takes_its_own_version_for_stable(account: Account) -> None:
    answer = account.send(index.STABLE, "Create", "1")
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"InitialVersion": "1", "StableVersion": "1"}
    assert answer["PhysicalResourceId"] == "gateway:1"


def test_a_gateway_that_changes_its_kind_of_release_keeps_the_alias(account: Account) -> None:
    account.alias("2")
    assert account.send(index.STABLE, "Create", "3")["Data"] == {"InitialVersion": "2", "StableVersion": "2"}


def test_the_initial_version_never_changes_and_the_stable_one_is_read_again(account: Account) -> None:
    account.alias("3", v4=0.05)
    answer = account.send(index.STABLE, "Update", "4", PhysicalResourceId="gateway:1", old="3")
    assert answer["Data"] == {"InitialVersion": "1", "StableVersion": "3"}
    assert answer["PhysicalResourceId"] == "gateway:1"


def test_another_function_has_another_alias(account: Account) -> None:
    account.alias("3")
    answer = account.send(index.STABLE, "Update", "4", PhysicalResourceId="before:7", old="3")
    assert answer["Data"] == {"InitialVersion": "3", "StableVersion": "3"}
    assert answer["PhysicalResourceId"] == "gateway:3"


def test_a_new_version_starts_a_release_and_ends_the_one_under_way(account: Account) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    assert account.executions("RUNNING") == [{"version": "2", "stable": "1"}]
    account.send(index.RELEASE, "Update", "3", old="2", request_id="b")
    assert account.executions("RUNNING") == [{"version": "3", "stable": "1", "replaced": "2"}]
    assert account.executions("ABORTED") == [{"version": "2", "stable": "1"}]


def test_the_same_request_twice_starts_one_release(account: Account) -> None:
    account.alias("1")
    for _ in range(2):
        assert account.send(index.RELEASE, "Update", "2", old="1")["Status"] == "SUCCESS"
    assert account.executions("RUNNING") == [{"version": "2", "stable": "1"}]
    assert account.executions("ABORTED") == []


def test_a_deployment_without_a_new_version_leaves_the_release_alone(account: Account) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    account.send(index.RELEASE, "Update", "2", old="2", request_id="b")
    assert account.executions("RUNNING") == [{"version": "2", "stable": "1"}]


@pytest.mark.parametrize("promoted", [False, True])
def test_a_failed_deployment_gives_the_alias_back_what_it_had(account: Account, *, promoted: bool) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    if promoted:
        account.alias("2")
    else:
        account.alias("1", v2=0.05)
    account.send(index.RELEASE, "Update", "1", old="2", request_id="b")
    assert account.serving == ("1", {})
    assert account.executions("RUNNING") == []


def test_a_failed_deployment_resumes_the_canary_that_it_had_replaced(account: Account) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    account.send(index.RELEASE, "Update", "3", old="2", request_id="b")
    account.alias("1", v3=0.05)
    account.send(index.RELEASE, "Update", "2", old="3", request_id="c")
    assert account.serving == ("1", {})
    assert account.executions("RUNNING") == [{"version": "2", "stable": "1"}]


def test_a_version_that_was_rolled_back_is_not_released_again_by_a_failed_deployment(account: Account) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    for one in account.sfn.list_executions(stateMachineArn=account.machine)["executions"]:
        account.sfn.stop_execution(executionArn=one["executionArn"], error="RolledBack", cause="alarm")
    account.send(index.RELEASE, "Update", "3", old="2", request_id="b")
    account.send(index.RELEASE, "Update", "2", old="3", request_id="c")
    assert account.executions("RUNNING") == []


def test_a_deployment_that_failed_before_its_release_changes_nothing(account: Account) -> None:
    account.alias("1", v2=0.05)
    account.send(index.RELEASE, "Update", "2", old="3")
    assert account.serving == ("1", {"2": 0.05})


def test_a_canary_that_nobody_watches_any_more_loses_its_requests(account: Account) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    account.alias("1", v2=0.05)
    assert account.send(index.RELEASE, "Delete", "2", request_id="b")["Status"] == "SUCCESS"
    assert account.executions("RUNNING") == []
    assert account.serving == ("1", {})
    assert account.send(index.STABLE, "Delete", "2")["Status"] == "SUCCESS"


def test_weights_that_are_no_releases_stay_at_its_end(account: Account) -> None:
    account.alias("1", v3=0.5)
    account.send(index.RELEASE, "Delete", "2", request_id="a")
    assert account.serving == ("1", {"3": 0.5})
    account.send(index.RELEASE, "Update", "2", old="1", request_id="b")
    account.send(index.RELEASE, "Delete", "2", request_id="c")
    assert account.serving == ("1", {"3": 0.5})


def test_a_release_that_cannot_start_leaves_the_one_under_way(account: Account) -> None:
    account.alias("1")
    account.send(index.RELEASE, "Update", "2", old="1", request_id="a")
    # No name of an execution.
    assert account.send(index.RELEASE, "Update", "3", old="2", request_id="?" * 90)["Status"] == "FAILED"
    assert account.executions("RUNNING") == [{"version": "2", "stable": "1"}]


@pytest.mark.parametrize(("refusals", "status"), [(2, "SUCCESS"), (99, "FAILED")])
def test_a_permission_may_take_a_while(account: Account, monkeypatch: pytest.MonkeyPatch, refusals: int, status: str) -> None:
    account.alias("1")
    left = [None] * refusals

    def read(event: custom_resource.Event) -> custom_resource.Answer:
        if left:
            left.pop()
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}, "GetAlias")
        return index._read_stable(event)

    monkeypatch.setattr(custom_resource, "PAUSE", 0.0)
    monkeypatch.setitem(index._ACTIONS, (index.STABLE, "Create"), read)
    assert account.send(index.STABLE, "Create", "1")["Status"] == status


def test_what_fails_is_told(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    answer = account.send(index.RELEASE, "Create", "2", ResourceProperties={"Version": "2"})
    assert answer["Status"] == "FAILED"
    assert "StateMachine" in answer["Reason"]
    assert json.loads(capsys.readouterr().out)["level"] == "ERROR"


def test_every_kind_of_event_is_known() -> None:
    actions: dict[tuple[str, str], Callable[..., Any]] = dict(index._ACTIONS)
    assert set(actions) == {
        (kind, request) for kind in (index.STABLE, index.RELEASE) for request in ("Create", "Update", "Delete")
    }
