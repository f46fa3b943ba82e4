"""Options of the test suite."""

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `pytest --update` write the expected texts anew; look at the difference before you commit it."""
    parser.addoption("--update", action="store_true", help="write the expected texts of snapshot tests anew")


# A job in the background starts with SIGINT ignored, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
