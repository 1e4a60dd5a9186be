"""The run's own table does what moto's does with what the gateway asks."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_runtime.state import items, usage_counts, window
from lambda_runtime.state.breaker import Breaker
from lambda_runtime.state.cooling import cooled
from lambda_runtime.state.items import Update
from lambda_runtime.usage import Usage
from tests.soak.table import ConditionError, Table
from tests.soak.table_service import NAME

NOW = 1_790_000_005.25


def _changes() -> list[Update]:
    """What instances do to the table, conflicts included."""
    breaker = Breaker("alpha/m")
    opened = breaker.opened("5 failures in a row", NOW, 0.0)
    assert opened
    cooling = cooled("alpha/m", 20.0, NOW)
    shorter = cooled("alpha/m", 10.0, NOW)
    assert cooling
    assert shorter
    return [
        *(usage_counts.usage_update("search", Usage(3, 4, 1, 0, 2), NOW) for _ in range(3)),
        window.counted("alpha/m", 0.0, failed=True, now=NOW),
        window.counted("alpha/m", 0.0, failed=False, now=NOW),
        window.counted("alpha/m", 0.0, failed=True, now=NOW - 30),
        opened.update(0, NOW),
        opened.update(0, NOW),  # somebody else was first
        opened._replace(rev=opened.rev + 1).update(opened.rev, NOW),
        cooling.update(),
        shorter.update(),  # a cooling is never shortened
        Update("any", "thing", sets={"a": "b"}, removes=("c",)),
    ]


def test_it_does_what_moto_does() -> None:
    table, conflicts = Table(), 0
    with mock_aws():
        boto = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        names = ("pk", "sk")
        boto.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        for change in _changes():
            request = change.request(NAME)
            conflict: dict[str, Any] | None = None
            try:
                boto.update_item(**request)
            except ClientError as error:
                conflict = dict(error.response)
            if conflict is None:
                table.update(request)
                continue
            conflicts += 1
            with pytest.raises(ConditionError) as caught:
                table.update(request)
            assert caught.value.item == conflict["Item"]
        queries = [
            items.query(NAME, "usage#search"),
            items.query(NAME, items.STATE_PARTITION),
            items.query(NAME, "any"),
            items.query(NAME, "nothing"),
            window.last_minute(NAME, "alpha/m", NOW),
            window.last_minute(NAME, "alpha/m", NOW + 35),
        ]
        for query in queries:
            assert table.query(query) == boto.query(**query)["Items"]
    assert conflicts == 2


@pytest.mark.parametrize("expression", ["SET #a = if_not_exists(#a, :a)", "SET #a = #a + :a", "ADD #a"])
def test_it_says_what_it_does_not_understand(expression: str) -> None:
    request = Update("any", "thing", sets={"a": 1}).request(NAME) | {"UpdateExpression": expression}
    with pytest.raises(ValueError, match="does not understand"):
        Table().update(request)
