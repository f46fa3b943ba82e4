"""Where tasks run: in this process, or in several that share the `concurrent.futures` interface.

A task is a function of the query and a small argument, so that it can be repeated anywhere. Worker
processes receive the query once, when they start.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from ensc.compiler.types.problem import EnsembleProblem

T = TypeVar("T")

_query: EnsembleProblem | None = None
"""What the tasks of a worker process are about: sent once, not with every task."""


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
        before = _swapped(problem)
        try:
            yield Inline()
        finally:
            _swapped(before)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of numpy's threads
    others = {child.pid for child in multiprocessing.active_children()}
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(problem,))
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


def _end(pool: Executor, others: set[int | None]) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for child in multiprocessing.active_children():
        if child.pid not in others:
            child.terminate()


def run_task(task: Callable[..., T], *arguments: object) -> T:
    """Run a task about the query of this process."""
    assert _query is not None
    return task(_query, *arguments)


def _start(problem: EnsembleProblem) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _swapped(problem)


def _die_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _swapped(problem: EnsembleProblem | None) -> EnsembleProblem | None:
    global _query
    before, _query = _query, problem
    return before
