"""The function that rotates upstreams' keys. A function apart from the gateway's: AWS's own Python client, and boto3."""
