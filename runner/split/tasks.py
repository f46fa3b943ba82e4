"""Where tasks run: in this process, or in several that share the `concurrent.futures` interface.

A task is a function of the query and a small argument, so that it can be repeated anywhere. Worker
processes receive the query once, when they start.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from typing import Any, TypeAlias, TypeVar

from ensc.compiler.types.problem import EnsembleProblem

T = TypeVar("T")

Pool: TypeAlias = Callable[[EnsembleProblem, int], AbstractContextManager[Executor]]
"""Provides what runs `run_task` about a query, so many at a time."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""How numerical libraries are told the number of their threads, which they read when they are loaded."""

_query: ContextVar[EnsembleProblem | None] = ContextVar("query", default=None)
"""What the tasks of this process, or of this thread of it, are about: sent once, not with every task."""


class Inline(Executor):
    """Runs every task at once, in this process."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - the interface's own types
        """Run a task; its future is done."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(error)
        return future


@contextmanager
def workers(problem: EnsembleProblem, jobs: int) -> Iterator[Executor]:
    """Provide what runs `run_task`; whatever happens inside, no process outlives it."""
    if jobs <= 1:
        with about(problem):
            yield Inline()
        return
    others = {child.pid for child in multiprocessing.active_children()}
    pool = ProcessPoolExecutor(
        jobs, mp_context=_context(), initializer=_start, initargs=(problem, dict(os.environ))
    )
    try:
        yield pool
    except BaseException:
        _end(pool, others)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def abandon(pool: Executor) -> None:
    """End what still runs: nobody waits for it any more."""
    if isinstance(pool, ProcessPoolExecutor):
        _end(pool, set())
    else:
        pool.shutdown(wait=False, cancel_futures=True)


def is_failed(future: Future[Any]) -> bool:
    """Return whether a task that is over has no result.

    Results come before errors: one worker's death must not take along what another has finished.
    """
    return future.cancelled() or future.exception() is not None


def prepare() -> None:
    """Begin to load what worker processes need, while this process reads the query."""
    _context()


def _context() -> BaseContext:
    """Return how processes start: forks of one that has imported everything and has no threads.

    A fork of this process would copy the locks of numpy's threads, and importing everything anew in each
    takes longer than many queries.
    """
    if sys.platform in {"win32", "darwin"}:  # Apple's frameworks do not survive a fork
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "ensc.runner.split.radii"])
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # the processes are the threads
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return context


def _end(pool: Executor, others: set[int | None]) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for child in multiprocessing.active_children():
        if child.pid not in others:
            child.terminate()


def run_task(task: Callable[..., T], *arguments: object) -> T:
    """Run a task about the query of this process."""
    query = _query.get()
    assert query is not None
    return task(query, *arguments)


@contextmanager
def about(problem: EnsembleProblem) -> Iterator[None]:
    """Make a query what `run_task` is about, in this thread."""
    token = _query.set(problem)
    try:
        yield
    finally:
        _query.reset(token)


def _start(problem: EnsembleProblem, environment: Mapping[str, str]) -> None:
    """Begin a worker process; what it was forked from may be older than the caller's environment."""
    os.environ.update({name: value for name, value in environment.items() if name not in THREADS})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _query.set(problem)


def _die_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
