"""What functions behind custom resources share."""
