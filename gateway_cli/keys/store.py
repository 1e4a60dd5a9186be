"""Reads and changes a gateway's keys in API Gateway, which is where they are kept and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.aws.gateways import listed
from gateway_cli.aws.stacks import STACK_TAG
from gateway_cli.errors import CommandError, explain
from gateway_cli.keys.model import UNLIMITED, ClientKey, NewKey, Plan
from gateway_cli.keys.names import consumer_of, description_of
from gateway_cli.times import timestamp

# Letters, digits and + - = . _ : / are all that API Gateway takes in tags: a consumer's name does not fit.
_OWN, _OWN_VALUE = "ai-gateway:made-by", "ai-gateway-keys"
_REPLACES = "ai-gateway:replaces"
_OVERLAP_ENDS = "ai-gateway:overlap-ends"

_FULL = "an account has 10,000 keys a Region at most; delete disabled ones, or ask AWS Support for more"


@dataclass(frozen=True, slots=True)
class KeyStore:
    """The keys of a gateway.

    Args:
        apigateway: boto3 client.
        api: id of the gateway's REST API.
        clock: the time, in seconds since the epoch. Default: the real one.
    """

    apigateway: Any
    api: str
    clock: Callable[[], float] = time.time

    def plans(self) -> list[Plan]:
        """The gateway's usage plans, by name."""
        found = [
            Plan(id=item["id"], name=consumer_of(item.get("description") or "", item.get("name") or ""), limits=_limits(item))
            for item in listed(self.apigateway, "get_usage_plans")
            if any(stage.get("apiId") == self.api for stage in item.get("apiStages") or [])
        ]
        return sorted(found, key=lambda plan: (plan.name, plan.id))

    def keys(self, plans: Sequence[Plan], name: str | None = None) -> list[ClientKey]:
        """The gateway's keys, by consumer and age.

        Args:
            plans: the gateway's.
            name: a consumer's, or a key's id: only the keys of that consumer, or of that key's. Default: all.
        """
        items = {item["id"]: item for item in listed(self.apigateway, "get_api_keys")}
        consumer = {id_: consumer_of(item.get("description") or "", item.get("name") or "") for id_, item in items.items()}
        consumers = {found for id_, found in consumer.items() if name is None or name in {id_, found}}
        left = {id_ for id_, found in consumer.items() if found in consumers}
        found: list[ClientKey] = []
        # Which keys are in a plan is a call for each. The consumers' own plans first, so that few keys take few calls.
        for plan in sorted(plans, key=lambda plan: plan.name not in consumers):
            if not left:
                break
            members = {member["id"] for member in listed(self.apigateway, "get_usage_plan_keys", usagePlanId=plan.id)}
            found += [_key(items[id_], plan) for id_ in members & left]
            left -= members
        return sorted(found, key=lambda key: (key.consumer, key.created, key.id))

    def create(
        self,
        consumer: str,
        plan: Plan,
        value: str,
        *,
        replaces: str = "",
        overlap_ends: float = 0.0,
        before_use: Callable[[str], None] | None = None,
    ) -> NewKey:
        """Make a key.

        Args:
            consumer: whose it is.
            plan: its limits.
            value: what its owner will send.
            replaces: id of the key that it is to replace. Default: none.
            overlap_ends: until when that one is to work beside it, in seconds since the epoch.
            before_use: is called with the key's id before the key opens anything. Default: nothing is.

        Raises:
            CommandError: if the account can have no more keys, or what was begun cannot be undone.
            BotoCoreError: if AWS cannot be asked.
            ClientError: if AWS refuses.
        """
        tags = {_OWN: _OWN_VALUE}
        if replaces:
            tags |= {_REPLACES: replaces, _OVERLAP_ENDS: timestamp(overlap_ends)}
        # Of no use to a program; it tells keys apart in AWS's console.
        name = f"{consumer} {datetime.fromtimestamp(self.clock(), UTC):%Y%m%dT%H%M%SZ}"
        try:
            item = self.apigateway.create_api_key(
                name=name, description=description_of(consumer), enabled=True, value=value, tags=tags
            )
        except self.apigateway.exceptions.LimitExceededException as error:
            raise CommandError(f"AWS makes no more keys: {error}; {_FULL}") from None
        except self.apigateway.exceptions.ConflictException:
            # Nobody else can have the value: the call was repeated because the answer to the first one was lost.
            item = self._made_already(name, value)
        try:
            if before_use is not None:
                before_use(item["id"])
            self._join(item["id"], plan)
        except (BotoCoreError, ClientError) as error:
            self._take_back(item["id"], error)
            raise
        return NewKey(key=_key(item, plan), value=value)

    def set_enabled(self, key: ClientKey, *, enabled: bool) -> None:
        """Let a key work, or work no more.

        Raises:
            ClientError: if AWS refuses.
        """
        change = {"op": "replace", "path": "/enabled", "value": str(enabled).lower()}
        self.apigateway.update_api_key(apiKey=key.id, patchOperations=[change])

    def delete(self, id_: str) -> None:
        """Delete a key. One that is gone already is as good as deleted.

        Raises:
            ClientError: if AWS refuses.
        """
        try:
            self.apigateway.delete_api_key(apiKey=id_)
        except self.apigateway.exceptions.NotFoundException:
            return

    def _made_already(self, name: str, value: str) -> Any:
        for item in listed(self.apigateway, "get_api_keys", nameQuery=name, includeValues=True):
            if item.get("value") == value:
                return item
        raise CommandError("AWS says that there is such a key already, and does not list it; nothing was changed, try again")

    def _join(self, id_: str, plan: Plan) -> None:
        try:
            self.apigateway.create_usage_plan_key(usagePlanId=plan.id, keyId=id_, keyType="API_KEY")
        except self.apigateway.exceptions.ConflictException:
            # As above: a new key can be in a plan already only because the answer was lost.
            return

    def _take_back(self, id_: str, cause: BotoCoreError | ClientError) -> None:
        """A key in no plan opens nothing, but nobody would ever find it again."""
        try:
            self.delete(id_)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"{explain(cause)}. The key {id_} was made, is in no plan, opens nothing, and could not be deleted again "
                f"({error}); delete it: aws apigateway delete-api-key --api-key {id_}"
            ) from None


def _key(item: Mapping[str, Any], plan: Plan) -> ClientKey:
    tags = item.get("tags") or {}
    # Without a time nothing says when the other key's time is over, so that it must not be taken for over.
    overlap_ends = _moment(tags.get(_OVERLAP_ENDS, ""))
    return ClientKey(
        id=item["id"],
        consumer=consumer_of(item.get("description") or "", item.get("name") or ""),
        plan=plan,
        enabled=bool(item.get("enabled")),
        created=item["createdDate"].timestamp(),
        own=tags.get(_OWN) == _OWN_VALUE,
        stack=tags.get(STACK_TAG, ""),
        replaces=tags.get(_REPLACES, "") if overlap_ends else "",
        overlap_ends=overlap_ends,
    )


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0


def _limits(item: Mapping[str, Any]) -> str:
    throttle, quota = item.get("throttle") or {}, item.get("quota") or {}
    parts = []
    if "rateLimit" in throttle:
        parts.append(f"{throttle['rateLimit']:g}/s, burst {throttle.get('burstLimit', 0)}")
    if "limit" in quota:
        parts.append(f"{quota['limit']:,} a {quota.get('period', 'DAY').lower()}")
    return ", ".join(parts) or UNLIMITED
