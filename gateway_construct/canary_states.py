"""The two state machines of a canary release, in the Amazon States Language: one that releases, one that takes it back.

They are written as what they are, JSON, and not put together of the CDK's classes: `aws_stepfunctions_tasks` alone takes a
second to import, and this way an interpreter of the language can run them as they stand, without a deployment.

Every step that gives requests to a version, or takes them after an alarm, names the revision of the alias that it has read, so
that of two who change it at the same time one fails, reads again, and sees that it has been replaced.

On AWS an expression whose result is undefined fails its state, and `Retry` would only repeat it: so none can be. What a service
may leave out is joined with `&`, which takes it for empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

STATES = dict[str, dict[str, Any]]

SHORTEST_WATCH = 60
"""Seconds between two looks at the alarms, at least. It is the second line only: an alarm that rings starts the rollback."""

MOST_WATCHES = 600
"""Of a release, divided among its shares by how long they last. Each leaves 14 events in the execution's history, or some more
where a step is repeated, and the history holds 25,000."""

MOST_SHARES = 100
"""Of a release: each is watched once at least."""

TAKEN_BACK = "RolledBack"
"""Error of an execution whose new version has lost its requests to an alarm."""

FAILED = "ReleaseFailed"
"""Error of an execution that could not go on; the new version has no requests any more."""

PROMOTED, STABLE, REPLACED = "promoted", "stable already", "replaced"
"""Outcomes of an execution that succeeds, in its output: what became of its version."""

_RETRY = [
    # Somebody else has changed the alias. Reading it again is what helps.
    {"ErrorEquals": ["Lambda.PreconditionFailedException"], "MaxAttempts": 0},
    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 3},
]
_RETRY_FOR_LONG = [
    # What takes requests back is repeated for eight minutes. Without function or alias there are none to take.
    {"ErrorEquals": ["Lambda.PreconditionFailedException", "Lambda.ResourceNotFoundException"], "MaxAttempts": 0},
    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 30, "MaxAttempts": 20},
]
_MOST_ALARMS = 100
"""That `DescribeAlarms` takes by name."""

_NO_WEIGHTS: dict[str, Any] = {"AdditionalVersionWeights": {}}
_CAUSE = {"cause": "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}"}
_OURS = "{% $exists($lookup($states.result.RoutingConfig.AdditionalVersionWeights, $version)) %}"


class Share(NamedTuple):
    """A share of the requests, and for how long the new version has it.

    Args:
        weight: above 0 and below 1.
        seconds: how long.
    """

    weight: float
    seconds: int


def release_states(
    *, partition: str, function_name: str, alias: str, shares: Sequence[Share], own_alarms: Sequence[str], alarms: Sequence[str]
) -> dict[str, Any]:
    """The state machine that releases a version. Its input is `{"version": "8"}`.

    Args:
        partition: AWS partition, for example "aws".
        function_name: of the gateway's function.
        alias: its alias that takes the requests.
        shares: what the new version gets, in order; after the last one it gets all.
        own_alarms: names of the alarms that watch the new version only, so that a new release begins with them at rest.
        alarms: names of all the alarms that take the requests back.

    Raises:
        ValueError: if there are more shares or alarms than a state machine can watch.
    """
    if len(shares) > MOST_SHARES:
        raise ValueError(f"canary: ramp must have {MOST_SHARES - 1} shares at most, got {len(shares) - 1}")
    if len(alarms) > _MOST_ALARMS:
        raise ValueError(
            f"canary: {_MOST_ALARMS} alarms can be watched, {len(own_alarms)} of the gateway among them, got {len(alarms)}"
        )
    sdk = f"arn:{partition}:states:::aws-sdk"
    where = {"FunctionName": function_name, "Name": alias}
    failing: list[dict[str, Any]] = [
        {"ErrorEquals": ["Lambda.PreconditionFailedException"], "Next": "Look at the alias"},
        {
            "ErrorEquals": ["States.ALL"],
            "Assign": _CAUSE,
            "Next": "Take back after an error",
        },
    ]

    def task(action: str, arguments: dict[str, Any], next_state: str, **more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{sdk}:{action}",
            "Arguments": arguments,
            "Retry": _RETRY,
            "Catch": failing,
            "Next": next_state,
            **more,
        }

    states: STATES = {
        "Plan": {
            "Type": "Pass",
            "Assign": {
                "version": "{% $string($states.input.version) %}",
                "plan": plan_of(shares),
                "step": 0,
                "looks": 0,
                "cause": "",
            },
            "Next": "Read the alias",
        },
        "Read the alias": task(
            "lambda:getAlias",
            where,
            "Is there a stable version?",
            Assign={"stable": "{% $states.result.FunctionVersion %}", "revision": "{% $states.result.RevisionId %}"},
            # Nothing has been given yet, so there is nothing to take back.
            Catch=[{"ErrorEquals": ["States.ALL"], "Assign": _CAUSE, "Next": "Failed"}],
        ),
        "Is there a stable version?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $version = $stable %}", "Next": "End any other canary"}],
            "Default": "Put the alarms to rest",
        },
        "End any other canary": task(
            "lambda:updateAlias", {**where, "RoutingConfig": _NO_WEIGHTS}, "Serves already", Output={"outcome": STABLE}
        ),
        "Serves already": {"Type": "Succeed"},
        "Put the alarms to rest": {
            "Type": "Map",
            "Items": list(own_alarms),
            "ItemProcessor": {
                "StartAt": "Put one to rest",
                "States": {
                    "Put one to rest": {
                        "Type": "Task",
                        "Resource": f"{sdk}:cloudwatch:setAlarmState",
                        "Arguments": {
                            "AlarmName": "{% $states.input %}",
                            "StateValue": "OK",
                            "StateReason": "A new release begins.",
                        },
                        "Retry": _RETRY[1:],
                        "End": True,
                    }
                },
            },
            # An alarm of a version before would only end the release too early, which is the safe side.
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Give a share"}],
            "Next": "Give a share",
        },
        "Give a share": task(
            "lambda:updateAlias",
            {
                **where,
                "RevisionId": "{% $revision %}",
                "RoutingConfig": {"AdditionalVersionWeights": "{% {$version: $plan[$step].weight} %}"},
            },
            "Wait",
            Assign={"revision": "{% $states.result.RevisionId %}", "looks": 0},
            Catch=[{"ErrorEquals": ["Lambda.PreconditionFailedException"], "Next": "Who was faster?"}, failing[1]],
        ),
        "Who was faster?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $step = 0 %}", "Next": "Read the alias"}],
            "Default": "Read the alias again",
        },
        "Read the alias again": task(
            "lambda:getAlias", where, "Is it ours?", Assign={"revision": "{% $states.result.RevisionId %}", "ours": _OURS}
        ),
        "Is it ours?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $ours %}", "Next": "Give a share"}],
            "Default": "Replaced",
        },
        "Wait": {"Type": "Wait", "Seconds": "{% $plan[$step].seconds %}", "Next": "Look at the alarms"},
        "Look at the alarms": task(
            "cloudwatch:describeAlarms",
            {"AlarmNames": list(alarms), "StateValue": "ALARM"},
            "Look at the alias",
            Assign={"ringing": "{% $join([$states.result.MetricAlarms.AlarmName], ', ') %}"},
        ),
        "Look at the alias": task(
            "lambda:getAlias",
            where,
            "Go on?",
            Assign={
                "revision": "{% $states.result.RevisionId %}",
                "looks": "{% $looks + 1 %}",
                "ours": _OURS,
            },
        ),
        "Go on?": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $not($ours) %}", "Next": "Replaced"},
                {"Condition": "{% $length($ringing) > 0 %}", "Next": "Take back after an alarm"},
                {"Condition": "{% $looks < $plan[$step].looks %}", "Next": "Wait"},
                {"Condition": "{% $step + 1 < $count($plan) %}", "Assign": {"step": "{% $step + 1 %}"}, "Next": "Give a share"},
            ],
            "Default": "Promote",
        },
        "Promote": task(
            "lambda:updateAlias",
            {**where, "RevisionId": "{% $revision %}", "FunctionVersion": "{% $version %}", "RoutingConfig": _NO_WEIGHTS},
            "Promoted",
            Output={"outcome": PROMOTED},
        ),
        "Promoted": {"Type": "Succeed"},
        "Replaced": {"Type": "Pass", "Output": {"outcome": REPLACED}, "End": True},
        "Take back after an alarm": task(
            "lambda:updateAlias",
            {**where, "RevisionId": "{% $revision %}", "RoutingConfig": _NO_WEIGHTS},
            "Rolled back",
            Retry=_RETRY_FOR_LONG,
        ),
        "Rolled back": {"Type": "Fail", "Error": TAKEN_BACK, "Cause": "{% 'alarm: ' & $ringing %}"},
        "Take back after an error": task(
            "lambda:updateAlias",
            {**where, "RoutingConfig": _NO_WEIGHTS},
            "Failed",
            Retry=_RETRY_FOR_LONG,
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        ),
        "Failed": {"Type": "Fail", "Error": FAILED, "Cause": "{% $cause %}"},
    }
    return {
        "Comment": "Gives a new version of the gateway its share of the requests, and promotes it or takes it back.",
        "QueryLanguage": "JSONata",
        "StartAt": "Plan",
        "States": states,
    }


def rollback_states(*, partition: str, function_name: str, alias: str, release_arn: str) -> dict[str, Any]:
    """The state machine that takes the requests back at once. Its input is the event of an alarm that rings.

    Args:
        partition: AWS partition, for example "aws".
        function_name: of the gateway's function.
        alias: its alias that takes the requests.
        release_arn: ARN of the state machine that releases.
    """
    sdk = f"arn:{partition}:states:::aws-sdk"

    def take_back(**more: Any) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"{sdk}:lambda:updateAlias",
            "Arguments": {"FunctionName": function_name, "Name": alias, "RoutingConfig": _NO_WEIGHTS},
            "Retry": _RETRY_FOR_LONG,
            **more,
        }

    return {
        "Comment": "Takes the requests back from a new version of the gateway, and ends its release.",
        "QueryLanguage": "JSONata",
        "StartAt": "Why?",
        "States": {
            "Why?": {
                "Type": "Pass",
                "Assign": {"cause": "{% 'alarm: ' & $states.input.detail.alarmName %}"},
                "Next": "Take back",
            },
            "Take back": take_back(Next="Find the release"),
            "Find the release": {
                "Type": "Task",
                "Resource": f"{sdk}:sfn:listExecutions",
                "Arguments": {"StateMachineArn": release_arn, "StatusFilter": "RUNNING"},
                "Output": "{% [$states.result.Executions.ExecutionArn] %}",
                "Retry": _RETRY_FOR_LONG,
                "Next": "End the release",
            },
            "End the release": {
                "Type": "Map",
                "Items": "{% $states.input %}",
                "ItemProcessor": {
                    "StartAt": "End it",
                    "States": {
                        "End it": {
                            "Type": "Task",
                            "Resource": f"{sdk}:sfn:stopExecution",
                            "Arguments": {"ExecutionArn": "{% $states.input %}", "Error": TAKEN_BACK, "Cause": "{% $cause %}"},
                            "Retry": _RETRY[1:],
                            # It has come to its end by itself.
                            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "It has ended"}],
                            "Next": "It has ended",
                        },
                        "It has ended": {"Type": "Succeed"},
                    },
                },
                "Next": "Take back what it gave meanwhile",
            },
            # A release that was about to give the first share reads the alias again, and gives it, unless it is stopped first.
            "Take back what it gave meanwhile": take_back(End=True),
        },
    }


def plan_of(shares: Sequence[Share]) -> list[dict[str, Any]]:
    """The shares with how often the alarms are looked at: often enough to notice, seldom enough for the history.

    Args:
        shares: in order.

    Returns:
        Of each the weight, how long it lasts, the seconds between two looks, and how many looks. Their product is a little less
        than what it lasts, as much as the looks themselves take.
    """
    total = sum(share.seconds for share in shares)
    plan = []
    for weight, seconds in shares:
        looks = max(1, min(seconds // SHORTEST_WATCH, MOST_WATCHES * seconds // total))
        plan.append({"weight": weight, "lasts": seconds, "seconds": seconds // looks, "looks": looks})
    return plan
