"""Tests an upstream at its real address, with a key that need not be the gateway's: before it gets any traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from gateway_cli.smoke.asking import Asked, ask
from gateway_cli.smoke.models import Listed, Verdict, ask_models, listing_endpoint
from gateway_cli.smoke.questions import called, headers_for
from gateway_cli.smoke.steps import Outcome, Step
from lambda_runtime.config import Operation, UpstreamConfig

_TESTED = (Operation.CHAT_COMPLETIONS, Operation.MESSAGES)
_MOST_NAMES = 12

_OUTCOMES = {Verdict.ACCEPTED: Outcome.PASSED, Verdict.NO_LIST: Outcome.SKIPPED}
_ADVICE = {
    Verdict.REFUSED: "make another key in the provider's console, or give this one the rights; is it of the right account?",
    Verdict.FAILED: "look at the provider's status page, and try again",
    Verdict.UNREACHABLE: "is the address right, and is there a way to it from here (DNS, proxy, firewall)?",
}


def try_upstream(
    upstream: UpstreamConfig, key: str, model: str | None, *, timeout: float, about_to: Callable[[str], None]
) -> Iterator[Step]:
    """Try an upstream, one step after the other.

    Args:
        upstream: where it is.
        key: for it; empty where it takes none.
        model: that is asked, by the upstream's own name. None: it is not known, so that no answer can be asked for.
        timeout: seconds to wait each time for something to come.
        about_to: is told what is done next.
    """
    about_to("asking for its models")
    listed = ask_models(listing_endpoint(upstream), key, timeout)
    yield _models_step(listed, model)
    operations = [(endpoint, operation) for operation in _TESTED if (endpoint := upstream.endpoint_for(operation))]
    if not operations:
        yield _skipped("serves neither chat completions nor messages, so no answer was asked for")
    elif listed.verdict in {Verdict.REFUSED, Verdict.UNREACHABLE}:
        yield _skipped("the steps after the first one would fail likewise")
    elif model is None:
        names = ", ".join(listed.names[:_MOST_NAMES]) + (" …" if len(listed.names) > _MOST_NAMES else "")
        text = "the model map sends nothing to it" + (f"; it lists {names}" if names else "")
        yield replace(_skipped(text), mend="name a model of the upstream's with --model", inconclusive=True)
    else:
        for endpoint, operation in operations:
            asked = Asked(
                url=endpoint.base_url + operation.value,
                operation=operation,
                model=model,
                headers=headers_for(operation.wire_format, endpoint.auth, key),
                key=key,
                timeout=timeout,
                # The gateway adds the terminator where an upstream leaves it out.
                strict=False,
            )
            for stream in (False, True):
                about_to(f"asking {model} for {called(operation)}{', streamed' if stream else ''}")
                step = ask(asked, stream=stream)
                yield step if step.outcome is Outcome.PASSED else replace(step, mend=_mend(step.text, upstream.name, model))


def _models_step(listed: Listed, model: str | None) -> Step:
    missing = model is not None and bool(listed.names) and model not in listed.names
    return Step(
        name="models",
        outcome=_OUTCOMES.get(listed.verdict, Outcome.FAILED),
        # Some lists are incomplete: what the model itself answers is what counts.
        text=listed.text + (f"; {model} is not among them" if missing else ""),
        seconds=listed.seconds,
        mend=_ADVICE.get(listed.verdict, ""),
    )


def _skipped(text: str) -> Step:
    return Step(name="answers", outcome=Outcome.SKIPPED, text=text)


def _mend(text: str, upstream: str, model: str) -> str:
    """What helps against an error of an upstream that lets itself be asked for its models."""
    status = text.removeprefix("status ")[:3]
    if status in {"401", "403"}:
        return f"the key may not use {model}: give it the rights in the provider's console, or name another model with --model"
    if status in {"400", "404", "422"}:
        return f"is {model} a name of {upstream}'s own? 'models' lists them; name another one with --model"
    if status in {"402", "429"}:
        return "the account has a limit or no credit: look at its billing page at the provider"
    return "look at the provider's status page, and try again"
