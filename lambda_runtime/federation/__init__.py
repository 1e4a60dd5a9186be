"""Short-lived tokens in place of stored keys: AWS STS says who the function is, the provider gives a token for that.

Loaded by the first request to an upstream that is federated, and by nothing else.
"""
