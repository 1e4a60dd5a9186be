"""`ai-gateway upstreams`: what the gateway knows of its upstreams, and the operator's word on them."""
