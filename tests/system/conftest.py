"""Fixtures of the system tests; what they are is in conftest_stack.py, which the browser tests share."""
from conftest_stack import *  # noqa: F401,F403
