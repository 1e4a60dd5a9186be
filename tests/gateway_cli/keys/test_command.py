"""The commands as they are typed."""

import json
import time
from typing import Any

import pytest

from gateway_cli.aws.permissions import PERMISSIONS
from gateway_cli.errors import FAILED, MISTAKEN
from gateway_cli.keys.store import KeyStore
from tests.gateway_cli.gateways import DONE, NOW, Account, Done, call


def keys(*arguments: str) -> Done:
    return call("keys", *arguments)


def made(*arguments: str) -> dict[str, Any]:
    """What a command with `--json` printed."""
    done = keys(*arguments, "--json")
    assert done.exit_code == DONE, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def listed(*arguments: str) -> dict[str, dict[str, Any]]:
    return {key["id"]: key for key in made("list", *arguments)["keys"]}


@pytest.fixture
def search(account: Account) -> str:
    """A consumer that the stack made: its key's id."""
    return account.add_consumer("search", throttle={"rateLimit": 20.0, "burstLimit": 40})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The commands' time."""
    now = [NOW]
    monkeypatch.setattr(KeyStore.__init__, "__defaults__", (lambda: now[0],))
    return now


def test_a_value_is_all_that_is_printed_and_printed_once(account: Account, search: str) -> None:
    done = keys("create", "search")
    assert done.exit_code == DONE
    (new,) = set(account.service.keys) - {search}
    value = account.service.keys[new]["value"]
    assert done.stdout == f"{value}\n"
    assert value not in done.stderr
    assert f"search has 2 keys now. The key {new} has the limits of search for itself: 20/s, burst 40." in done.stderr
    assert account.members("search") == [search, new]
    for command in (("list",), ("list", "--json"), ("disable", new), ("enable", new), ("disable", new, "--json")):
        printed = keys(*command)
        assert value not in printed.stdout + printed.stderr


def test_create_for_scripts(account: Account, search: str) -> None:  # noqa: ARG001
    document = made("create", "mobile", "--plan", "search")
    assert account.service.keys[document["id"]]["value"] == document["value"]
    assert (document["consumer"], document["plan"], document["made_by"]) == ("mobile", "search", "command")
    assert (document["replaces"], document["overlap_ends"]) == (None, None)
    # Its consumer has a plan now.
    account.add_plan("other")
    assert made("create", "mobile")["plan"] == "search"


def test_a_new_consumer_is_told(account: Account, search: str) -> None:  # noqa: ARG001
    assert "mobile is a new consumer." in keys("create", "mobile").stderr
    account.add_plan("other")
    done = keys("create", "seerch")
    assert (done.exit_code, done.stdout) == (MISTAKEN, "")
    assert "did you mean 'search'?" in done.stderr
    assert len(account.service.keys) == 2


def test_list(account: Account, search: str) -> None:
    mobile = made("create", "mobile", "--plan", "search")["id"]
    assert keys("disable", search).exit_code == DONE
    by = {id_: (key["consumer"], key["enabled"], key["made_by"], key["stack"]) for id_, key in listed().items()}
    assert by == {mobile: ("mobile", True, "command", None), search: ("search", False, "stack", "AiGateway")}
    assert set(listed("mobile")) == {mobile}
    assert set(listed(search)) == {search}
    lines = keys("list").stdout.splitlines()
    assert lines[0].split()[:5] == ["consumer", "key", "state", "plan", "limits"]
    assert lines[2].split()[:3] == ["search", search, "disabled"]
    assert "stack AiGateway" in lines[2]
    account.service.keys.clear()
    assert keys("list").stdout == "There is no key yet.\n"
    assert listed() == {}


def test_disable_and_enable(account: Account, search: str) -> None:
    done = keys("disable", "search")
    assert done.exit_code == DONE
    assert f"search's key {search} is disabled: its requests are refused with 401" in done.stdout
    assert f"ai-gateway keys enable {search}" in done.stdout
    assert "belongs to the stack AiGateway: it stays disabled as long as no deployment changes the key" in done.stderr
    assert not account.enabled(search)
    assert "was disabled already" in keys("disable", search).stdout
    assert "is enabled: it works within seconds" in keys("enable", "search").stdout
    assert account.enabled(search)
    assert "was enabled already" in keys("enable", "search").stdout


def test_a_consumer_is_shut_out_with_all_its_keys(account: Account, search: str) -> None:
    second = made("create", "search")["id"]
    account.add_consumer("other")
    document = made("disable", "search")["keys"]
    assert {key["id"]: (key["changed"], key["enabled"]) for key in document} == {
        search: (True, False),
        second: (True, False),
    }
    assert [key["changed"] for key in made("disable", "search")["keys"]] == [False, False]
    assert [key["enabled"] for key in listed().values()] == [True, False, False]
    done = keys("enable", "search")
    assert done.exit_code == MISTAKEN
    assert f"'search' has 2 disabled keys; name one by its id: {search}, {second}" in done.stderr
    assert keys("enable", second).exit_code == DONE
    assert (account.enabled(search), account.enabled(second)) == (False, True)


def test_delete_wants_a_key_of_its_own_that_does_not_work(account: Account, search: str) -> None:
    done = keys("delete", search)
    assert done.exit_code == FAILED
    assert "belongs to the stack AiGateway, which would miss it; remove the consumer from the app" in done.stderr
    new = made("create", "search")["id"]
    assert "name one by its id" in keys("delete", "search").stderr
    done = keys("delete", new)
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert "works, and a key that is deleted cannot be had back; disable it first" in done.stderr
    assert keys("disable", new).exit_code == DONE
    assert made("delete", new)["keys"][0]["changed"]
    assert set(account.service.keys) == {search}
    forced = made("create", "search")["id"]
    assert keys("delete", forced, "--force").exit_code == DONE
    assert set(account.service.keys) == {search}
    assert keys("delete", forced).exit_code == MISTAKEN


def test_a_key_made_by_hand_is_left_alone(account: Account, search: str) -> None:  # noqa: ARG001
    hand = account.service.add_key(name="ours", description="", tags=None)
    account.members("search").append(hand)
    assert listed("ours")[hand]["made_by"] == "other"
    assert "was not made by this command, but by a stack or by hand" in keys("delete", "ours", "--force").stderr
    assert hand in account.service.keys


def test_rotate_and_finish(account: Account, search: str, clock: list[float]) -> None:
    done = keys("rotate", "search", "--overlap", "2h")
    assert done.exit_code == DONE
    (new,) = set(account.service.keys) - {search}
    assert done.stdout == f"{account.service.keys[new]['value']}\n"
    assert f"The key {new} replaces search's key {search}. Both work" in done.stderr
    assert account.enabled(search)
    assert account.enabled(new)
    assert account.members("search") == [search, new]
    known = listed()
    assert (known[search]["replaced_by"], known[search]["overdue"]) == (new, False)
    assert known[search]["overlap_ends"] == "2027-01-15T10:00:00Z"
    assert known[new]["replaces"] == search
    assert "ending" in keys("list").stdout
    assert f"replaced by {new}, ends in 2 h" in keys("list").stdout
    # Too early without a name; then it is over, and who looks sees it.
    assert keys("rotate", "--finish").stdout == "There is nothing to finish.\n"
    clock[0] += 2 * 3600 + 600
    assert listed()[search]["overdue"]
    assert f"replaced by {new}, overdue for 10 m" in keys("list").stdout
    assert account.enabled(search), "nothing ends by itself"
    assert [key["id"] for key in made("rotate", "--finish")["keys"]] == [search]
    assert (account.enabled(search), account.enabled(new)) == (False, True)
    assert made("rotate", "--finish")["keys"] == made("rotate", "search", "--finish")["keys"] == []


@pytest.mark.parametrize("by", ["consumer", "old", "new"])
def test_whoever_names_it_finishes_it_early(account: Account, search: str, by: str) -> None:
    new = made("rotate", search)["id"]
    name = {"consumer": "search", "old": search, "new": new}[by]
    assert f"search's key {search} is disabled" in keys("rotate", name, "--finish").stdout
    assert not account.enabled(search)
    done = keys("enable", search)
    assert f"{new} was made to replace {search}, which 'keys rotate --finish' disables again" in done.stderr


def test_a_day_unless_said_otherwise(account: Account, search: str, clock: list[float]) -> None:  # noqa: ARG001
    assert made("rotate", "search")["overlap_ends"] == "2027-01-16T08:00:00Z"


def test_a_rotation_is_not_begun_twice(account: Account, search: str) -> None:
    new = made("rotate", "search")["id"]
    for name in ("search", search):
        done = keys("rotate", name)
        assert (done.exit_code, done.stdout) == (FAILED, "")
        assert f"search's key {search} is being replaced by {new} already" in done.stderr
        assert f"ai-gateway keys rotate {search} --finish" in done.stderr
    assert len(account.service.keys) == 2
    # Its value is lost: the new one is replaced, and both old ones go.
    third = made("rotate", new)["id"]
    assert {key["id"] for key in made("rotate", "search", "--finish")["keys"]} == {search, new}
    assert account.enabled(third)


def test_a_rotation_that_is_called_off(account: Account, search: str) -> None:
    new = made("rotate", "search")["id"]
    assert keys("delete", new, "--force").exit_code == DONE
    assert listed()[search]["replaced_by"] is None
    assert made("rotate", "search", "--finish")["keys"] == []
    assert account.enabled(search)
    assert keys("rotate", "search").exit_code == DONE


def test_what_cannot_be_rotated(account: Account, search: str) -> None:
    second = made("create", "search")["id"]
    done = keys("rotate", "search")
    assert done.exit_code == MISTAKEN
    assert f"'search' has 2 keys in use; name the one to replace by its id: {search}, {second}" in done.stderr
    keys("disable", "search")
    done = keys("rotate", "search")
    assert done.exit_code == FAILED
    assert (
        "'search' has no key that works, so there is none to replace; to make one: ai-gateway keys create search" in done.stderr
    )
    assert len(account.service.keys) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "a/b"), "a consumer's name is 1 to 64 letters"),
        (("create", "x", "--plan", "nobody"), "there is no plan 'nobody'"),
        (("disable", "serch"), "has no consumer and no key 'serch'; did you mean 'search'? ai-gateway keys list shows them"),
        (("list", "nobody"), "has no consumer and no key 'nobody'"),
        (("rotate",), "name the key to replace, or its consumer; or say --finish"),
        (("rotate", "search", "--overlap", "1"), "a duration is a number and a unit"),
        (("rotate", "search", "--overlap", "1h", "--finish"), "give one of them"),
        (("rotate", "nobody", "--finish"), "has no consumer and no key 'nobody'"),
        (("list", "--local", "--profile", "x"), "leave out --region and --profile"),
        (("create",), "Missing argument 'CONSUMER'"),
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(
    account: Account, search: str, arguments: tuple[str, ...], told: str
) -> None:
    done = keys(*arguments)
    assert (done.exit_code, done.stdout) == (MISTAKEN, "")
    assert told in done.stderr
    assert set(account.service.keys) == {search}
    assert not {"UpdateApiKey", "CreateApiKey", "DeleteApiKey"} & set(account.service.asked)


@pytest.mark.parametrize(
    ("operation", "command"),
    [
        ("GetRestApis", ("list",)),
        ("GetUsagePlans", ("list",)),
        ("GetUsagePlanKeys", ("list",)),
        ("GetApiKeys", ("list",)),
        ("CreateApiKey", ("create", "search")),
        ("CreateUsagePlanKey", ("create", "search")),
        ("UpdateApiKey", ("disable", "search")),
    ],
)
def test_the_permission_that_is_missing_is_named(
    account: Account, search: str, operation: str, command: tuple[str, ...]
) -> None:
    account.service.refused[operation] = ("AccessDeniedException", "User: x is not authorized")
    done = keys(*command)
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert f"it takes {PERMISSIONS[operation]}; docs/operations.md lists" in done.stderr
    assert set(account.service.keys) == {search}


def test_a_further_command_is_for_the_same_gateway(account: Account, search: str) -> None:
    account.add_gateway("Other/Gateway", "Other")
    done = keys("disable", search, "--gateway", "AiGateway/Gateway", "--region", "us-east-1")
    assert f"ai-gateway keys enable {search} --gateway AiGateway/Gateway --region us-east-1" in done.stdout


def test_the_time_is_the_real_one(account: Account) -> None:
    assert abs(KeyStore(account.client(), account.api).clock() - time.time()) < 60
