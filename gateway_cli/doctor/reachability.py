"""Whether each upstream is there and takes the gateway's key, asked from this machine."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_cli.doctor.findings import Finding, error, guarded, ok, skipped, warning
from gateway_cli.doctor.patient import Patient, UpstreamSecret
from gateway_cli.doctor.secrets import key_command, read_secret
from gateway_cli.local.upstreams import STAND_IN_KEY
from gateway_cli.smoke.models import Listed, Verdict, ask_models, listing_endpoint
from gateway_cli.smoke.rendering import duration
from lambda_runtime.config import AuthStyle, UpstreamConfig
from lambda_runtime.secret_value import SecretProblem

_TIMEOUT = 10.0


def check_reachability(patient: Patient) -> Iterator[Finding]:
    """Each upstream's list of models can be had with the gateway's key."""
    secrets = {secret.upstream: secret for secret in patient.secrets}
    for upstream in patient.upstreams:
        yield from guarded(_check(patient, upstream, secrets.get(upstream.name)), upstream.name)


def _check(patient: Patient, upstream: UpstreamConfig, secret: UpstreamSecret | None) -> Iterator[Finding]:
    endpoint = listing_endpoint(upstream)
    if upstream.federation is not None:
        text = "it takes short-lived tokens, which only the function can get; 'ai-gateway smoke gateway' tries it"
        yield skipped(upstream.name, text)
        return
    key = ""
    if endpoint.auth is not AuthStyle.NONE:
        if secret is None or not secret.id:
            yield skipped(upstream.name, "its secret is not known")
            return
        try:
            key = read_secret(patient, secret)
        except SecretProblem:
            yield skipped(upstream.name, "there is no key to ask with; see the check on secrets")
            return
    if patient.is_local and key == STAND_IN_KEY:
        yield skipped(upstream.name, "the local gateway has a stand-in for it")
        return
    yield _judged(patient, upstream, secret, endpoint.models_url, ask_models(endpoint, key, _TIMEOUT))


def _judged(patient: Patient, upstream: UpstreamConfig, secret: UpstreamSecret | None, url: str, listed: Listed) -> Finding:
    took = duration(listed.seconds)
    if listed.verdict is Verdict.ACCEPTED:
        return ok(upstream.name, f"{url} answers in {took}: {listed.text}")
    if listed.verdict is Verdict.NO_LIST:
        return ok(upstream.name, f"{url} answers in {took}, and does not say whether it takes the key: {listed.text}")
    if listed.verdict is Verdict.REFUSED:
        mend = (patient.own("smoke", "upstream", upstream.name), *((key_command(patient, secret),) if secret else ()))
        return error(upstream.name, f"{url} answers in {took}: {listed.text}", *mend)
    stop = patient.own("upstreams", "open", upstream.name, "--for", "30m")
    if listed.verdict is Verdict.FAILED:
        return warning(upstream.name, f"{url} answers in {took} with an error: {listed.text}", stop)
    # The function may well have a way that this machine has not.
    return warning(
        upstream.name,
        f"{url} cannot be reached from this machine ({listed.text}, after {took}); whether the gateway reaches it is another "
        "question",
        patient.own("upstreams", "status", upstream.name),
        f"curl -v --max-time 10 {url}",
    )
