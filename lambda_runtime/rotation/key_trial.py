"""Whether an upstream takes a key: it is asked for its models, which costs nothing and changes nothing."""

from __future__ import annotations

from enum import Enum

from lambda_runtime import log
from lambda_runtime.config import AuthStyle, WireFormat
from lambda_runtime.config.secrets import RotatedSecret
from lambda_runtime.rotation import provider_http
from lambda_runtime.rotation.errors import KeyRefusedError, RotationError, UpstreamSilentError
from lambda_runtime.rotation.pause import Pause

_ANTHROPIC_VERSION = "2023-06-01"
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0

MARGIN = 3 * provider_http.TIMEOUT
"""Seconds that must be left for one more try."""

_REFUSALS = frozenset({401, 402, 403})
_NO_LIST = frozenset({404, 405, 501})
_LATER = frozenset({408, 409, 425, 429})
_OK, _NOT_OK, _BAD_REQUEST, _SERVER_ERROR = 200, 300, 400, 500

# Gemini's OpenAI-compatible endpoint refuses a key with a 400 and these words.
_REFUSED_400 = (b"API_KEY_INVALID", b"API key not valid", b"API key expired")
# A key of OpenAI's that may do other things than list models is known all the same.
_RESTRICTED = (b"issing scopes", b"nsufficient permissions")


class Verdict(Enum):
    """What an answer says about the key."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNTOLD = "untold"
    """There is no list of models, or not for this key."""
    LATER = "later"
    NONSENSE = "nonsense"


def verdict(status: int, body: bytes) -> Verdict:
    """What an answer to the question for models says about the key."""
    if _OK <= status < _NOT_OK:
        return Verdict.TAKEN
    if status in _REFUSALS:
        return Verdict.UNTOLD if any(words in body for words in _RESTRICTED) else Verdict.REFUSED
    if status == _BAD_REQUEST and any(words in body for words in _REFUSED_400):
        return Verdict.REFUSED
    if status in _NO_LIST:
        return Verdict.UNTOLD
    return Verdict.LATER if status in _LATER or status >= _SERVER_ERROR else Verdict.NONSENSE


def require_taken(
    secret: RotatedSecret, key: str, pause: Pause, *, refused_for: float, silent_for: float, times: int = 1
) -> None:
    """Try a key until the upstream takes it.

    Args:
        secret: says where.
        key: what is tried. Never logged.
        pause: waits between two tries, longer each time.
        refused_for: seconds for which a refusal is not believed: new keys may take a while to be known everywhere.
        silent_for: seconds for which an upstream that cannot tell is asked again.
        times: how often it must be taken, one time after the other. Default: 1.

    Raises:
        KeyRefusedError: if the upstream refuses it.
        UpstreamSilentError: if the upstream cannot tell.
        RotationError: if its answer makes no sense.
    """
    began, delay, taken = pause.now(), _FIRST_DELAY, 0
    while True:
        said, why = _ask(secret, key)
        if said is Verdict.UNTOLD:
            log.warning(f"the key cannot be tried, because {why}; it is taken as it is", upstream=secret.upstream)
            return
        if said is Verdict.NONSENSE:
            raise RotationError(
                f"the upstream {secret.upstream!r} cannot try the key: {why} when asked for {secret.url}; is the address right?"
            )
        taken = taken + 1 if said is Verdict.TAKEN else 0
        out_of_time = pause.remaining() < delay + MARGIN
        if taken >= times or (taken and out_of_time):
            return
        patience = silent_for if said is Verdict.LATER else refused_for
        if not taken and (out_of_time or pause.now() - began + delay > patience):
            error = UpstreamSilentError if said is Verdict.LATER else KeyRefusedError
            raise error(f"the upstream {secret.upstream!r} does not take the new key: {why}")
        pause.sleep(delay)
        delay = _FIRST_DELAY if taken else min(2 * delay, _LONGEST_DELAY)


def _ask(secret: RotatedSecret, key: str) -> tuple[Verdict, str]:
    if secret.auth in {AuthStyle.BEARER, AuthStyle.ANTHROPIC_OAUTH}:
        headers = {AuthStyle.BEARER.value: f"Bearer {key}"}
    else:
        headers = {secret.auth.value: key}
    if secret.wire_format is WireFormat.ANTHROPIC:
        headers["anthropic-version"] = _ANTHROPIC_VERSION
    try:
        reply = provider_http.send("GET", secret.url, headers)
    except provider_http.NoReplyError as error:
        return Verdict.LATER, str(error)
    # The body is not quoted: providers repeat parts of the key.
    return verdict(reply.status, reply.body), f"it answered with status {reply.status}"
