"""The local gateway: a cloud assembly on this machine, behind a front that behaves as API Gateway does."""
