"""Builds what the function's asset holds beside our own sources: third-party code, CA directory, bytecode.

Run by `make asset` and when a wheel is built (`python -m function_build`). Knows nothing of the CDK, so that it also
runs in the bare environment in which a wheel is built.
"""
