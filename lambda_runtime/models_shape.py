"""The two shapes of a list of models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambda_runtime.errors import RequestError

Model = dict[str, Any]
"""A model as its upstream describes it; `id` is a text."""

_YEAR_10000 = 253_402_300_800
_EPOCH = "1970-01-01T00:00:00Z"
_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1000


def openai_model(model: Model) -> Model:
    """A model as the OpenAI SDKs expect it. Fields beyond those that the format needs stay."""
    extra = {key: value for key, value in model.items() if key not in {"type", "created_at", "display_name"}}
    return {**extra, "object": "model", "created": _created(model), "owned_by": _text(model.get("owned_by")) or "unknown"}


def anthropic_model(model: Model) -> Model:
    """A model as the Anthropic SDKs expect it. Fields beyond those that the format needs stay."""
    extra = {key: value for key, value in model.items() if key not in {"object", "created", "owned_by"}}
    display_name = _text(model.get("display_name")) or model["id"]
    return {**extra, "type": "model", "display_name": display_name, "created_at": _created_at(model)}


def anthropic_page(models: Mapping[str, Model], query: Mapping[str, str]) -> Model:
    """One page, as `limit`, `after_id` and `before_id` of the query ask for.

    Raises:
        RequestError: if one of them is not understood.
    """
    ids = list(models)
    limit = _limit(query.get("limit"))
    after, before = query.get("after_id"), query.get("before_id")
    begin = _index(ids, after, "after_id") + 1 if after else 0
    end = _index(ids, before, "before_id") if before else len(ids)
    page = ids[max(begin, end - limit) : end] if before and not after else ids[begin:end][:limit]
    has_more = bool(page) and (page[0] != ids[begin] if before and not after else page[-1] != ids[end - 1])
    return {
        "data": [anthropic_model(models[name]) for name in page],
        "has_more": has_more,
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= _MAX_LIMIT):  # noqa: PLR2004
        raise RequestError(f"'limit' must be a number from 1 to {_MAX_LIMIT}, got {text[:20]!r}", param="limit")
    return int(text)


def _index(ids: list[str], name: str, field: str) -> int:
    try:
        return ids.index(name)
    except ValueError:
        raise RequestError(f"{field!r} names no model of the list, got {name[:200]!r}", param=field) from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _created(model: Model) -> int:
    created = model.get("created")
    if isinstance(created, int) and 0 < created < _YEAR_10000:
        return created
    try:
        return int(datetime.fromisoformat(_text(model.get("created_at"))).timestamp())
    except (ValueError, OverflowError):
        return 0


def _created_at(model: Model) -> str:
    text = _text(model.get("created_at"))
    if text:
        return text
    created = _created(model)
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if created else _EPOCH
