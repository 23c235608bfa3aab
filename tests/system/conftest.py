"""Fixtures of the system tests; the stack is in conftest_stack.py, which the browser tests share."""
import pytest

from cluster import Cluster
from conftest_stack import *  # noqa: F401,F403
from scratch import scratch_database


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of one's own, for commands that need no stack."""
    c = Cluster()
    yield c
    c.close()


@pytest.fixture(scope="module")
def scratch(stack):
    yield from scratch_database(stack)


@pytest.fixture
def db(scratch):
    scratch.reset()
    return scratch
