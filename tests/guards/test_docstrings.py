"""The examples written in docstrings run, and every module says what it is."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import ensc

# They run in processes of their own, which have the solver's library and not ensc.
PROGRAMS = {f"ensc.runner.solvers.{name}_worker" for name in ("cbc", "highs", "scip")}
MODULES = [
    module.name for module in pkgutil.walk_packages(ensc.__path__, "ensc.") if ".tests" not in module.name
]
PRODUCT = [
    name
    for name in MODULES
    if name.split(".")[1] in {"compiler", "formats", "runner", "commands", "cli"} and name not in PROGRAMS
]


@pytest.mark.parametrize("name", PRODUCT)
def test_docstring_examples(name: str) -> None:
    module = import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0
