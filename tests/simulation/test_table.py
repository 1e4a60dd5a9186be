"""The table in memory against moto's DynamoDB: the same requests, the same items, the same refusals."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.state import items, window
from lambda_runtime.state.breaker import Breaker
from lambda_runtime.state.cooling import Cooling
from lambda_runtime.state.items import Update
from lambda_runtime.state.table_health import ConflictError, TableError
from lambda_runtime.state.usage_counts import usage_update
from lambda_runtime.usage import Usage
from simulation.inputs import GIVEN, MIDNIGHT
from simulation.item_size import attribute_size, item_size
from simulation.memory_table import MemoryTable
from simulation.usage_items import mean_write_units, month_sizes

NAME = "simulated"
TARGET = "main/model-0"


def updates(random: Random) -> Iterator[Update]:
    """What the gateway writes, in any order; half of the changes of breakers have been overtaken."""
    rev = 0
    for step in range(120):
        now = MIDNIGHT + step * 3.5
        match random.randrange(4):
            case 0:
                yield window.counted(TARGET, random.choice([0.0, now - 1]), failed=random.random() < 0.5, now=now)
            case 1:
                usage = Usage(random.randrange(10_000), random.randrange(500), random.randrange(3), 0, 7)
                yield usage_update("c", usage, now, random.choice([None, 5_250_000]))
            case 2:
                opened = Breaker(TARGET, rev=rev).opened("row", now, 0.3)
                assert opened is not None
                seen = rev if random.random() < 0.5 else rev + 3
                yield opened.update(seen, now)
                rev += seen == rev
            case _:
                yield Cooling(TARGET, now, now + random.randrange(60)).update()
    yield Update(items.USAGE + "c", items.LIMITS, sets={items.LIMITS: ConsumerLimits(tokens_per_day=7).to_json()})


@pytest.mark.parametrize("state", range(3))
def test_it_does_what_dynamodb_does(state: int) -> None:
    now = [MIDNIGHT]
    memory = MemoryTable(lambda: now[0])
    conflicts = 0
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        for update in updates(Random(state)):
            request = update.request(NAME)
            refused: Any = None
            try:
                client.update_item(**request)
            except ClientError as error:
                refused = error.response.get("Item", {})
            if refused is None:
                memory.update(request)
            else:
                conflicts += 1
                with pytest.raises(ConflictError) as conflict:
                    memory.update(request)
                assert conflict.value.item == refused
        for request in (
            items.query(NAME, items.STATE_PARTITION),
            items.query(NAME, items.USAGE + "c", "2026-10"),
            items.query(NAME, "nobody"),
            window.last_minute(NAME, TARGET, MIDNIGHT + 200),
        ):
            assert memory.query(request) == client.query(**request)["Items"]
    assert conflicts > 5
    for item, size in memory.items(""):
        assert size == item_size(item)


@pytest.mark.parametrize(
    ("text", "size"), [("0", 1), ("7", 2), ("12", 2), ("123", 3), ("1000", 2), ("-12", 3), ("1.500", 2), ("1793404800.125", 8)]
)
def test_a_number_takes_a_byte_for_two_digits_and_one_more(text: str, size: int) -> None:
    assert attribute_size("ab", {"N": text}) == 2 + size
    assert attribute_size("ab", {"S": "zwölf"}) == 2 + 6


def test_a_partition_takes_so_many_units_a_second() -> None:
    now = [0.5]
    memory = MemoryTable(lambda: now[0])
    request = usage_update("c", Usage(1, 1), MIDNIGHT).request(NAME)
    for _each in range(1_000):
        memory.update(request)
    with pytest.raises(TableError) as refused:
        memory.update(request)
    assert not refused.value.unsure
    memory.update(usage_update("another", Usage(1, 1), MIDNIGHT).request(NAME))
    now[0] = 1.0
    memory.update(request)
    traffic = memory.meter.hottest_write("usage#")
    assert (traffic.calls, traffic.busiest, traffic.throttled) == (1_001, 1_000, 1)
    assert memory.meter.all_writes.throttled == 1
    [(item, _size), _another] = memory.items("usage#")
    assert items.count(item, items.USAGE_COUNTS["requests"]) == 1_001


def test_a_write_costs_by_each_kilobyte_of_the_whole_item() -> None:
    memory = MemoryTable(lambda: 0.0)
    memory.update(Update("p", "s", sets={"text": "x" * 3_000}).request(NAME))
    memory.update(Update("p", "s", sets={"more": 1}).request(NAME))
    assert memory.meter.all_writes.units == 6
    memory.query(items.query(NAME, "p"))
    memory.update(Update("p", "t", sets={"text": "x" * 3_000}).request(NAME))
    memory.query(items.query(NAME, "p"))
    assert memory.meter.all_reads.units == 1 + 2


def test_a_month_grows_by_a_day_a_day() -> None:
    sizes = month_sizes(GIVEN.usage, GIVEN.cost, 10_000, MIDNIGHT)
    assert len(sizes) == 31
    assert sizes == sorted(sizes)
    assert 1 < mean_write_units(sizes) < -(-sizes[-1] // 1024)
    assert month_sizes(GIVEN.usage, None, 10_000, MIDNIGHT)[-1] < sizes[-1]
