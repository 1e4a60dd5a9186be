"""The gateway over upstreams on loopback, as the runtime's own tests have it."""

from tests.gateway_cli.credentials.conftest import server
from tests.lambda_runtime.conftest import api, kit, upstream

__all__ = ["api", "kit", "server", "upstream"]
