import boto3
import pytest

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.tables import GatewayTable, find_table
from gateway_cli.errors import FAILED, MISTAKEN, CommandError
from gateway_construct.state_table import TABLE_TAG as CONSTRUCTS_TAG
from tests.gateway_cli.tables import REGION, create_table

pytestmark = pytest.mark.usefixtures("aws")


def find(*, table: str | None = None, stack: str | None = None, gateway: str | None = None) -> GatewayTable:
    connection = Connection(session=boto3.session.Session(region_name=REGION))
    return find_table(connection, table=table, stack=stack, gateway=gateway)


def refusal(*, table: str | None = None, stack: str | None = None, gateway: str | None = None) -> CommandError:
    with pytest.raises(CommandError) as caught:
        find(table=table, stack=stack, gateway=gateway)
    return caught.value


def test_the_only_one() -> None:
    create_table("others", gateway=None)
    create_table("ours", gateway="Product/Gateway", stack="Product")
    expected = GatewayTable(name="ours", gateway="Product/Gateway", stack="Product", found="the only one of Region us-east-1")
    assert find() == expected


def test_the_tag_is_the_constructs() -> None:
    create_table("ours", gateway="Product/Gateway")
    arn = boto3.client("dynamodb", region_name=REGION).describe_table(TableName="ours")["Table"]["TableArn"]
    tags = boto3.client("dynamodb", region_name=REGION).list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert CONSTRUCTS_TAG in {tag["Key"] for tag in tags}


def test_none() -> None:
    create_table("others", gateway=None)
    error = refusal()
    assert error.status == FAILED
    assert "no gateway's table in Region us-east-1; a gateway with resilience=False has none" in str(error)
    assert "--region" in str(error)


def test_several_are_listed_and_one_is_chosen_by_the_gateways_path() -> None:
    create_table("first", gateway="Product/First", stack="Product")
    create_table("second", gateway="Product/Second", stack="Product")
    error = refusal()
    assert error.status == FAILED
    assert str(error).splitlines() == [
        "there are several gateways' tables in Region us-east-1; name one of them with --gateway or --table:",
        "  --table first  (gateway Product/First, stack Product)",
        "  --table second  (gateway Product/Second, stack Product)",
    ]
    assert find(gateway="Product/Second").name == "second"
    assert find(gateway="First").found == "of the gateway First"
    # Not by any part of a name: 'ond' is a mistake.
    assert refusal(gateway="ond").status == MISTAKEN
    assert "has no gateway 'ond' with a table; these are there:\n  --table first" in str(refusal(gateway="ond"))


def test_two_tables_of_one_gateway_are_told_apart_by_their_names() -> None:
    """A table that was kept when its stack went, and the next one."""
    create_table("old", gateway="Product/Gateway")
    create_table("new", gateway="Product/Gateway")
    assert "--table old" in str(refusal(gateway="Product/Gateway"))
    assert find(table="new") == GatewayTable(name="new", gateway="Product/Gateway", stack="AiGateway", found="as named")


def test_a_table_by_its_name_must_be_a_gateways() -> None:
    create_table("others", gateway=None)
    assert "'others' is not a gateway's: it does not carry the tag 'ai-gateway:table'" in str(refusal(table="others"))
    assert "there is no table 'missing' in Region us-east-1; is the Region right" in str(refusal(table="missing"))
    assert refusal(table="others", stack="Product").status == MISTAKEN
