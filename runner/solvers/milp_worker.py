"""The process that a MILP solver runs in: a JSON request as argument, a JSON answer in a file.

A program of its own, because solvers crash, hang in preprocessing or ignore their time limit, and none of
that may take the caller along. The request names the script that knows the solver's library; both import
nothing of ensc, so that they start quickly, and are read by path, because `highs.py` or `cvc5.py` beside
them must not pass for a library.
"""

import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any


def main(request: dict[str, Any]) -> None:
    """Answer one request."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    Path(request["answer"]).write_text(json.dumps(_answer(request)), encoding="utf-8")


def _die_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when the parent does, however it ends."""
    os.read(0, 1)  # not sys.stdin: its lock would be held by this thread when the interpreter ends
    os._exit(1)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        library = _load(Path(request["library"]))
    except Exception as error:  # noqa: BLE001 - the library loads machine code; whatever goes wrong is told
        return {"error": f"{type(error).__name__}: {error}"}
    model, size = library.read(request)
    expected = request["size"]
    if size["columns"] == 0 or (expected is not None and size != expected):
        return {"size": size}
    answer: dict[str, Any] = library.solve(model, request["seconds"])
    return {"size": size, **answer}


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
