"""`ai-gateway credentials`: the keys with which the gateway calls its upstreams."""
