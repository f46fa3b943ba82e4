"""CPLEX-LP, the format that people read, in a dialect that every reader takes for the same model.

There is no standard: every reader has its own keywords, its own idea of a name and its own treatment of a
constant. What is written here stays within what a dozen of them agree on; what is read is what other tools
ordinarily write.
"""

from ensc.formats.lp.read import read_lp
from ensc.formats.lp.write import write_lp

__all__ = ["read_lp", "write_lp"]
