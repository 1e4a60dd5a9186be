"""The part of the gateway that runs in Lambda. Imports nothing of the CDK and nothing from `gateway_construct`."""
