"""Starts TensorZero's gateway: `tensorzero_gateway.py CONFIG`; prints its address.

The Python package holds the whole gateway, in Rust; this is how it starts one for its patch of the OpenAI client. The program
of its own that is recommended for production comes as a container image only.
"""

import signal
import sys

from tensorzero import _start_http_gateway

gateway = _start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
print(gateway.base_url, flush=True)
signal.pause()
