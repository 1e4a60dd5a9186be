"""A consumer with limits, deployed with the app: its budget is used up, and both SDK families say so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest

from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.state import items
from lambda_runtime.state.usage_months import Counts, parse
from tests.local_gateway import BUDGETED, BUDGETED_PLAN, LocalGateway, until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]

QUESTION: Any = [{"role": "user", "content": "say something"}]
BUDGET: Any = BUDGETED_PLAN["tokens_per_month"]
HEADER = "x-ai-gateway-budget"


@dataclass
class Table:
    """What the gateway's table has of the consumer, read and written with boto3."""

    gateway: LocalGateway

    def __post_init__(self) -> None:
        (stack,) = self.gateway.client("cloudformation").describe_stacks(StackName="AiGateway")["Stacks"]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.partition = items.USAGE + outputs["ConsumerBudgetedKeyId"]
        self.name = outputs["TableName"]
        self.dynamodb = self.gateway.client("dynamodb")
        self.month = time.strftime("%Y-%m", time.gmtime())

    def item(self, sort_key: str) -> items.Item:
        read = self.dynamodb.query(**items.query(self.name, self.partition))["Items"]
        return next((item for item in read if items.text(item, items.SORT_KEY) == sort_key), {})

    @property
    def used(self) -> Counts:
        return parse(self.item(self.month)).total

    def use(self, tokens: int) -> None:
        """Have so many tokens used in all."""
        adds = {items.USAGE_COUNTS["input"]: tokens - self.used.input - self.used.output}
        self.dynamodb.update_item(**items.Update(self.partition, self.month, sets={}, adds=adds).request(self.name))


@pytest.fixture
def table(local_gateway: LocalGateway) -> Table:
    return Table(local_gateway)


@pytest.fixture
def chat(local_gateway: LocalGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=local_gateway.openai_base_url, api_key=local_gateway.keys[BUDGETED]) as opened:
        yield opened


@pytest.fixture
def messages(local_gateway: LocalGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=local_gateway.anthropic_base_url, api_key=local_gateway.keys[BUDGETED]) as opened:
        yield opened


def test_the_deployment_has_written_the_limits(table: Table) -> None:
    limits = ConsumerLimits.from_json(items.text(table.item(items.LIMITS), items.LIMITS))
    assert limits == ConsumerLimits(**BUDGETED_PLAN)  # type: ignore[arg-type]


def test_other_models_are_not_for_this_consumer(chat: openai.OpenAI, messages: anthropic.Anthropic) -> None:
    with pytest.raises(openai.PermissionDeniedError, match=r"gpt-4\.1") as chat_refused:
        chat.chat.completions.create(model="gpt-4.1", messages=QUESTION)
    assert chat_refused.value.code == "model_not_allowed"
    with pytest.raises(anthropic.PermissionDeniedError):
        messages.messages.create(model="gpt-4.1", max_tokens=10, messages=QUESTION)
    listed = {model.id for model in chat.models.list()}
    assert "gpt-4" in listed
    assert all(name == "gpt-4" or name.startswith("claude-") for name in listed)


def test_a_budget_is_told_when_it_is_nearly_used_and_ends(
    table: Table, chat: openai.OpenAI, messages: anthropic.Anthropic, http: httpx.Client, bearer: dict[str, str]
) -> None:
    def ask() -> str | None:
        """What is told about the budget, once what the request has used is in the table too: it is written later."""
        before = table.used.requests
        told = chat.chat.completions.with_raw_response.create(model="gpt-4", messages=QUESTION).headers.get(HEADER)
        until(lambda: table.used.requests > before)
        return told

    table.use(BUDGET * 79 // 100)
    assert ask() is None
    table.use(BUDGET * 81 // 100)
    assert (ask() or "").startswith(f"tokens_per_month; used=81; limit={BUDGET}; resets=")
    table.use(BUDGET - 1)
    before = table.used.requests
    with chat.chat.completions.create(model="gpt-4", messages=QUESTION, stream=True) as stream:
        assert "used=99" in stream.response.headers[HEADER]
        assert list(stream), "what was admitted is answered to its end"
    until(lambda: table.used.requests > before)
    assert table.used.input + table.used.output >= BUDGET

    with pytest.raises(openai.RateLimitError) as chat_refused:
        chat.chat.completions.create(model="gpt-4", messages=QUESTION)
    with pytest.raises(anthropic.RateLimitError) as messages_refused:
        messages.messages.create(model="claude-3-sonnet", max_tokens=10, messages=QUESTION)
    assert (chat_refused.value.code, chat_refused.value.type) == ("budget_exceeded", "insufficient_quota")
    for refused in (chat_refused.value, messages_refused.value):
        assert "tokens_per_month" in str(refused)
        assert int(refused.response.headers["retry-after"]) > 0
        # So that the SDK has asked once only.
        assert refused.response.headers["x-should-retry"] == "false"
    assert http.post("/v1/chat/completions", json={"model": "gpt-4", "messages": QUESTION}, headers=bearer).status_code == 200
