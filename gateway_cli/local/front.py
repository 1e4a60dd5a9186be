"""The local front: answers HTTP requests as the deployed REST API would."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.console import Output
from gateway_cli.local.answer import FunctionError
from gateway_cli.local.authorizer import Authorizer, RefusedError
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.gateway_responses import Refusal, RequestContext, render
from gateway_cli.local.keys import ApiKey, KeyDirectory
from gateway_cli.local.proxy_event import Caller, Request, build_event, with_body
from gateway_cli.local.relay import FUNCTION_FAILED, NotRelayedError, relay
from gateway_cli.local.rest_api_model import AuthorizerModel, LambdaIntegration, Match, MockIntegration, RestApi
from gateway_cli.local.throttling import Limiter, Quota, Throttle, Verdict
from gateway_cli.local.versions import Versions
from gateway_cli.local.worker_pool import ThrottledError, WorkerPool

BODY_BYTES = 10 * 1024 * 1024
"""What API Gateway takes as a request's body."""
PAYLOAD_BYTES = 6 * 1024 * 1024
"""What Lambda takes as an event."""

# Lambda refuses the invocation itself here, and API Gateway hides why.
_THROTTLED_BY_LAMBDA = Refusal(kind="INTEGRATION_FAILURE", status=500)


class Front:
    """Serves one REST API.

    Args:
        api: what it serves.
        versions: chooses the function's version, by function name and qualifier.
        pool: runs the function.
        keys: looks API keys up.
        output: takes requests and failures.
        limiter: counts requests against usage plans.
    """

    def __init__(
        self,
        api: RestApi,
        *,
        versions: Mapping[tuple[str, str | None], Versions],
        pool: WorkerPool,
        keys: KeyDirectory,
        output: Output,
        limiter: Limiter | None = None,
    ) -> None:
        self._api = api
        self._versions = versions
        self._pool = pool
        self._keys = keys
        self._output = output
        self._limiter = limiter or Limiter()
        self._authorizers: dict[AuthorizerModel, Authorizer] = {
            method.authorizer: Authorizer(method.authorizer) for method in api.methods if method.authorizer
        }

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        started = time.monotonic()
        raw_path, _, query = http.raw_path.partition("?")
        stage = f"/{self._api.stage}"
        path = raw_path.removeprefix(stage) or "/"
        host, _, port = (http.headers.get("Host") or "127.0.0.1").rpartition(":")
        request = Request(
            method=http.method,
            path=path,
            full_path=raw_path,
            query=query,
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in http.raw_headers],
            body=b"",
            source_ip=http.remote or "127.0.0.1",
            host=host or port,
            port=int(port) if port.isdigit() else 80,
        )
        in_stage = raw_path == stage or raw_path.startswith(stage + "/")
        match = self._api.match(http.method, path) if in_stage else None
        caller = Caller()
        try:
            request = replace(request, body=await _body(http))
            if match and isinstance(match.method.integration, MockIntegration):
                response: web.StreamResponse = self._mock(match.method.integration, request)
            else:
                match = _known(match)
                caller = await self._admit(match, request)
                response = await self._invoke(http, match, request, caller)
        except (RefusedError, NotRelayedError) as error:
            if error.reason:
                self._output.error(f"{http.method} {raw_path}: {error.reason}")
            response = self._refuse(error.refusal, match, request, caller)
        except (BotoCoreError, ClientError) as error:
            self._output.error(f"{http.method} {raw_path}: the embedded AWS does not answer as expected: {error}")
            response = self._refuse(Refusal(kind="API_CONFIGURATION_ERROR"), match, request, caller)
        self._output.detail(f"{http.method} {raw_path} {response.status} {(time.monotonic() - started) * 1000:.0f} ms")
        return response

    async def _admit(self, match: Match, request: Request) -> Caller:
        """Authorizer, key, throttle and quota, in API Gateway's order.

        Raises:
            RefusedError: if one of them refuses the request.
        """
        event = build_event(self._api, match, request, Caller())
        arn = f"arn:aws:execute-api:{self._api.region}:{self._api.account}:{self._api.api_id}/{self._api.stage}"
        value = request.header("x-api-key")
        context: Mapping[str, Any] = {}
        if match.method.authorizer:
            verdict = self._authorizers[match.method.authorizer].decide(event, f"{arn}/{request.method}{request.path}")
            context = verdict.context
            if self._api.key_from_authorizer:
                value = verdict.usage_key
        if not match.method.api_key_required:
            return Caller(authorizer=context)
        key = await self._keys.find(value) if value else None
        if key is None or not self._count(key, match):
            raise RefusedError(Refusal(kind="INVALID_API_KEY"))
        return Caller(api_key=key.value, api_key_id=key.id, authorizer=context)

    def _count(self, key: ApiKey, match: Match) -> bool:
        """Count a request; false if the key does not open this stage.

        Raises:
            RefusedError: if a limit is reached.
        """
        plan = key.plan_for(self._api.api_id, self._api.stage)
        if plan is None:
            return False
        name = f"{match.method.resource}/{match.method.http_method}"
        throttles: dict[object, Throttle] = {}
        quotas: dict[object, Quota] = {}
        stage = self._api.stage_throttles.get(name) or self._api.stage_throttles.get("*/*")
        if stage:
            throttles["stage", name] = stage
        method = self._api.plan_throttles.get(plan.id, {}).get(name)
        if method:
            throttles[plan.id, key.id, name] = method
        elif plan.throttle:
            throttles[plan.id, key.id] = plan.throttle
        if plan.quota:
            quotas[plan.id, key.id] = plan.quota
        verdict = self._limiter.take(throttles, quotas)
        if verdict is not Verdict.PASS:
            raise RefusedError(Refusal(kind=verdict.value))
        return True

    async def _invoke(self, http: web.BaseRequest, match: Match, request: Request, caller: Caller) -> web.StreamResponse:
        integration = match.method.integration
        if not isinstance(integration, LambdaIntegration):
            raise NotRelayedError(
                Refusal(kind="API_CONFIGURATION_ERROR"), f"{match.method.resource} has no Lambda or mock integration"
            )
        event = with_body(build_event(self._api, match, request, caller), request, self._api.binary_media_types)
        payload = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        if len(payload) > PAYLOAD_BYTES:
            raise NotRelayedError(
                Refusal(kind="REQUEST_TOO_LARGE", message="Request Entity Too Large"),
                f"the event has {len(payload)} bytes and Lambda takes {PAYLOAD_BYTES}",
            )
        try:
            function = await self._versions[integration.function_name, integration.qualifier].choose()
            answer = await self._pool.invoke(function, payload, request.trace_id)
        except ThrottledError:
            raise NotRelayedError(
                _THROTTLED_BY_LAMBDA,
                "every worker is busy, where Lambda would be out of concurrency; allow more with --workers",
            ) from None
        except (FunctionError, LocalGatewayError) as error:
            raise NotRelayedError(FUNCTION_FAILED, str(error)) from error
        return await relay(
            http,
            answer,
            limit=integration.timeout,
            streaming=integration.streaming,
            own=_own_headers(request),
            output=self._output,
        )

    def _mock(self, integration: MockIntegration, request: Request) -> web.Response:
        content_type = (request.header("content-type") or "application/json").partition(";")[0].strip().lower()
        if integration.content_types and content_type not in integration.content_types:
            raise RefusedError(Refusal(kind="UNSUPPORTED_MEDIA_TYPE"))
        headers = dict(integration.headers)
        origin = request.header("origin")
        if origin in integration.origins:
            headers["Access-Control-Allow-Origin"] = origin or ""
        if integration.body:
            headers["Content-Type"] = "application/json"
        return web.Response(
            status=integration.status,
            headers=[*headers.items(), *_own_headers(request)],
            body=integration.body.replace("$context.requestId", request.request_id).encode() or None,
        )

    def _refuse(self, refusal: Refusal, match: Match | None, request: Request, caller: Caller) -> web.Response:
        context = {
            "apiId": self._api.api_id,
            "accountId": self._api.account,
            "extendedRequestId": request.extended_id,
            "httpMethod": request.method,
            "identity.apiKeyId": caller.api_key_id or "",
            "identity.sourceIp": request.source_ip,
            "path": request.full_path,
            "requestId": request.request_id,
            "requestTimeEpoch": str(int(request.received * 1000)),
            "resourcePath": match.method.resource if match else "",
            "stage": self._api.stage,
            **{f"authorizer.{name}": str(value) for name, value in caller.authorizer.items()},
        }
        headers = {name.lower(): value for name, value in request.headers}
        rendered = render(refusal, self._api.responses, RequestContext(context=context, headers=headers))
        return web.Response(
            status=rendered.status, headers=[*rendered.headers.items(), *_own_headers(request)], body=rendered.body
        )


def _known(match: Match | None) -> Match:
    if match is None:
        raise RefusedError(Refusal(kind="MISSING_AUTHENTICATION_TOKEN"))
    return match


async def _body(http: web.BaseRequest) -> bytes:
    """The whole body.

    Raises:
        RefusedError: if it is more than API Gateway takes; not all of it is read then.
    """
    body = bytearray()
    if (http.content_length or 0) <= BODY_BYTES:
        async for piece in http.content.iter_any():
            body += piece
            if len(body) > BODY_BYTES:
                break
        else:
            return bytes(body)
    raise RefusedError(Refusal(kind="REQUEST_TOO_LARGE"))


def _own_headers(request: Request) -> list[tuple[str, str]]:
    return [
        ("x-amzn-RequestId", request.request_id),
        ("x-amz-apigw-id", request.extended_id),
        ("X-Amzn-Trace-Id", request.trace_id),
    ]
