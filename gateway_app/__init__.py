"""What `app.py` is made of: its configuration and its checks. Not part of the library."""
