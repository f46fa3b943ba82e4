"""The process that a MILP solver runs in: a JSON request as argument, a JSON answer in a file.

A program of its own, because solvers crash, hang in preprocessing or ignore their time limit, and none of
that may take the caller along. The request names the script that knows the solver's library; both import
nothing of ensc, so that they start quickly, and are read by path, because `highs.py` or `cvc5.py` beside
them must not pass for a library.

Asked to serve, it loads the library and forks for every request that it reads, a line each, from the socket
that is its standard input; it writes back the exit code of each.
"""

import contextlib
import importlib.util
import json
import os
import select
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any


def main(request: dict[str, Any]) -> None:
    """Answer one request, or fork for many."""
    if "serve" in request:
        _serve(Path(request["serve"]))
        return
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _write(request)


def _serve(library: Path) -> None:
    """Fork for every request; a fork ends as a process of its own would, with what it then flushes."""
    loaded = None
    with contextlib.suppress(Exception):  # a fork will fail to load it likewise, and say why
        loaded = _load(library)
    while line := _read_line():
        ended, lives = os.pipe()
        child = os.fork()
        if not child:
            request = json.loads(line)
            _redirect(request)
            _write(request, loaded)
            return
        os.close(lives)
        _wait(ended)
        _, status = os.waitpid(child, 0)
        os.close(ended)
        os.write(0, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _read_line() -> bytes:
    """Return a request, nothing if there will be none; a caller waits for its answer before the next."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            return b""
        line += part
    return line


def _redirect(request: dict[str, Any]) -> None:
    """Give a fork its own standard files; the socket is the server's alone, so that its end is noticed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    opened = [os.open(os.devnull, os.O_RDONLY), *(os.open(request[n], flags) for n in ("output", "errors"))]
    for target, source in enumerate(opened):
        os.dup2(source, target)


def _wait(ended: int) -> None:
    """Wait until the fork, which holds the other end of this pipe, has ended; end with the caller, and it.

    The fork need not cooperate: a thread in it could not run while a library holds the interpreter's lock.
    """
    ready, _, _ = select.select([ended, 0], [], [])
    if ended not in ready:
        os.killpg(0, signal.SIGKILL)


def _die_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when the parent does, however it ends."""
    os.read(0, 1)  # not sys.stdin: its lock would be held by this thread when the interpreter ends
    os._exit(1)


def _write(request: dict[str, Any], loaded: ModuleType | None = None) -> None:
    if request.get("memory") is not None:
        _limit_memory(request["memory"])
    Path(request["answer"]).write_text(json.dumps(_answer(request, loaded)), encoding="utf-8")


def _limit_memory(limit: int) -> None:
    """Limit the address space beyond what the libraries have mapped before any model is read."""
    import resource  # noqa: PLC0415 - no such module on some systems, which then have no such limit

    used = 0
    with contextlib.suppress(OSError):  # not all systems tell
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + limit, used + limit))


def _answer(request: dict[str, Any], loaded: ModuleType | None) -> dict[str, Any]:
    try:
        library = loaded or _load(Path(request["library"]))
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
