from pathlib import Path

import pytest

AUTHORIZER = """
def handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    value = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not value:
        raise Exception("Unauthorized")
    if value == "broken":
        raise ValueError("broken")
    effect = "Deny" if value == "denied" else "Allow"
    return {
        "principalId": "somebody",
        "usageIdentifierKey": value,
        "context": {"team": "search", "admin": True, "level": 3},
        "policyDocument": {"Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]},
    }
"""


@pytest.fixture
def authorizer(tmp_path: Path) -> Path:
    """Directory of an authorizer."""
    directory = tmp_path / "authorizer"
    directory.mkdir()
    (directory / "index.py").write_text(AUTHORIZER)
    return directory
