"""What the local gateway's embedded AWS takes for an account."""

from __future__ import annotations

import boto3
import botocore.session

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""What it takes for credentials."""


def embedded_session(region: str) -> boto3.session.Session:
    """A session for it, whatever profile the user's environment names.

    Args:
        region: the Region that it imitates.
    """
    # A profile that is set must exist, or else no client can be made, though nothing of it would be used here.
    without_profile = botocore.session.Session(session_vars={"profile": (None, [], None, None)})
    return boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
        botocore_session=without_profile,
    )
