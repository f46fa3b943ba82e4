"""Benchmark folders: a query with everything it names and every form it is written in, and their check.

`create_archive` makes one, `verify_archive` makes it again and compares.
"""

from ensc.runner.archive.create import create_archive
from ensc.runner.archive.verify import verify_archive

__all__ = ["create_archive", "verify_archive"]
