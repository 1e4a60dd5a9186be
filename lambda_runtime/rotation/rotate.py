"""One step of a rotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lambda_runtime import log
from lambda_runtime.config.secrets import FAILED_METRIC, RotatedSecret, RotationKind
from lambda_runtime.rotation.errors import RotationError
from lambda_runtime.rotation.metrics import write_metric
from lambda_runtime.rotation.openai_admin import OpenAiAdminRotation
from lambda_runtime.rotation.pause import Pause
from lambda_runtime.rotation.staged import StagedRotation
from lambda_runtime.rotation.steps import Step
from lambda_runtime.rotation.versions import SecretVersions, read_value


class Rotator(Protocol):
    """What differs between the kinds. Each may be done again after having been broken off anywhere."""

    def create(self) -> None:
        """Give the pending version its value."""

    def test(self, value: str) -> None:
        """Try that value."""

    def tidy(self) -> None:
        """Clean up after it has become the current one."""


def rotate(event: Mapping[str, Any], secrets: Sequence[RotatedSecret], client: Any, pause: Pause) -> None:
    """Take the step that Secrets Manager asks for.

    Args:
        event: Secrets Manager's: `Step`, `SecretId`, `ClientRequestToken`; whatever else is in it is of no concern.
        secrets: what may be rotated.
        client: boto3's, of Secrets Manager.
        pause: the function's time.

    Raises:
        RotationError: if the rotation cannot go on.
    """
    step = Step.of(event["Step"])
    secret = _known(event["SecretId"], secrets)
    try:
        _take(step, secret, SecretVersions(client, event["SecretId"], event["ClientRequestToken"]), client, pause)
    except Exception as error:
        known = isinstance(error, RotationError)
        log.error(str(error) if known else f"unexpected {type(error).__name__}", upstream=secret.upstream, step=step.value)
        write_metric(FAILED_METRIC, secret.upstream, value=True)
        raise


def _take(step: Step, secret: RotatedSecret, versions: SecretVersions, client: Any, pause: Pause) -> None:
    is_current = versions.is_current()
    value = None if is_current else versions.pending()
    if step is Step.CREATE and not is_current and value is None:
        _rotator(secret, versions, client, pause).create()
    elif step is Step.TEST and value is not None:
        _rotator(secret, versions, client, pause).test(value)
    elif step is Step.TEST and not is_current:
        # With "rotate immediately" off, Secrets Manager tries this one step when the schedule is set up.
        log.write_line(
            {"level": "INFO", "message": "there is no value to try; only the set-up is tested", "upstream": secret.upstream}
        )
    elif step is Step.FINISH:
        if not is_current:
            if value is None:
                raise RotationError(f"the version {versions.token} has no value, so it cannot become the current one")
            versions.promote()
        # Also if it is the current one: a try before this one may have been broken off in between.
        _rotator(secret, versions, client, pause).tidy()
        versions.drop_pending()
        write_metric(FAILED_METRIC, secret.upstream, value=False)
    # Nothing is set anywhere: a key is minted at the provider, by the operator or by the first step.


def _rotator(secret: RotatedSecret, versions: SecretVersions, client: Any, pause: Pause) -> Rotator:
    if secret.kind is RotationKind.STAGED:
        return StagedRotation(secret, versions, pause)
    return OpenAiAdminRotation(secret, versions, pause, read_value(client, secret.admin_secret))


def _known(secret_id: str, secrets: Sequence[RotatedSecret]) -> RotatedSecret:
    for secret in secrets:
        if secret.holds(secret_id):
            return secret
    raise RotationError(f"the secret {secret_id} is none of this gateway's; set up its rotation with Upstream(rotation=...)")
