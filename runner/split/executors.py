"""Where tasks run: processes of this machine, or a Dask cluster, behind one `concurrent.futures` interface.

A cluster's workers receive the query once each, whenever they start: one that replaces a dead worker, too.
A task that was lost with its worker is run again by the cluster; results that have arrived stay here.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from typing import TYPE_CHECKING, Any, TypeVar

from ensc.compiler.diagnostics import reject
from ensc.compiler.quoting import shown
from ensc.compiler.types.problem import EnsembleProblem
from ensc.runner.split.tasks import Pool, about, workers

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

LOCAL = "local"
"""The address that stands for a cluster on this machine, made for the occasion."""

PATIENCE = 20
"""Seconds that a scheduler gets to answer, and its first worker to appear."""

GIVEN_UP = frozenset(("KilledWorker", "CancelledError", "FutureCancelledError", "CommClosedError"))
"""Names of what Dask raises where a task ended several workers, or the scheduler is gone."""

_queries: dict[str, EnsembleProblem] = {}
"""What the tasks of this worker process are about; a cluster may be asked about several queries at once."""

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where tasks run.

    Attributes:
        width: how many run at a time.
        workers: provides the executor.
    """

    width: int
    workers: Pool


@contextmanager
def cluster(address: str | None, jobs: int | None) -> Iterator[Cluster]:
    """Provide workers.

    Args:
        address: of a Dask scheduler, or `local` for a cluster of `jobs` processes on this machine; processes
            without a cluster if None.
        jobs: tasks at a time, 1 if None; on a cluster as many as its workers have threads, if None.

    Raises:
        Rejected: E1154 if Dask is not installed, E1155 if there is no such cluster.
    """
    if address is None:
        yield Cluster(jobs or 1, workers)
        return
    _require_installed()
    with _local(jobs or 1) if address == LOCAL else _connected(address) as client:
        width = jobs or sum(client.nthreads().values())
        yield Cluster(width, _pool(client))


def _require_installed() -> None:
    if util.find_spec("distributed") is None:
        reject(
            "E1154",
            "Dask is not installed",
            notes=("the package `distributed` is missing",),
            help="install it: `pip install 'ensc-compiler[dask]'`, or use `--jobs N`",
        )


@contextmanager
def _local(jobs: int) -> Iterator["Client"]:
    """One thread a process: a question that ends its process badly ends no other one."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

    with (
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs=50) as made,
        Client(made) as client,
    ):
        yield client


@contextmanager
def _connected(address: str) -> Iterator["Client"]:
    from distributed import Client  # noqa: PLC0415 - an extra

    try:
        client = Client(address, timeout=PATIENCE, name="ensc")
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:  # a timeout is an OSError
        reject(
            "E1155",
            f"there is no Dask cluster with workers at `{shown(address)}`",
            notes=(shown(str(error).split("\n", 1)[0], 200),) if str(error) else (),
            help="give the address that `dask scheduler` prints, for example tcp://node1:8786; or `local`",
        )
    with client:
        yield client


def _pool(client: "Client") -> Pool:
    @contextmanager
    def pool(problem: EnsembleProblem, jobs: int) -> Iterator[Executor]:
        del jobs  # who submits keeps so many running
        key = f"ensc-{client.id}-{next(_numbers)}"
        _register(client, key, problem)
        executor = _Remote(client, key)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            client.unregister_worker_plugin(key)

    return pool


def _register(client: "Client", key: str, problem: EnsembleProblem) -> None:
    try:
        client.register_plugin(_plugin(key, problem), name=key)
    except ImportError as error:  # raised by the worker, and sent here
        reject(
            "E1155",
            "the workers of the Dask cluster do not have ensc",
            notes=(shown(str(error), 200),),
            help="install the same version of ensc where they run",
        )


def _plugin(key: str, problem: EnsembleProblem) -> Any:  # noqa: ANN401 - a class of a library that may be missing
    """Return what gives a query to every worker, now and whenever one starts."""
    from distributed import WorkerPlugin  # noqa: PLC0415 - an extra

    class Query(WorkerPlugin):  # type: ignore[misc]  # the library has no types
        def setup(self, worker: object) -> None:
            del worker
            keep(key, problem)

        def teardown(self, worker: object) -> None:
            del worker
            keep(key, None)

    return Query()


def keep(key: str, problem: EnsembleProblem | None) -> None:
    """Remember a query in this process under a name, or forget it."""
    if problem is None:
        _queries.pop(key, None)
    else:
        _queries[key] = problem


def run_about(key: str, fn: Callable[..., T], *arguments: object) -> T:
    """Run a function in a worker that was given the query of this name."""
    if key not in _queries:
        raise BrokenExecutor("a worker has not been given the query")
    with about(_queries[key]):
        return fn(*arguments)


class _Remote(Executor):
    """The cluster's own executor, whose tasks are about a query.

    What Dask raises of a task that ended several workers is what a broken pool of processes raises.
    """

    def __init__(self, client: "Client", key: str) -> None:
        self._executor: Executor = client.get_executor(pure=False)
        self._key = key

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 - the interface's own types
        assert not kwargs
        return _translated(self._executor.submit(run_about, self._key, fn, *args))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)


def _translated(remote: Future[T]) -> Future[T]:
    """Return a future that fails as one of a process pool fails where the cluster gave a task up."""
    here: Future[T] = Future()

    def done(there: Future[T]) -> None:
        if there.cancelled():
            here.set_exception(BrokenExecutor("the cluster dropped the task"))
            return
        error = there.exception()
        if error is None:
            here.set_result(there.result())
        elif type(error).__name__ in GIVEN_UP:
            here.set_exception(BrokenExecutor(str(error)))
        else:
            here.set_exception(error)

    remote.add_done_callback(done)
    return here
