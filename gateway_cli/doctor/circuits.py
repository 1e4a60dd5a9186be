"""What keeps requests away from upstreams now: circuits that are open, and weights that an operator has set."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_cli.doctor.findings import Finding, UnknownFactError, error, note, ok, warning
from gateway_cli.doctor.patient import Patient
from gateway_cli.times import duration_of
from gateway_cli.upstreams.clock import ServerClock
from gateway_cli.upstreams.names import enumeration
from gateway_cli.upstreams.rendering import percent
from gateway_cli.upstreams.status import stopped_models
from gateway_cli.upstreams.store import StateStore
from lambda_runtime.state import items
from lambda_runtime.state.breaker import OPERATOR
from lambda_runtime.state.operator_actions import StateItem

_KEY_REFUSED = "key refused"


def check_circuits(patient: Patient) -> Iterator[Finding]:
    """No upstream is stopped without an end, none is left out for its failures, and the configured weights count."""
    if not patient.table:
        yield note("", "the gateway has no table, so that nobody can stop an upstream")
        return
    dynamodb = patient.client("dynamodb")
    store = StateStore(dynamodb, patient.table, ServerClock(dynamodb))
    known = store.states()
    now = store.clock()
    found = [_of_state(patient, state, now) for state in known.states if state.state != "closed"]
    stopped = _stopped(patient, known.states)
    if stopped:
        text = f"requests for {enumeration(stopped)} are refused: an operator has stopped every upstream that serves them"
        found.append(error("", text, patient.own("upstreams", "status")))
    for weight in known.weights:
        reset = patient.own("upstreams", "weight", weight.route, weight.target, "--reset")
        text = f"an operator's weight of {percent(weight.weight)} counts, for {duration_of(now - weight.since, units=1)}"
        found.append(warning(f"{weight.target} in {weight.route}", f"{text}; put it into the model map, or reset it", reset))
    yield from found or [ok("", "every circuit is closed, and the configured weights count")]


def _of_state(patient: Patient, state: StateItem, now: float) -> Finding:
    upstream, _, model = state.name.partition("/")
    name = upstream if model == items.WHOLE_UPSTREAM else state.name
    since = "" if state.since is None else f" for {duration_of(now - state.since, units=1)}"
    close, status = patient.own("upstreams", "close", name), patient.own("upstreams", "status", upstream)
    if state.state == "cooling":
        return note(name, f"it answered 429 and is left alone{_until(state, now)}", status)
    if state.by == OPERATOR:
        if state.until is None:
            return warning(name, f"an operator has stopped it{since}, without an end", close)
        return note(name, f"an operator has stopped it{since}{_until(state, now)}", close)
    if state.by == _KEY_REFUSED:
        return error(name, f"it refuses the gateway's key{since}", patient.own("smoke", "upstream", upstream), close)
    return warning(name, f"its circuit is {state.state}{since}: {state.by}", status)


def _until(state: StateItem, now: float) -> str:
    return "" if state.until is None else f", another {duration_of(state.until - now, units=1)}"


def _stopped(patient: Patient, states: list[StateItem]) -> list[str]:
    try:
        return stopped_models(patient.configurations, states)
    except UnknownFactError:
        return []
