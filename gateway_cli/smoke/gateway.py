"""Tests a gateway from outside, as its clients see it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway_cli.smoke.asking import Asked, ask, request_id
from gateway_cli.smoke.client import UnreachableError, requested
from gateway_cli.smoke.models import Listed, Verdict, ask_models
from gateway_cli.smoke.plan import Planned, planned
from gateway_cli.smoke.questions import called, error_text, headers_for, question
from gateway_cli.smoke.steps import Outcome, Step
from lambda_runtime.config import AuthStyle, Endpoint, GatewayConfig, Operation, WireFormat

_UNKNOWN_PATH = "/v1/ai-gateway-smoke"
_UNAUTHORIZED, _NOT_FOUND = 401, 404
_AUTH = {WireFormat.OPENAI: AuthStyle.BEARER, WireFormat.ANTHROPIC: AuthStyle.X_API_KEY}

_WRONG_ADDRESS = "is that the address of a gateway? OpenAI's clients take it with /v1 at its end, --url takes it without"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """A gateway that is tested.

    Args:
        url: where it takes requests, without a trailing slash.
        key: a consumer's.
        models: that are asked, by the names that clients use; empty: the first one that it lists.
        configurations: of the versions that take requests; empty if they are not known.
        timeout: seconds to wait each time for something to come.
        find_in_logs: a command or an advice that finds a request in the logs, by its id.
    """

    url: str
    key: str
    models: Sequence[str]
    configurations: Sequence[GatewayConfig]
    timeout: float
    find_in_logs: Callable[[str], str]

    def try_all(self, about_to: Callable[[str], None]) -> Iterator[Step]:
        """Try it, one step after the other.

        Args:
            about_to: is told what is done next.
        """
        about_to("asking with a key that does not exist")
        refusal = self._wrong_key()
        yield refusal
        if refusal.seconds is None:
            yield Step(name="answers", outcome=Outcome.SKIPPED, text="the steps after the first one would fail likewise")
            return
        about_to("asking for its models")
        listing = Endpoint(base_url=f"{self.url}/v1", auth=AuthStyle.BEARER, operations=(Operation.CHAT_COMPLETIONS,))
        listed = ask_models(listing, self.key, self.timeout)
        yield self._models(listed)
        if listed.verdict is Verdict.REFUSED:
            yield Step(name="answers", outcome=Outcome.SKIPPED, text="the key opens nothing")
        else:
            yield from self._answers(listed, about_to)
        about_to("asking for a route that does not exist")
        yield self._unknown_route()

    def _answers(self, listed: Listed, about_to: Callable[[str], None]) -> Iterator[Step]:
        models = self.models or listed.names[:1]
        if not models:
            yield Step(
                name="answers",
                outcome=Outcome.SKIPPED,
                text="no model is known",
                mend="name one with --model",
                inconclusive=True,
            )
        for one in planned(models, self.configurations):
            for stream in one.streams:
                about_to(f"asking {one.model} for {called(one.operation)}{', streamed' if stream else ''}")
                yield self._mended(ask(self._asked(one), stream=stream))

    def _asked(self, one: Planned) -> Asked:
        wire_format = one.operation.wire_format
        return Asked(
            url=self.url + one.operation.route,
            operation=one.operation,
            model=one.model,
            headers=headers_for(wire_format, _AUTH[wire_format], self.key),
            key=self.key,
            timeout=self.timeout,
        )

    def _mended(self, step: Step) -> Step:
        """A step of the gateway's own, with what to do about it. Every answer must carry the id by which logs know it."""
        if step.outcome is Outcome.PASSED:
            if step.request_id:
                return step
            return replace(step, outcome=Outcome.FAILED, text="the answer has no request id", mend=_WRONG_ADDRESS)
        if step.request_id:
            return replace(step, mend=self.find_in_logs(step.request_id))
        return replace(step, mend="nothing of it reached the function: is the gateway deployed, and is its stage there?")

    def _wrong_key(self) -> Step:
        failed = Step(name="wrong key", outcome=Outcome.FAILED, text="", mend=_WRONG_ADDRESS)
        url = self.url + Operation.CHAT_COMPLETIONS.route
        # As keys of this gateway look, and new each time: there is none that could be it.
        wrong = secrets.token_hex(20)
        headers = headers_for(WireFormat.OPENAI, AuthStyle.BEARER, wrong)
        body = question(Operation.CHAT_COMPLETIONS, "none", stream=False)
        try:
            with requested("POST", url, headers=headers, body=body, timeout=self.timeout) as reply:
                content = reply.body()
                step = replace(failed, seconds=reply.seconds, request_id=request_id(reply))
        except UnreachableError as error:
            return replace(failed, text=str(error), mend="is the address right, and is there a way to it from here?")
        if reply.status == _UNAUTHORIZED and _is_error(content):
            return replace(step, outcome=Outcome.PASSED, text="refused with 401", mend="")
        return replace(step, text=f"not refused as a gateway does: {error_text(reply.status, content, wrong)}")

    def _models(self, listed: Listed) -> Step:
        missing = [model for model in self.models if listed.names and model not in listed.names]
        step = Step(
            name="models",
            outcome=Outcome.PASSED if listed.verdict is Verdict.ACCEPTED else Outcome.FAILED,
            text=listed.text + (f"; not among them: {', '.join(missing)}" if missing else ""),
            seconds=listed.seconds,
        )
        if listed.verdict is Verdict.REFUSED:
            return replace(step, mend="is it a key of this gateway, enabled, in a plan of its stage? ai-gateway keys list")
        if step.outcome is Outcome.FAILED:
            return replace(step, mend=_WRONG_ADDRESS)
        return step

    def _unknown_route(self) -> Step:
        failed = Step(name="unknown route", outcome=Outcome.FAILED, text="", mend=_WRONG_ADDRESS)
        headers = headers_for(WireFormat.OPENAI, AuthStyle.BEARER, self.key)
        try:
            with requested("GET", self.url + _UNKNOWN_PATH, headers=headers, timeout=self.timeout) as reply:
                content = reply.body()
                step = replace(failed, seconds=reply.seconds, request_id=request_id(reply))
        except UnreachableError as error:
            return replace(failed, text=str(error))
        if reply.status == _NOT_FOUND and _is_error(content):
            return replace(step, outcome=Outcome.PASSED, text="404 with an error that clients can read", mend="")
        return replace(step, text=error_text(reply.status, content, self.key))


def _is_error(body: bytes) -> bool:
    """Whether a body is an error that both families of clients can read."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        return False
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and isinstance(error.get("message"), str) and document.get("type") == "error"
