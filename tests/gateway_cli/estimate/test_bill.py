"""The bill: by hand, at its edges, and as properties."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_prices import aws
from gateway_prices.bill import Quantities, lines, tiered, total
from gateway_prices.gateway_cost import monthly_lines, quantities
from gateway_prices.traffic import DAYS, Deployment, Traffic

TRAFFICS = st.builds(
    Traffic,
    requests_per_day=st.floats(0, 1e8),
    input_tokens=st.floats(0, 200_000),
    output_tokens=st.floats(0, 100_000),
    stream_share=st.floats(0, 1),
    stream_seconds=st.floats(0, 900),
    json_seconds=st.floats(0, 900),
)
DEPLOYMENTS = st.builds(
    Deployment,
    memory_mb=st.integers(128, 5_000),
    architecture=st.sampled_from(["arm64", "x86_64"]),
    secrets=st.integers(0, 12),
    table=st.booleans(),
    budgets=st.booleans(),
    waf_rules=st.integers(0, 5),
    metrics=st.integers(0, 200),
    alarm_metrics=st.integers(0, 50),
    dashboards=st.integers(0, 2),
)
SLACK = 1 + 1e-9


def usd(traffic: Traffic, deployment: Deployment) -> float:
    return total(monthly_lines(traffic, deployment))


def amounts(traffic: Traffic, deployment: Deployment = Deployment()) -> dict[str, float]:  # noqa: B008
    return {line.name: line.usd for line in monthly_lines(traffic, deployment)}


def test_a_million_streams_of_twenty_seconds_cost_what_was_worked_out_by_hand() -> None:
    traffic = Traffic(requests_per_day=1e6 / DAYS, stream_share=1, stream_seconds=20)
    found = amounts(traffic, replace(Deployment(), after_seconds=0, cold_start_share=0))
    assert found["api_gateway"] == pytest.approx(3.50)
    assert found["lambda_requests"] == found["authorizer_requests"] == pytest.approx(0.20)
    assert found["lambda_duration"] == pytest.approx(66.667)
    assert found["table_writes"] == pytest.approx(2.5 * 0.625)
    assert found["table_reads"] == pytest.approx(0.125)
    assert found["secrets"] == 0.40
    assert found["secret_calls"] == 0


@pytest.mark.parametrize(("tokens", "requests"), [(10, 1), (35_000, 1), (36_000, 2), (72_000, 3)])
def test_every_ten_megabytes_that_are_begun_are_a_request(tokens: float, requests: int) -> None:
    traffic = Traffic(requests_per_day=1, output_tokens=tokens, stream_share=1)
    assert quantities(traffic, Deployment()).api_requests == pytest.approx(requests * DAYS)


def test_what_lambda_streams_is_charged_beyond_six_megabytes_of_an_answer() -> None:
    traffic = Traffic(requests_per_day=1e3 / DAYS, output_tokens=40_000, stream_share=0.5)
    billed = quantities(traffic, Deployment())
    # Every other answer has 40,000 events of 280 bytes; the others are a third of a megabyte.
    assert billed.streamed_gb == pytest.approx(500 * (1_200 + 40_000 * 280 - 6e6) / 1e9)
    assert amounts(traffic)["lambda_streaming"] == pytest.approx(billed.streamed_gb * 0.008)
    assert amounts(Traffic())["lambda_streaming"] == 0


def test_secrets_of_others_are_read_and_not_paid_for() -> None:
    traffic = Traffic(requests_per_day=1_000)
    billed = quantities(traffic, Deployment(secrets=1, secrets_read=3, cold_start_share=0.5))
    assert billed.secrets == 1
    assert billed.secret_calls == pytest.approx(traffic.requests * 0.5 * 3)


def test_nothing_asked_costs_what_stands_there_all_the_same() -> None:
    traffic = Traffic(requests_per_day=0)
    paid = {name: amount for name, amount in amounts(traffic).items() if amount}
    assert paid == {"secrets": 0.40, "dashboard": 3.00}
    most = Deployment(secrets=3, alarm_metrics=10, fast_alarm_metrics=5, waf_rules=3, metrics=49)
    assert usd(traffic, most) == pytest.approx(3 * 0.40 + 10 * 0.10 + 5 * 0.30 + 5 + 3 * 1 + 3)


def test_metrics_cost_by_the_hours_in_which_there_are_requests() -> None:
    few, many = (amounts(Traffic(requests_per_day=requests))["metrics"] for requests in (1, 1_000))
    assert few == pytest.approx(23 * 0.30 * (1 - math.exp(-DAYS / 730)))
    assert many == pytest.approx(23 * 0.30)


def test_without_a_table_nobody_writes_and_nobody_reads_budgets() -> None:
    found = quantities(Traffic(), Deployment(table=False, budgets=True))
    assert found.table_writes == found.table_reads == 0


def test_prices_fall_with_the_amount_and_only_for_what_is_above() -> None:
    assert tiered(5, ((10, 2.0), (20, 1.0), (math.inf, 0.5))) == 10
    assert tiered(15, ((10, 2.0), (20, 1.0), (math.inf, 0.5))) == 25
    assert tiered(30, ((10, 2.0), (20, 1.0), (math.inf, 0.5))) == 35
    for tiers in (aws.REST_API_TIERS, aws.LAMBDA_LOGS_TIERS, aws.TRANSFER_TIERS, *aws.LAMBDA_TIERS.values()):
        uppers, prices = zip(*tiers, strict=True)
        assert list(uppers) == sorted(uppers)
        assert list(prices) == sorted(prices, reverse=True)
        assert uppers[-1] == math.inf


@settings(max_examples=25, deadline=None)
@given(TRAFFICS, DEPLOYMENTS)
def test_the_lines_make_up_the_sum_and_none_is_negative(traffic: Traffic, deployment: Deployment) -> None:
    bill = monthly_lines(traffic, deployment)
    assert total(bill) == pytest.approx(sum(line.usd for line in bill))
    assert all(line.usd >= 0 and math.isfinite(line.usd) for line in bill)
    assert len({line.name for line in bill}) == len(bill)
    # What Lambda bills in GB-seconds is three lines of one tariff.
    billed = quantities(traffic, deployment)
    together = billed.function_gb_seconds + billed.init_gb_seconds + billed.authorizer_gb_seconds
    parts = sum(line.usd for line in bill if line.name in {"lambda_duration", "lambda_starts", "authorizer_duration"})
    assert parts == pytest.approx(tiered(together, aws.LAMBDA_TIERS[deployment.architecture]))


@settings(max_examples=20, deadline=None)
@given(TRAFFICS, DEPLOYMENTS, st.floats(1, 10))
def test_more_of_anything_never_costs_less(traffic: Traffic, deployment: Deployment, times: float) -> None:
    cost = usd(traffic, deployment)
    for field in ("requests_per_day", "input_tokens", "output_tokens", "stream_seconds", "json_seconds"):
        more = replace(traffic, **{field: getattr(traffic, field) * times})
        assert usd(more, deployment) * SLACK >= cost, field
    for field in ("memory_mb", "secrets", "waf_rules", "metrics", "alarm_metrics", "dashboards", "log_bytes"):
        larger = replace(deployment, **{field: math.ceil(getattr(deployment, field) * times)})
        assert usd(traffic, larger) * SLACK >= cost, field
    assert usd(traffic, replace(deployment, table=True, budgets=True)) * SLACK >= cost
    assert usd(traffic, replace(deployment, architecture="x86_64")) * SLACK >= usd(
        traffic, replace(deployment, architecture="arm64")
    )


def test_what_nobody_counted_costs_nothing() -> None:
    assert total(lines(Quantities())) == 0
