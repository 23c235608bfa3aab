"""Fixtures of the system tests; the stack is in conftest_stack.py, which the browser tests share."""
import pytest

from cluster import Cluster
from conftest_stack import *  # noqa: F401,F403


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of one's own, for commands that need no stack."""
    c = Cluster()
    yield c
    c.close()
