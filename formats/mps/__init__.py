"""MPS, the oldest format for linear programs, in a dialect that every reader takes for the same model.

Readers disagree in silence: some parse by column numbers where others parse by blanks, some ignore
`OBJSENSE`, some drop columns without entries or give the objective's constant the other sign. What is
written here stays within what a dozen of them agree on; what is read is what other tools ordinarily write.
"""

from ensc.formats.mps.read import read_mps
from ensc.formats.mps.write import write_mps

__all__ = ["read_mps", "write_mps"]
