"""Running ensc as its users do: arguments in; exit code, standard output and standard error out."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ensc.cli import main

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@dataclass(frozen=True, slots=True)
class Run:
    """What one command did."""

    code: int
    out: str
    err: str


def run_here(folder: Path, *arguments: str) -> Run:
    """Run a command in this process, with `folder` as the working directory."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as stopped:  # argparse: help, version, wrong usage
            code = stopped.code if isinstance(stopped.code, int) else 1
    return Run(code, out.getvalue(), err.getvalue())


def run_process(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, timeout: float = 100
) -> Run:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


COMMAND = (sys.executable, "-c", "import sys; from ensc.cli import main; sys.exit(main())")
"""The command `ensc` of the interpreter that runs the tests, whatever is on the PATH."""
