"""What is no release, or none of its parts, is refused in words that say the prop, the value and the way out."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk.aws_cloudwatch import Alarm, CfnAlarm, CompositeAlarm
from aws_cdk.aws_codedeploy import (
    EcsDeploymentConfig,
    LambdaDeploymentConfig,
    ServerDeploymentConfig,
    TrafficRouting,
)

from gateway_construct import AllAtOnce, Canary, CodeDeploy, Weighted
from gateway_construct.release import require_release

ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:mine"


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"bake": 48}, r"canary: bake must be a Duration, for example Duration\.hours\(48\), got 48"),
        ({"bake": 0}, "canary: bake must be a Duration, .* got 0"),
        ({"ramp_interval": "1h"}, "canary: ramp_interval must be a Duration, .* got '1h'"),
        ({"ramp": None}, r"canary: ramp must be a list, got None; write, for example, ramp=\[0\.25, 0\.5\], or \[\] for none"),
        ({"ramp": "0.5"}, "canary: ramp must be a list, got '0.5'"),
        ({"ramp": {0.25, 0.5}}, "canary: ramp must be a list, got {0"),
        ({"ramp": ["0.5"]}, "canary: ramp must be a number that is known at synth, got '0.5'"),
        (
            {"latency_ratio": math.inf},
            "canary: latency_ratio must be above 1, for example 2, got inf; 1000 is as good as no limit",
        ),
        ({"latency_ratio": math.nan}, "canary: latency_ratio must be above 1, .* got nan"),
        ({"alarms": 5}, r"canary: alarms must be a list, got 5; write, for example, alarms=\[alarm\], or \[\] for none"),
        ({"alarms": None}, "canary: alarms must be a list, got None"),
        ({"alarms": "errors"}, "canary: alarms must be a list, got 'errors'"),
        ({"alarms": [ARN]}, rf"canary: alarms\[0\] must be an alarm of CloudWatch, got '{ARN}'; .*Alarm\.from_alarm_arn\("),
        ({"alarms": [Alarm]}, r"canary: alarms\[0\] must be an alarm of CloudWatch, got <class"),
    ],
)
def test_a_canarys_prop_of_another_kind(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Canary(**props)


def test_one_alarm_is_no_list_and_what_cloudformation_has_is_no_alarm(stack: Stack) -> None:
    alarm = Alarm.from_alarm_arn(stack, "Mine", ARN)
    with pytest.raises(ValueError, match="canary: alarms must be a list"):
        Canary(alarms=alarm)  # type: ignore[arg-type]
    low = CfnAlarm(stack, "Low", comparison_operator="GreaterThanThreshold", evaluation_periods=1)
    with pytest.raises(ValueError, match=r"canary: alarms\[1\] must be an alarm of CloudWatch"):
        Canary(alarms=[alarm, low])  # type: ignore[list-item]


def test_an_alarm_is_there_once(stack: Stack) -> None:
    mine = Alarm.from_alarm_arn(stack, "Mine", ARN)
    other = CompositeAlarm.from_composite_alarm_name(stack, "Other", "other")
    assert Canary(alarms=(mine, other)).alarms == (mine, other)
    for again in (mine, Alarm.from_alarm_arn(stack, "Again", ARN)):
        message = rf"canary: alarms\[2\] is alarms\[0\] again, '{again.node.path}'; leave one of them out"
        with pytest.raises(ValueError, match=message):
            Canary(alarms=[mine, other, again])
        with pytest.raises(ValueError, match=message.replace("canary", "code_deploy")):
            CodeDeploy(config=LambdaDeploymentConfig.ALL_AT_ONCE, alarms=[mine, other, again])


@pytest.mark.parametrize(
    ("config", "given"),
    [
        ("CANARY", "'CANARY'"),
        (None, "None"),
        (LambdaDeploymentConfig, "<class"),
        (EcsDeploymentConfig.CANARY_10_PERCENT_5_MINUTES, "CodeDeployDefault.ECSCanary10Percent5Minutes"),
        (ServerDeploymentConfig.ONE_AT_A_TIME, "CodeDeployDefault.OneAtATime"),
    ],
)
def test_a_configuration_is_one_for_lambda(config: Any, given: str) -> None:
    message = f"code_deploy: config must be a LambdaDeploymentConfig of aws_cdk.aws_codedeploy, got {given}.*CANARY_10_PERCENT"
    with pytest.raises(ValueError, match=message):
        CodeDeploy(config=config)


def test_a_configuration_of_ones_own(stack: Stack) -> None:
    named = LambdaDeploymentConfig.from_lambda_deployment_config_name(stack, "Named", "slow")
    made = LambdaDeploymentConfig(stack, "Made", traffic_routing=TrafficRouting.all_at_once())
    assert [CodeDeploy(config=config).config for config in (named, made)] == [named, made]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"stable_version": 7, "weight": 0.5}, "weighted: stable_version must be the number .* for example '7', got 7"),
        ({"stable_version": None, "weight": 0.5}, "weighted: stable_version must be the number .* got None"),
        ({"stable_version": "7", "weight": "5%"}, "weighted: weight must be from 0 to 1, for example 0.05, got '5%'"),
        ({"stable_version": "7", "weight": True}, "weighted: weight must be from 0 to 1, for example 0.05, got True"),
    ],
)
def test_a_weighteds_prop_of_another_kind(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Weighted(**props)


@pytest.mark.parametrize(
    ("release", "example"),
    [
        ("canary", r"Canary\(\)"),
        ("all-at-once", r"AllAtOnce\(\)"),
        ("rolling", r"Canary\(\)"),
        ("", r"Canary\(\)"),
        (False, r"Canary\(\)"),
        (Canary, r"Canary\(\)"),
        (AllAtOnce, r"AllAtOnce\(\)"),
        (CodeDeploy, r"CodeDeploy\(config=LambdaDeploymentConfig\.CANARY_10_PERCENT_5_MINUTES\)"),
        (Weighted, r'Weighted\(stable_version="7", weight=0\.05\)'),
    ],
)
def test_what_is_no_release(release: Any, example: str) -> None:
    with pytest.raises(ValueError, match=rf"release must be AllAtOnce\(\), .* got .*; write, for example, release={example}$"):
        require_release(release)


def test_what_is_a_release(stack: Stack) -> None:
    weight = CfnParameter(stack, "Weight", type="Number").value_as_number
    version = CfnParameter(stack, "Version").value_as_string
    for release in (
        AllAtOnce(),
        Canary(),
        CodeDeploy(config=LambdaDeploymentConfig.ALL_AT_ONCE),
        Weighted(stable_version=version, weight=weight),
    ):
        assert require_release(release) is release
    assert require_release(None) == AllAtOnce()


def test_a_canary_is_checked_without_what_code_deploy_needs() -> None:
    code = "import sys; from gateway_construct import Canary; Canary(); print('aws_cdk.aws_codedeploy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
