"""Whether the account's quotas carry what the plans allow."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gateway_cli.doctor.findings import Finding, error, note, ok, skipped, warning
from gateway_cli.doctor.load import Load, plans_load, stay
from gateway_cli.doctor.patient import Patient
from gateway_cli.upstreams.names import enumeration

_CONCURRENCY = ("lambda", "L-B99A9384")
_THROTTLE = ("apigateway", "L-8A5B8E43")
_LOCAL = "the local gateway has no account's quotas; --workers says how many requests it serves at once"
_FEW = 100
"""Function instances below which a gateway is refused its next request soon, whatever its plans say. New accounts have 10."""


def check_concurrency(patient: Patient) -> Iterator[Finding]:
    """Lambda may run as many function instances as the plans can make busy: one for each request under way."""
    if patient.is_local:
        yield skipped("Lambda", _LOCAL)
        return
    functions = patient.client("lambda")
    account = functions.get_account_settings()["AccountLimit"]
    reserved = functions.get_function_concurrency(FunctionName=patient.function).get("ReservedConcurrentExecutions")
    limit, free = int(account["ConcurrentExecutions"]), int(account["UnreservedConcurrentExecutions"])
    if reserved == 0:
        text = "no instance of the function may run (reserved concurrency 0): every request is refused"
        yield error("Lambda", text, patient.aws("lambda", "delete-function-concurrency", "--function-name", patient.function))
        return
    have = free if reserved is None else int(reserved)
    of = f"{have} of the account's {limit} concurrent executions are left" if reserved is None else f"{have} are reserved"
    load, takes = plans_load(patient), stay(patient)
    need = math.ceil(load.rate * takes.seconds)
    why = f"the plans allow {load.rate:g} requests a second, which at {takes} makes {need} instances busy"
    if need > have:
        raised = _request(patient, _CONCURRENCY, math.ceil((limit + need - have) / 100) * 100)
        mend = [raised] if reserved is None or need - have > free - _FEW else []
        if reserved is not None:
            mend.append(f"set reserved_concurrency={need} in the app, then: {patient.deploy}")
        yield warning("Lambda", f"{why}, and {of}: requests over that are refused with 429 or 502", *mend)
    elif have < _FEW:
        yield warning("Lambda", f"{of}: so many requests at a time, and no more", _request(patient, _CONCURRENCY, 1000))
    elif load.rate:
        yield ok("Lambda", f"{why}; {of}")
    else:
        yield ok("Lambda", of)
    yield from _unlimited("Lambda", load)


def check_throttle(patient: Patient) -> Iterator[Finding]:
    """API Gateway takes as many requests a second from the account as the plans allow."""
    if patient.is_local:
        yield skipped("API Gateway", _LOCAL)
        return
    settings = patient.client("apigateway").get_account().get("throttleSettings") or {}
    rate = settings.get("rateLimit")
    if rate is None:
        yield note("API Gateway", "the account's throttle is not told")
        return
    load = plans_load(patient)
    account = f"API Gateway takes {rate:g} a second from the whole account"
    if load.rate > rate:
        yield warning(
            "API Gateway",
            f"the plans allow {load.rate:g} requests a second, and {account}: the rest is refused with 429",
            _request(patient, _THROTTLE, math.ceil(load.rate / 1000) * 1000),
        )
    else:
        yield ok("API Gateway", f"the plans allow {load.rate:g} requests a second; {account}")


def _unlimited(subject: str, load: Load) -> Iterator[Finding]:
    if load.unlimited:
        text = f"plans without a rate, which may use up whatever there is: {enumeration(load.unlimited)}"
        yield note(subject, text, "give them one in the app: gateway.add_consumer(..., plan=Plan(rate=20, burst=40))")


def _request(patient: Patient, quota: tuple[str, str], value: int) -> str:
    service, code = quota
    words = ("--service-code", service, "--quota-code", code, "--desired-value", str(value))
    return patient.aws("service-quotas", "request-service-quota-increase", *words)
