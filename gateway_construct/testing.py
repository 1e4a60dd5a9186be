"""For users' tests: makes a template with a gateway in it comparable with one from another release of this library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SHA256 = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
_CONTENT_HASH = re.compile(r"[0-9a-f]{32}$")
_HASHED_TYPES = frozenset({"AWS::Lambda::Version", "AWS::ApiGateway::Deployment"})
_MASK = "HASH"


def normalise_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """Mask what changes with the content of the function, so that a snapshot outlives a patch of this library.

    Masked are the hashes of assets, the content hash at the end of the logical ids of function versions and API deployments
    with every reference to them, and the CDK's analytics. All the rest stays, so that a snapshot test still shows what an
    update changes in your account.

    Example:
        ```python
        template = Template.from_stack(stack).to_json()
        assert normalise_template(template) == json.loads(SNAPSHOT.read_text())
        ```

    Args:
        template: a CloudFormation template. It is not changed.

    Returns:
        The masked template, a copy.
    """
    resources: Mapping[str, Mapping[str, Any]] = template.get("Resources", {})
    names = {
        logical_id: _CONTENT_HASH.sub(_MASK, logical_id)
        for logical_id, resource in resources.items()
        if resource.get("Type") in _HASHED_TYPES
    }
    pattern = re.compile("|".join(map(re.escape, names))) if names else None

    def masked_text(text: str) -> str:
        if pattern is not None:
            text = pattern.sub(lambda match: names[match[0]], text)
        return _SHA256.sub(_MASK, text)

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            return masked_text(value)
        if isinstance(value, Mapping):
            if value.get("Type") == "AWS::CDK::Metadata":
                return {"Type": "AWS::CDK::Metadata"}
            return {masked_text(key): masked(item) for key, item in value.items()}
        if isinstance(value, list):
            return [masked(item) for item in value]
        return value

    result: dict[str, Any] = masked(template)
    return result
