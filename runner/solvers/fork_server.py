"""A process that has loaded a solver's library, and forks for every request.

Loading a library takes longer than most small questions. The server loads it once; every request is still
answered in a process of its own, which may crash or hang without harm to the next. Server and fork share a
process group, which is ended when a request's time is over, when the caller is interrupted and when the
caller exits; if the caller dies, the server reads the end of its socket and ends the group itself.
"""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ensc.runner.solvers.process import Ended, end_group, read_text

AVAILABLE = hasattr(os, "fork") and sys.platform != "darwin"
"""Apple's frameworks, which numerical libraries load, do not survive a fork."""


@dataclass(frozen=True, slots=True, eq=False)
class _Server:
    """A running server and the socket to it."""

    process: subprocess.Popen[bytes]
    connection: socket.socket


class ServerEndedError(Exception):
    """The server, not a fork of it, ended before it told how a request ended."""


_idle: dict[tuple[Path, Path], list[_Server]] = {}
"""By frame and library. A server in use is not in here, so that threads never share one."""


def run_forked(frame: Path, library: Path, request: Mapping[str, object], seconds: float | None) -> Ended:
    """Run one request in a fork of the server for a library.

    Args:
        frame: the script that serves, see `milp_worker.py`.
        library: the script that it loads before it serves.
        request: what the fork answers, a JSON object.
        seconds: how long the request may take, with the start of the server if it needs one; none if None.

    Raises:
        ServerEndedError: if the library ended the server, which then never forked or lost its fork.
    """
    start = time.monotonic()
    servers = _idle.setdefault((frame, library), [])
    server = servers.pop() if servers else _started(frame, library)
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        printed = {"output": str(output), "errors": str(errors)}
        left = None if seconds is None else max(0.01, seconds - (time.monotonic() - start))
        try:
            code = _asked(server, {**request, **printed}, left)
        except BaseException:  # the request may still run, also after Ctrl-C
            _end(server)
            raise
        if code is None:
            _end(server)
        else:
            servers.append(server)
        return Ended(read_text(output), read_text(errors), code)


def _started(frame: Path, library: Path) -> _Server:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own worker, with our own interpreter
            [sys.executable, "-P", str(frame), json.dumps({"serve": str(library)})],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the caller's to handle
        )
    return _Server(process, ours)


def _asked(server: _Server, request: Mapping[str, object], seconds: float | None) -> int | None:
    """Return the exit code of the fork, None if its time ran out."""
    server.connection.settimeout(seconds)
    try:
        server.connection.sendall(json.dumps(request).encode() + b"\n")
        said = server.connection.recv(64)  # a number and a line end, written at once
    except TimeoutError:
        return None
    except OSError as error:
        raise ServerEndedError from error
    if not said:
        raise ServerEndedError
    return int(said)


def _end(server: _Server) -> None:
    """End the server and what it forked; its number is its own until it is waited for."""
    end_group(server.process.pid)
    server.process.wait()
    server.connection.close()


@atexit.register
def end_servers() -> None:
    """End all servers that wait for requests."""
    for servers in _idle.values():
        while servers:
            _end(servers.pop())


def _forget() -> None:
    """In a fork of the caller: the servers are the caller's, and must see when it ends."""
    for servers in _idle.values():
        for server in servers:
            server.connection.close()
            server.process.returncode = 0  # not this process's child: nothing to wait for
    _idle.clear()


with contextlib.suppress(AttributeError):  # where there is no fork
    os.register_at_fork(after_in_child=_forget)
