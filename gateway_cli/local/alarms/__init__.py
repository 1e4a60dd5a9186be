"""Alarms of the local gateway: CloudWatch's part of a release, which the embedded AWS does not do."""
