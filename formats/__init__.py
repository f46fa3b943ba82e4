"""Text of files, and nothing else: one module for each format, deterministic bytes."""

from ensc.formats.files import read_file, write_file
from ensc.formats.lp import read_lp, write_lp
from ensc.formats.mps import read_mps, write_mps
from ensc.formats.tableau import size_as_written

__all__ = ["read_file", "read_lp", "read_mps", "size_as_written", "write_file", "write_lp", "write_mps"]
