"""Whether the configuration that travels with the versions can be read by this version of the library."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_cli.doctor.findings import Finding, UnknownFactError, ok, warning
from gateway_cli.doctor.patient import Patient


def check_configuration(patient: Patient) -> Iterator[Finding]:
    """The versions that get requests have a configuration that commands can read."""
    live = patient.live
    # By itself, so that a permission that is missing is told from a configuration that cannot be read.
    patient.client("lambda").get_function(FunctionName=patient.function, Qualifier=live[0])
    try:
        configurations = patient.configurations
    except UnknownFactError as problem:
        yield warning(
            "",
            f"{problem}. Checks that need it are skipped, and commands cannot check names. This command may be older than the "
            "gateway",
            "pip install --upgrade 'cdk-ai-gateway[cli]'",
        )
        return
    for version, config in zip(live, configurations, strict=False):
        models = f"{len(config.models)} mapped models" if len(config.models) != 1 else "1 mapped model"
        yield ok(f"version {version}", f"upstreams {', '.join(upstream.name for upstream in config.upstreams)}; {models}")
