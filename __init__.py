"""ensc: an optimizing compiler for the verification of classifier ensembles.

The public names are imported when first used, so that `import ensc` costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ensc.compiler.diagnostics import Rejected
    from ensc.runner.interface import compile, decode, load, load_network, solve, write  # noqa: A004

__all__ = ["Rejected", "compile", "decode", "load", "load_network", "solve", "write"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        msg = f"module `ensc` has no attribute `{name}`"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only the public names need it

    home = "ensc.compiler.diagnostics" if name == "Rejected" else "ensc.runner.interface"
    return getattr(import_module(home), name)
