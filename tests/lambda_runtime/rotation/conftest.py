from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lambda_runtime.rotation.kit import ADMIN_KEY, ADMIN_SECRET, OpenAi, Secret, running_openai, running_secret


@pytest.fixture
def secret() -> Iterator[Secret]:
    with running_secret() as secret:
        yield secret


@pytest.fixture
def openai(secret: Secret) -> Iterator[OpenAi]:
    secret.client.create_secret(Name=ADMIN_SECRET, SecretString=ADMIN_KEY)
    with running_openai() as openai:
        yield openai
