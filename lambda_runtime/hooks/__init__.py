"""What a user's hook module works with: the request before it is routed, the response after it has ended, a refusal.

The module has one or both of these functions:

    def before_request(request: HookRequest) -> None: ...
    def after_response(request: HookRequest, response: HookResponse) -> None: ...

Nothing here needs more than the standard library, so that a hook module can be tested wherever this package is installed.
"""

from lambda_runtime.config import Operation
from lambda_runtime.hooks.fields import HookUsageError
from lambda_runtime.hooks.module import HookModuleError, Hooks
from lambda_runtime.hooks.refusal import Refusal
from lambda_runtime.hooks.request import HookRequest
from lambda_runtime.hooks.response import HookResponse
from lambda_runtime.usage import Usage

__all__ = [
    "HookModuleError",
    "HookRequest",
    "HookResponse",
    "HookUsageError",
    "Hooks",
    "Operation",
    "Refusal",
    "Usage",
]
