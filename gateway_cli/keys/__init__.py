"""`ai-gateway keys`: the keys that clients send, given out, replaced and taken back without a deployment."""
