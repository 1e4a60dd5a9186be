"""A stream as the whole answer that it should have been: some upstreams stream whatever they were asked for."""

from __future__ import annotations

import json
from typing import Any, Protocol

from lambda_runtime.config import Operation


class Assembler(Protocol):
    """Puts the events of a stream together."""

    def add(self, event: dict[str, Any]) -> None:
        """Take the next event."""

    def document(self) -> dict[str, Any] | None:
        """The answer; None if the events do not make one."""


def assembler_for(operation: Operation) -> Assembler:
    """What puts an operation's streams together."""
    if operation is Operation.MESSAGES:
        return _Messages()
    return _Responses() if operation is Operation.RESPONSES else _Chat()


class _Chat:
    def __init__(self) -> None:
        self._common: dict[str, Any] = {}
        self._choices: dict[Any, dict[str, Any]] = {}

    def add(self, event: dict[str, Any]) -> None:
        if not isinstance(event.get("choices"), list):
            return
        self._common = {**event, **{name: value for name, value in self._common.items() if value is not None}}
        for choice in event["choices"]:
            if isinstance(choice, dict):
                self._add(choice)

    def _add(self, choice: dict[str, Any]) -> None:
        index = choice.get("index", 0)
        known = self._choices.setdefault(index, {"index": index, "message": {"content": None}, "finish_reason": None})
        for name, value in choice.items():
            if name == "delta" and isinstance(value, dict):
                _merge(known["message"], value)
            elif name == "logprobs" and isinstance(value, dict):
                _merge(known.setdefault("logprobs", {}), value)
            elif value is not None and name not in {"delta", "index"}:
                known[name] = value

    def document(self) -> dict[str, Any] | None:
        if not self._common:
            return None
        choices = [self._choices[index] for index in sorted(self._choices, key=str)]
        for choice in choices:
            message = choice["message"]
            message.setdefault("role", "assistant")
            for call in message.get("tool_calls") or ():
                call.pop("index", None)
        return {**self._common, "object": "chat.completion", "choices": choices}


def _merge(message: dict[str, Any], delta: dict[str, Any]) -> None:
    """Texts grow, lists grow, parts of a list that have an index grow by it."""
    for name, value in delta.items():
        known = message.get(name)
        if value is None:
            message.setdefault(name, None)
        elif known is None or name in {"role", "id", "type"}:
            message[name] = _indexed([], value) if isinstance(value, list) else value
        elif isinstance(known, str) and isinstance(value, str):
            message[name] = known + value
        elif isinstance(known, list) and isinstance(value, list):
            message[name] = _indexed(known, value)
        elif isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            message[name] = value


def _indexed(known: list[Any], more: list[Any]) -> list[Any]:
    for item in more:
        index = item.get("index") if isinstance(item, dict) else None
        same = next((old for old in known if isinstance(old, dict) and old.get("index") == index), None)
        if index is None or same is None:
            known.append(item)
        else:
            _merge(same, {name: value for name, value in item.items() if name != "index"})
    return known


class _Messages:
    _TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}  # noqa: RUF012

    def __init__(self) -> None:
        self._message: dict[str, Any] | None = None
        self._blocks: dict[Any, dict[str, Any]] = {}
        self._inputs: dict[Any, str] = {}

    def add(self, event: dict[str, Any]) -> None:
        index, delta = event.get("index"), event.get("delta")
        match event.get("type"):
            case "message_start" if isinstance(event.get("message"), dict):
                self._message = dict(event["message"])
            case "content_block_start" if isinstance(event.get("content_block"), dict):
                self._blocks[index] = dict(event["content_block"])
            case "content_block_delta" if isinstance(delta, dict) and index in self._blocks:
                self._add(index, self._blocks[index], delta)
            case "message_delta" if self._message is not None:
                self._message.update(delta if isinstance(delta, dict) else {})
                usage = event.get("usage")
                if isinstance(usage, dict):
                    figures = {name: value for name, value in usage.items() if value is not None}
                    self._message["usage"] = {**(self._message.get("usage") or {}), **figures}

    def _add(self, index: Any, block: dict[str, Any], delta: dict[str, Any]) -> None:
        kind = delta.get("type")
        if kind == "input_json_delta":
            self._inputs[index] = self._inputs.get(index, "") + str(delta.get("partial_json") or "")
        elif kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or ()), delta.get("citation")]
        elif kind in self._TEXTS:
            name = self._TEXTS[kind]
            block[name] = (block.get(name) or "") + (delta.get(name) or "")

    def document(self) -> dict[str, Any] | None:
        if self._message is None:
            return None
        try:
            for index, text in self._inputs.items():
                if text:
                    self._blocks[index]["input"] = json.loads(text)
        except ValueError:
            return None
        return {**self._message, "content": list(self._blocks.values())}


class _Responses:
    def __init__(self) -> None:
        self._response: dict[str, Any] | None = None

    def add(self, event: dict[str, Any]) -> None:
        if event.get("type") in ("response.completed", "response.incomplete") and isinstance(event.get("response"), dict):
            self._response = event["response"]

    def document(self) -> dict[str, Any] | None:
        return self._response
