"""What the estimate assumes of the gateway is what the gateway does."""

import calendar
from dataclasses import fields, replace

import pytest

from gateway_cli.estimate.quotas import quotas
from gateway_construct.web_acl_rules import _COUNTED_RULES
from gateway_prices import quotas as limits
from gateway_prices.gateway_cost import MOST_USAGE_WRITE_UNITS, USAGE_WRITE_UNITS, quantities
from gateway_prices.quotas import WRITE_UNIT_BYTES
from gateway_prices.traffic import LINE_BYTES, Deployment, Traffic
from lambda_runtime.admission import Admission
from lambda_runtime.config import Operation
from lambda_runtime.invocation import Invocation
from lambda_runtime.request_log import RequestLog
from lambda_runtime.state.allowances import Allowances
from lambda_runtime.state.shared_states import SharedStates
from lambda_runtime.state.state_reader import STATE_MAX_AGE
from lambda_runtime.state.table_health import TableHealth
from lambda_runtime.state.usage_counts import UsageCounts, usage_update
from lambda_runtime.usage import Usage
from simulation.inputs import GIVEN, MIDNIGHT
from simulation.scenarios import SIZES
from simulation.usage_items import month_sizes
from tests.lambda_runtime.budget_kit import ANSWER, PRICES, Consumer
from tests.lambda_runtime.gateway_kit import both_formats, gateway_over
from tests.lambda_runtime.state.table_kit import ClientOf, Clock, running_table
from tests.lambda_runtime.upstream_server import serve

REQUESTS = 5
REQUEST_ID = "0f9c2b1e-6f0a-4c43-9d2b-3f1b6a7d8e90"


def test_a_line_of_the_log_is_as_long_as_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "AiGateway-GatewayFunction8B9A1C2D-aBcDeFgHiJkL",
        "AWS_LAMBDA_FUNCTION_VERSION": "42",
    }
    context = {"requestId": REQUEST_ID, "identity": {"apiKeyId": "a1b2c3d4e5"}}
    line = RequestLog(variables, {"requestContext": context}, Invocation(request_id=REQUEST_ID, deadline=4e9))
    line.operation, line.model, line.served_model = "chat_completions", "gpt-4.1", "gpt-4.1"
    line.asked("openai", "gpt-4.1", "gpt-4.1", 9_000)
    line.status, line.streamed, line.bytes_out, line.usage = 200, True, 140_000, Usage(2_000, 500, 1_024)
    line.saw_first_byte()
    line.write()
    assert len(capsys.readouterr().out) == pytest.approx(LINE_BYTES, rel=0.1)


def test_a_month_of_usage_is_as_large_as_assumed() -> None:
    """By DynamoDB's rules: a unit for each kilobyte of names and values, a number taking a byte for two of its digits."""
    item: dict[str, int] = {}
    units = []
    for day in range(1, 31):
        update = usage_update(
            "a1b2c3d4e5", Usage(2_000, 500, 1_000, 0, 100), calendar.timegm((2026, 11, day, 12, 0, 0)), 9_000_000
        )
        for name, added in update.adds.items():
            item[name] = item.get(name, 0) + 10_000 * added
        size = len(f"pk{update.pk}sk{update.sk}") + sum(len(name) + 2 + len(str(value)) // 2 for name, value in item.items())
        units.append(-(-size // 1024))
    assert sum(units) / len(units) == pytest.approx(USAGE_WRITE_UNITS, abs=0.3)


def test_on_a_months_last_day_it_is_no_larger_than_assumed() -> None:
    """The simulation's items, of one consumer with all requests of its largest size, whose answers say all that is counted."""
    last = month_sizes(GIVEN.usage, GIVEN.cost, SIZES[-1], MIDNIGHT)[-1]
    assert -(-last // WRITE_UNIT_BYTES) == MOST_USAGE_WRITE_UNITS


def test_limits_are_those_of_the_simulation() -> None:
    assert {quota.name: quota.default for quota in quotas(Traffic(), Deployment())} == {
        "lambda_concurrency": limits.CONCURRENCY,
        "lambda_starts": limits.SCALING_UNITS,
        "api_gateway_rate": limits.API_RATE,
        "api_gateway_burst": 5_000,
        "table_consumer_writes": limits.PARTITION_WRITES,
        "table_item_writes": limits.PARTITION_WRITES,
        "table_writes": limits.NEW_TABLE_WRITES,
        "table_state_reads": limits.PARTITION_READS,
    }


@pytest.mark.parametrize("budgets", [False, True])
def test_a_request_reads_and_writes_the_table_as_often_as_assumed(*, budgets: bool) -> None:
    clock, clients = Clock(), ClientOf()
    with running_table() as table, serve() as upstream:
        upstream.answer = ANSWER
        client, health = clients(table.url), TableHealth(clock)
        counts = UsageCounts(client, health, clock=clock)
        states = SharedStates(client, health, clock=clock)
        consumer = Consumer(table, clock)
        if budgets:
            consumer.limit(tokens_per_day=1_000_000)
        table.requests.clear()
        with gateway_over(
            both_formats("main", upstream.url),
            states=states,
            usage_counts=counts,
            admission_of=(lambda config: Admission(config, Allowances(client, health, counts, clock=clock)))
            if budgets
            else None,
            prices=PRICES,
        ) as kit:
            for _ in range(REQUESTS):
                kit.call(consumer.event(Operation.CHAT_COMPLETIONS, {"model": "gpt-4.1"}))
                states.forget()  # which waits for the read under way
                clock.pass_(STATE_MAX_AGE)
        clients.close()
    traffic = Traffic()
    billed = quantities(traffic, Deployment(budgets=budgets))
    assert len(table.asked("Query")) == REQUESTS * billed.table_reads / traffic.requests
    assert len(table.asked("UpdateItem")) == REQUESTS * 2
    assert billed.table_writes == pytest.approx(traffic.requests * (1 + USAGE_WRITE_UNITS))


def test_what_is_added_to_a_deployment_is_paid_for() -> None:
    """A new field that no line heeds would be an option that does nothing."""
    traffic = Traffic(requests_per_day=1_000)
    usual = quantities(traffic, Deployment(waf_rules=len(_COUNTED_RULES) + 1))
    changes = {"architecture": "x86_64", "table": False, "budgets": True, "secrets_read": 3}
    for field in fields(Deployment):
        changed = replace(
            Deployment(waf_rules=len(_COUNTED_RULES) + 1),
            **{field.name: changes.get(field.name, field.default * 2 + 1 if isinstance(field.default, int | float) else None)},
        )
        assert field.name == "architecture" or quantities(traffic, changed) != usual, field.name
