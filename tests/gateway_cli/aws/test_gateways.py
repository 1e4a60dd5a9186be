import boto3
import pytest

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import API_TAG, Gateway, api_gateway, find_gateway
from gateway_cli.errors import FAILED, MISTAKEN, CommandError
from gateway_construct.rest_api import API_TAG as CONSTRUCTS_TAG
from tests.gateway_cli.gateways import Account
from tests.gateway_cli.tables import REGION


def find(*, stack: str | None = None, gateway: str | None = None) -> Gateway:
    connection = Connection(session=boto3.session.Session(region_name=REGION))
    return find_gateway(connection, api_gateway(connection), stack=stack, gateway=gateway)


def refusal(*, stack: str | None = None, gateway: str | None = None) -> CommandError:
    with pytest.raises(CommandError) as caught:
        find(stack=stack, gateway=gateway)
    return caught.value


def test_the_only_one_among_other_apis(account: Account) -> None:
    for _ in range(3):
        account.service.apis.insert(0, {"id": account.service.new_id(), "name": "other"})
    expected = Gateway(api=account.api, path="AiGateway/Gateway", stack="AiGateway", found="the only one of Region us-east-1")
    assert find() == expected


def test_the_tag_is_the_constructs() -> None:
    assert API_TAG == CONSTRUCTS_TAG


def test_none(account: Account) -> None:
    account.service.apis.clear()
    error = refusal()
    assert error.status == FAILED
    assert "there is no gateway in Region us-east-1: no REST API carries the tag 'ai-gateway:api'" in str(error)
    assert "--region" in str(error)


def test_several_are_listed_and_one_is_chosen_by_its_path(account: Account) -> None:
    second = account.add_gateway("Product/Second", "Product")
    error = refusal()
    assert error.status == FAILED
    assert str(error).splitlines() == [
        "there are several gateways in Region us-east-1; name one of them with --gateway or --stack:",
        f"  --gateway AiGateway/Gateway  (stack AiGateway, REST API {account.api})",
        f"  --gateway Product/Second  (stack Product, REST API {second})",
    ]
    assert find(gateway="Second") == Gateway(api=second, path="Product/Second", stack="Product", found="of the gateway Second")
    assert refusal(gateway="ond").status == MISTAKEN
    assert "has no gateway 'ond'; these are there:\n  --gateway AiGateway/Gateway" in str(refusal(gateway="ond"))


def test_in_a_stack(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    second = account.add_gateway("AiGateway/Second", "AiGateway")
    within = {"AiGateway": [account.api, second, "of another tool"], "One": [second]}
    monkeypatch.setattr("gateway_cli.aws.gateways.resources_of", lambda _, stack, __: iter(within[stack]))
    assert find(stack="One").found == "in the stack One"
    assert find(stack="One").api == second
    assert find(stack="AiGateway", gateway="AiGateway/Gateway").api == account.api
    assert "there are several gateways in the stack 'AiGateway'" in str(refusal(stack="AiGateway"))
