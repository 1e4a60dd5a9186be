from dataclasses import replace

import pytest

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.keys.model import ClientKey, NewKey, Plan, overlaps
from gateway_cli.keys.names import consumer_of, description_of, parse_consumer
from gateway_cli.keys.plans import plan_for
from tests.gateway_cli.gateways import NOW

SEARCH, MOBILE = Plan(id="p1", name="search", limits="20/s"), Plan(id="p2", name="mobile jobs")
OLD = ClientKey(id="old", consumer="search", plan=SEARCH, enabled=True, created=NOW - 10)
NEW = replace(OLD, id="new", replaces="old", overlap_ends=NOW + 60)


def test_an_overlap_is_due_when_its_time_is_over() -> None:
    overlap = overlaps([OLD, NEW])["old"]
    assert (overlap.old, overlap.new) == (OLD, NEW)
    assert not overlap.is_due(NOW)
    assert overlap.is_due(NOW + 60)


def test_what_is_no_overlap() -> None:
    assert overlaps([]) == overlaps([OLD]) == overlaps([NEW]) == {}
    assert overlaps([replace(OLD, enabled=False), NEW]) == {}, "it is finished"
    assert overlaps([OLD, replace(NEW, enabled=False)]) == {}, "whoever takes the new key back keeps the old one"


def test_of_two_replacements_the_later_one_counts() -> None:
    later = replace(NEW, id="later", overlap_ends=NOW + 90)
    for keys in ([OLD, NEW, later], [later, NEW, OLD]):
        assert overlaps(keys)["old"].new == later


def test_a_chain_is_two_overlaps() -> None:
    third = replace(NEW, id="third", replaces="new")
    assert set(overlaps([OLD, NEW, third])) == {"old", "new"}


def test_a_value_is_not_in_what_is_printed_by_mistake() -> None:
    assert "secret" not in repr(NewKey(key=OLD, value="secret"))


@pytest.mark.parametrize("name", ["search", "batch jobs", "a.b_c-d", "0", "x" * 64])
def test_names_of_consumers(name: str) -> None:
    assert parse_consumer(name) == name
    assert consumer_of(description_of(name), "Stack-Key-1X") == name


@pytest.mark.parametrize("name", ["", "-a", " a", "a/b", "ä", "x" * 65, "a\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(CommandError, match="1 to 64 letters, digits, spaces") as caught:
        parse_consumer(name)
    assert caught.value.status == MISTAKEN


def test_what_others_made_goes_by_its_own_name() -> None:
    assert consumer_of("made by hand", "ours") == "ours"


def test_the_plan_of_a_new_key() -> None:
    both = [MOBILE, SEARCH]
    assert plan_for("search", None, both, []) == SEARCH
    assert plan_for("anybody", "mobile jobs", both, []) == MOBILE
    assert plan_for("anybody", "p2", both, []) == MOBILE
    assert plan_for("anybody", None, both, [replace(OLD, plan=MOBILE)]) == MOBILE
    assert plan_for("anybody", None, [SEARCH], []) == SEARCH
    assert plan_for("search", "mobile jobs", both, [OLD]) == MOBILE, "what is said goes before what there is"


def refusal(consumer: str, named: str | None, plans: list[Plan], keys: list[ClientKey]) -> str:
    with pytest.raises(CommandError) as caught:
        plan_for(consumer, named, plans, keys)
    return str(caught.value)


def test_no_plan_for_a_new_key() -> None:
    both = [MOBILE, SEARCH]
    assert "plans come with consumers: add one in the app" in refusal("search", None, [], [])
    assert refusal("anybody", None, both, []).splitlines() == [
        "'anybody' has no plan and no key yet; say with --plan whose limits its key gets",
        "The gateway's plans:",
        "  --plan 'mobile jobs'  (no limits)",
        "  --plan search  (20/s)",
    ]
    assert "there is no plan 'serch'; did you mean 'search'?" in refusal("anybody", "serch", both, [])
    in_both = [OLD, replace(NEW, plan=MOBILE)]
    assert "several plans could be meant for 'anybody'" in refusal("anybody", None, both, in_both)
    assert "  --plan p3  (no limits)" in refusal("x", "search", [SEARCH, Plan(id="p3", name="search")], [])
