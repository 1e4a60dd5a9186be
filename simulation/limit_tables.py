"""Which limit is reached at which size, which quotas to raise, and how large the table's items get."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from gateway_prices import quotas
from lambda_runtime.config import Timeouts
from lambda_runtime.state.state_reader import STATE_MAX_AGE
from lambda_runtime.usage import Usage
from simulation.inputs import DAY, GIVEN, MIDNIGHT, Inputs
from simulation.markdown import count, number, row, size_name, table
from simulation.scenario import Result, Scenario
from simulation.scenarios import SIZES, advised_concurrency, mean_seconds
from simulation.usage_items import mean_write_units, month_sizes


def limits(largest: Result, inputs: Inputs = GIVEN) -> str:
    """Requests a day whose busiest hour reaches each limit, by one after the other.

    Args:
        largest: of the largest usual day: what a request takes of each limit.
        inputs: what is taken for given.
    """
    requests, meter = largest.requests, largest.meter
    last_day = -(-month_sizes(inputs.usage, inputs.cost, SIZES[-1], MIDNIGHT)[-1] // quotas.WRITE_UNIT_BYTES)
    silent = mean_seconds(inputs) + Timeouts().first_content
    states = meter.hottest_read("state").units / requests
    window = meter.hottest_write("window#").units / requests
    of_consumer = f"`usage#<consumer>`, one consumer with all requests, {last_day} write units on a month's last day"
    rows = (
        (
            "Lambda: concurrent executions",
            quotas.CONCURRENCY,
            mean_seconds(inputs),
            "5xx for what is above; the SDKs repeat it",
        ),
        (
            "Lambda: concurrent executions, while a provider is silent",
            quotas.CONCURRENCY,
            silent,
            "5xx, though another provider is well",
        ),
        (of_consumer, quotas.PARTITION_WRITES, last_day, "counts come late, some never; its budget is heeded late"),
        (
            "`window#<upstream>/<model>`, the most popular model",
            quotas.PARTITION_WRITES,
            window,
            "some attempts are not counted: the breaker judges by the others",
        ),
        (
            "a new table's writes",
            quotas.NEW_TABLE_WRITES,
            meter.all_writes.units / requests,
            "counts come late, or some never, until the table has grown",
        ),
        (
            "`state`, read by every instance",
            quotas.PARTITION_READS,
            states,
            f"instances know states that are older than {STATE_MAX_AGE:.0f} s",
        ),
        (
            "a new table's reads",
            quotas.NEW_TABLE_READS,
            meter.all_reads.units / requests,
            "states are older, budgets as last read",
        ),
        ("API Gateway: requests a second, in small Regions", quotas.API_RATE_SMALL_REGIONS, 1.0, "429 with Retry-After"),
        ("API Gateway: requests a second", quotas.API_RATE, 1.0, "429 with Retry-After"),
    )
    found = []
    for name, limit, taken, then in rows:
        a_day = limit / taken / inputs.peak * DAY
        found.append((a_day, row(name, count(limit), number(taken, 2), f"{number(a_day / 1e6, 2)} million", then)))
    header = ("limit", "default", "a request takes", "reached at, requests a day", "then")
    return table(header, [line for _a_day, line in sorted(found)])


def asked_for(usual: Mapping[int, tuple[Scenario, Result]]) -> str:
    """Quotas by size: what the busiest hour needs, and what to ask for."""
    header = (
        "requests a day",
        "executions at once, p99",
        f"{quotas.LAMBDA_CONCURRENCY.name} ({quotas.LAMBDA_CONCURRENCY.code})",
        "requests in the busiest second",
        f"{quotas.API_THROTTLE.name} ({quotas.API_THROTTLE.code})",
        "write units in it",
    )
    rows = []
    for size, (_scenario, result) in usual.items():
        advised = advised_concurrency(size)
        rate = ceil(result.arrivals.busiest * 2)
        rows.append(
            row(
                size_name(size),
                count(result.executions.percentile(99)),
                f"**{count(advised)}**" if advised > quotas.CONCURRENCY else "as it is",
                count(result.arrivals.busiest),
                f"{count(rate)} at least" if rate > quotas.API_RATE_SMALL_REGIONS else "as it is",
                count(result.meter.all_writes.busiest),
            )
        )
    return table(header, rows)


def item_sizes(inputs: Inputs = GIVEN) -> str:
    """Bytes of a consumer's month, as the gateway's own additions make it."""
    full = inputs.usage
    plain = Usage(full.input_tokens, full.output_tokens)
    kinds = (
        ("input and output only", plain, None),
        ("with prices", plain, inputs.cost),
        ("caches, thinking, prices", full, inputs.cost),
    )
    header = (
        "requests a day of the consumer",
        "its usage",
        "bytes on the 1st / 15th / 31st",
        "write units on the 31st",
        "mean",
    )
    rows = []
    for size in SIZES[1::2]:
        for name, usage, cost in kinds:
            sizes = month_sizes(usage, cost, size, MIDNIGHT)
            rows.append(
                row(
                    size_name(size),
                    name,
                    f"{sizes[0]:,} / {sizes[14]:,} / {sizes[-1]:,}",
                    -(-sizes[-1] // quotas.WRITE_UNIT_BYTES),
                    f"{mean_write_units(sizes):.2f}",
                )
            )
    return table(header, rows)
