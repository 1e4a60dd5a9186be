"""Streams of server-sent events: cutting them into events, reading what each means, and passing them on."""
