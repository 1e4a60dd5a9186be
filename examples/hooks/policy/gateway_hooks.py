"""What the gateway does with each request: tags its costs, and keeps the dear models for those who may use them."""

from __future__ import annotations

import json
import os

from lambda_runtime.hooks import HookRequest, HookResponse, Refusal

# The gateway knows consumers by the ids of their keys, which are known after deployment only.
CONSUMERS = {key_id: name for name, key_id in json.loads(os.environ["CONSUMERS"]).items()}
COST_CENTRES = {"web shop": "4711", "reports": "4712"}
NOT_FOR = {"reports": {"careful"}}
LARGE_ANSWER = 20_000


def before_request(request: HookRequest) -> None:
    """Refuse a model for a consumer; tag the request for the provider's invoice and for our own log."""
    consumer = CONSUMERS.get(request.consumer or "", "unknown")
    if request.model in NOT_FOR.get(consumer, ()):
        raise Refusal(f"the model {request.model!r} is not for {consumer}; use 'fast'", code="model_not_allowed", param="model")
    cost_centre = COST_CENTRES.get(consumer, "none")
    request.upstream_headers["x-cost-centre"] = cost_centre
    request.log["cost_centre"] = cost_centre


def after_response(request: HookRequest, response: HookResponse) -> None:
    """Leave a line for an answer that was unusually large, for an alarm to count."""
    if response.usage is not None and response.usage.output_tokens > LARGE_ANSWER:
        print(json.dumps({"message": "large answer", "request_id": request.request_id, "model": response.model}))  # noqa: T201
