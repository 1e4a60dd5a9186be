"""The alias, its versions, and the release that moves them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_cli.doctor.configuration import check_configuration
from gateway_cli.doctor.findings import Level
from gateway_cli.doctor.releases import check_release
from gateway_cli.doctor.versions import check_alias
from tests.gateway_cli.doctor.conftest import Ward, levels

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]

NO_WEIGHTS = """--routing-config '{"AdditionalVersionWeights":{}}' --region us-east-1"""


def release_machine(ward: Ward, definition: dict[str, Any] | None = None) -> str:
    """Give the gateway a state machine: its ARN. It waits for longer than a test lasts."""
    waiting = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 10**7, "End": True}}}
    made = ward.states.create_state_machine(
        name=f"release-{ward.number}", definition=json.dumps(definition or waiting), roleArn=ward.role
    )
    arn = str(made["stateMachineArn"])
    ward.tags["ai-gateway:release"] = arn
    return arn


def test_a_version(ward: Ward) -> None:
    found = ward.only(check_alias)
    assert (found.level, found.subject, found.text) == (Level.OK, "version 1", "active")


def test_two_versions(ward: Ward) -> None:
    ward.weigh(ward.publish(), 0.05)
    assert [(one.subject, one.text) for one in ward.find(check_alias)] == [
        ("version 1", "active"),
        ("version 2", "active, 5 % of the requests"),
    ]


def test_no_alias(ward: Ward) -> None:
    ward.publish()
    ward.lambda_.delete_alias(FunctionName=ward.name, Name="live")
    found = ward.only(check_alias)
    assert found.level is Level.ERROR
    assert f"the function {ward.name} has no alias 'live'" in found.text
    assert found.mend == (
        f"aws lambda create-alias --function-name {ward.name} --name live --function-version 2 --region us-east-1",
    )
    # What needs the alias is skipped, and says why.
    assert levels(ward.find(check_release)) == [Level.SKIPPED]
    assert levels(ward.find(check_configuration)) == [Level.SKIPPED]


def test_a_version_that_is_gone(ward: Ward) -> None:
    ward.answer("GetAlias", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"7": 0.05}})
    second = ward.find(check_alias)[1]
    assert (second.level, second.subject) == (Level.ERROR, "version 7")
    assert second.mend == (f"aws lambda update-alias --function-name {ward.name} --name live {NO_WEIGHTS}",)


def test_the_main_version_is_gone(ward: Ward) -> None:
    ward.publish()
    ward.answer("GetAlias", FunctionVersion="7")
    found = ward.only(check_alias)
    assert (found.level, found.subject) == (Level.ERROR, "version 7")
    assert found.mend[1] == f"aws lambda update-alias --function-name {ward.name} --name live --function-version 2 {NO_WEIGHTS}"


@pytest.mark.parametrize(
    ("state", "level", "said"),
    [
        ({"State": "Failed", "StateReason": "the subnet is gone"}, Level.ERROR, "it cannot run: the subnet is gone"),
        (
            {"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no image"},
            Level.ERROR,
            "it cannot run: no image",
        ),
        ({"State": "Inactive"}, Level.WARNING, "it has been idle for so long"),
        ({"State": "Pending", "StateReason": "being created"}, Level.WARNING, "its state is Pending: being created"),
    ],
)
def test_a_version_that_is_not_active(ward: Ward, state: dict[str, str], level: Level, said: str) -> None:
    ward.answer("GetFunctionConfiguration", FunctionName=ward.name, Role="r", **state)
    found = ward.only(check_alias)
    assert (found.level, found.text[: len(said)]) == (level, said)
    assert found.mend


def test_versions_that_cannot_share_an_alias(ward: Ward) -> None:
    other = "arn:aws:iam::000000000000:role/other"
    ward.lambda_.update_function_configuration(FunctionName=ward.name, Role=other)
    ward.publish()
    second = ward.find(check_alias)[1]
    assert (second.level, second.subject) == (Level.WARNING, "version 2")
    assert f"its role is not that of version 1 ({other} instead of {ward.role})" in second.text
    assert second.mend == (
        f"aws lambda update-alias --function-name {ward.name} --name live --function-version 2 {NO_WEIGHTS}",
    )


def test_versions_with_other_dead_letter_queues(ward: Ward) -> None:
    queue = {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:letters"}
    ward.lambda_.update_function_configuration(FunctionName=ward.name, DeadLetterConfig=queue)
    ward.publish()
    assert "its dead-letter queue is not that of version 1" in ward.find(check_alias)[1].text


def test_nothing_is_under_way(ward: Ward) -> None:
    release_machine(ward)
    assert ward.only(check_release).text == "no release is under way; version 1 gets every request"


def test_weights_of_the_app(ward: Ward) -> None:
    ward.weigh(ward.publish(), 0.05)
    found = ward.only(check_release)
    assert (found.level, found.text) == (Level.NOTE, "it gets 5 % of the requests, as the app says (Weighted)")


def test_weights_that_nothing_moves(ward: Ward) -> None:
    release_machine(ward)
    ward.weigh(ward.publish(), 0.05)
    found = ward.only(check_release)
    assert (found.level, found.subject) == (Level.WARNING, "version 2")
    option = f"--gateway {ward.path}"
    assert found.mend == (f"ai-gateway release promote {option}", f"ai-gateway release rollback {option}")


def test_a_release(ward: Ward) -> None:
    arn = release_machine(ward)
    ward.states.start_execution(stateMachineArn=arn, input='{"version": "2"}')
    found = ward.only(check_release)
    assert (found.level, found.subject) == (Level.WARNING, "version 2")
    assert "its release runs, and it gets no request" in found.text
    ward.weigh(ward.publish(), 0.05)
    found = ward.only(check_release)
    assert (found.level, found.text) == (Level.OK, "5 % of the requests, its release is under way")


def test_a_release_of_another_version(ward: Ward) -> None:
    arn = release_machine(ward)
    ward.states.start_execution(stateMachineArn=arn, input='{"version": "3"}')
    ward.weigh(ward.publish(), 0.05)
    found = ward.only(check_release)
    assert (found.level, found.text) == (
        Level.WARNING,
        "it gets 5 % of the requests, but the release that runs is of version 3",
    )


def test_a_release_that_says_nothing(ward: Ward) -> None:
    arn = release_machine(ward)
    ward.states.start_execution(stateMachineArn=arn, input="[]")
    ward.weigh(ward.publish(), 0.05)
    assert ward.only(check_release).level is Level.OK


def test_a_version_that_was_taken_back(ward: Ward) -> None:
    version = ward.publish()
    waiting, rest = ward.find(check_release)
    assert (waiting.level, waiting.subject, rest.level) == (Level.NOTE, "version 2", Level.OK)
    assert waiting.mend == (f"ai-gateway release promote 2 --gateway {ward.path}",)
    release_machine(ward)
    assert ward.find(check_release)[0].mend == (f"ai-gateway release start {version} --gateway {ward.path}",)


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("ListExecutions", "states:ListExecutions"), ("ListVersionsByFunction", "lambda:ListVersionsByFunction")],
)
def test_what_the_operator_may_not_see_of_releases(ward: Ward, operation: str, permission: str) -> None:
    release_machine(ward)
    ward.refuse(operation)
    assert f"you lack the permission {permission}" in ward.find(check_release)[-1].text


def test_the_operator_may_not_list_versions(ward: Ward) -> None:
    ward.refuse("ListVersionsByFunction")
    active, rest = ward.find(check_alias)
    assert (active.level, rest.level) == (Level.OK, Level.SKIPPED)


def test_the_configuration(ward: Ward) -> None:
    found = ward.only(check_configuration)
    assert (found.level, found.text) == (Level.OK, "upstreams holysheep; 1 mapped model")


def test_a_configuration_of_another_time(ward: Ward) -> None:
    ward.serve(None)
    found = ward.only(check_configuration)
    assert found.level is Level.WARNING
    assert "the configuration is not known: its configuration cannot be read (KeyError" in found.text
    assert found.mend == ("pip install --upgrade 'cdk-ai-gateway[cli]'",)


def test_the_operator_may_not_read_the_code(ward: Ward) -> None:
    ward.refuse("GetFunction")
    found = ward.only(check_configuration)
    assert (found.level, found.text) == (Level.SKIPPED, "you lack the permission lambda:GetFunction on the gateway's function")


def test_an_api_that_does_not_name_its_function(ward: Ward) -> None:
    del ward.tags["ai-gateway:function"]
    for check in (check_alias, check_release):
        found = ward.only(check)
        assert found.level is Level.SKIPPED
        assert "does not name its function; deploy it once more: npx cdk deploy Stack" in found.text
