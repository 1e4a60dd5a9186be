"""What commands do when somebody else changes the alias at the same moment, and when AWS refuses half of what they do."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from gateway_cli.aws.gateways import Gateway as FoundGateway
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.errors import CommandError
from gateway_cli.release import actions, beginning
from gateway_cli.release.desk import ReleaseDesk
from gateway_cli.release.store import ReleaseStore
from tests.gateway_cli.release.conftest import Gateway

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("releases")]


class Interrupted:
    """A boto3 client; before each of the first calls of an operation something else happens."""

    def __init__(self, client: Any, operation: str, *happenings: Callable[[], None]) -> None:
        self._client, self._operation, self._happenings = client, operation, list(happenings)

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and self._happenings:
            self._happenings.pop(0)()
        return getattr(self._client, name)


def desk(gateway: Gateway, **clients: Any) -> ReleaseDesk:
    known = {"functions": gateway.functions, "sfn": gateway.sfn, "cloudwatch": gateway.cloudwatch}
    return ReleaseDesk(
        where=Where(),
        gateway=FoundGateway(api="a", path=gateway.path, stack="", found="", function=gateway.name, release=gateway.arn),
        store=ReleaseStore(**(known | clients), function=gateway.name, machine=gateway.arn),
        notes=Output(console=Console(file=io.StringIO())),
    )


def denied() -> None:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "ListExecutions")


def test_promotion_is_repeated_where_nothing_has_changed_but_the_revision(gateway: Gateway) -> None:
    gateway.begin("3")
    functions = Interrupted(gateway.functions, "update_alias", lambda: gateway.set_alias(Description="somebody"))
    done = actions.promote(desk(gateway, functions=functions), None)
    assert (done.before.canary, done.alias.stable, done.alias.canary) == ("3", "3", None)
    assert gateway.alias() == ("3", {})


def test_promotion_of_what_was_taken_back_at_the_same_moment(gateway: Gateway) -> None:
    gateway.begin("3")
    functions = Interrupted(gateway.functions, "update_alias", lambda: gateway.set_weight("2", 0.1))
    with pytest.raises(CommandError, match=r"version 1 is the stable one now, and 2 has 10 %; nothing was done"):
        actions.promote(desk(gateway, functions=functions), None)
    assert gateway.alias() == ("1", {"2": 0.1})


def test_promotion_that_somebody_disturbs_twice(gateway: Gateway) -> None:
    gateway.begin("3")
    disturb = [lambda text=text: gateway.set_alias(Description=text) for text in ("one", "two")]
    with pytest.raises(CommandError, match=r"nothing was done\. Look again: ai-gateway release status"):
        actions.promote(desk(gateway, functions=Interrupted(gateway.functions, "update_alias", *disturb)), None)
    assert gateway.alias() == ("1", {"3": 0.05})


def test_rollback_of_what_is_promoted_at_the_same_moment(gateway: Gateway) -> None:
    execution = gateway.begin("3")

    def promote() -> None:
        gateway.set_alias(FunctionVersion="3", RoutingConfig={"AdditionalVersionWeights": {}})

    functions = Interrupted(gateway.functions, "update_alias", promote)
    with pytest.raises(CommandError, match=r"version 3 was promoted at this very moment.*release rollback --to 1"):
        actions.rollback(desk(gateway, functions=functions), None)
    # What serves was not rolled back, whatever the command was called.
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "Promoted")
    # What the message says, works.
    actions.rollback(desk(gateway), "1")
    assert gateway.alias() == ("1", {})


def test_rollback_of_what_was_promoted_a_moment_ago(gateway: Gateway) -> None:
    execution = gateway.begin("3")
    gateway.set_alias(FunctionVersion="3", RoutingConfig={"AdditionalVersionWeights": {}})
    with pytest.raises(CommandError, match=r"version 3 was promoted at this very moment.*release rollback --to 1"):
        actions.rollback(desk(gateway), None)
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "Promoted")
    assert gateway.alias() == ("3", {})


def test_rollback_of_a_release_that_gives_its_first_share_at_the_same_moment(gateway: Gateway) -> None:
    execution = gateway.begin("3")
    sfn = Interrupted(gateway.sfn, "stop_execution", lambda: gateway.set_weight("3", 0.05))
    done = actions.rollback(desk(gateway, sfn=sfn), None)
    assert done.alias.canary is None
    assert gateway.alias() == ("1", {})
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "RolledBack")


def test_a_release_that_ends_by_itself_before_it_is_ended(gateway: Gateway) -> None:
    execution = gateway.begin("3")
    sfn = Interrupted(gateway.sfn, "stop_execution", lambda: gateway.sfn.stop_execution(executionArn=execution))
    assert actions.rollback(desk(gateway, sfn=sfn), None).alias.canary is None


@pytest.mark.parametrize("action", [actions.promote, actions.rollback])
def test_a_release_that_may_not_be_ended(gateway: Gateway, action: Any) -> None:
    gateway.begin("3")
    sfn = Interrupted(gateway.sfn, "get_paginator", denied)
    with pytest.raises(CommandError) as refused:
        action(desk(gateway, sfn=sfn), None)
    stable = gateway.alias()[0]
    assert gateway.alias() == (stable, {})
    assert f"version {stable} has every request now, but the release could not be ended" in str(refused.value)
    assert "states:ListExecutions on the release's state machine" in str(refused.value)


def test_a_weight_that_somebody_else_sets_at_the_same_moment(gateway: Gateway, plain: Gateway) -> None:
    functions = Interrupted(plain.functions, "update_alias", lambda: plain.set_weight("2", 0.1))
    with pytest.raises(CommandError, match="somebody else is changing the alias"):
        beginning.set_weight(desk(plain, functions=functions), "3", 0.5, force=False)
    assert plain.alias() == ("1", {"2": 0.1})
    functions = Interrupted(gateway.functions, "update_alias", denied)
    with pytest.raises(ClientError):
        beginning.set_weight(desk(gateway, functions=functions), "3", 0.5, force=False)
    assert gateway.alias() == ("1", {})
