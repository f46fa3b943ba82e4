"""The file of a journal: what comes back, what is passed over, who may write, what a full disk does."""

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensc.compiler.diagnostics import Rejected
from ensc.runner.split.journal import Journal, Record

RECORDS: list[Record] = [{"point": "a", "mask": 3}, {"point": "b", "found": [1.5, None, "ü\n"]}, {}]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture
def whole(path: Path) -> bytes:
    with Journal(path) as journal:
        journal.append(RECORDS)
    return path.read_bytes()


def read(path: Path) -> tuple[Record, ...]:
    with Journal(path) as journal:
        return journal.records


@given(st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=5))
def test_records_come_back(tmp_path_factory: pytest.TempPathFactory, records: list[Record]) -> None:
    path = tmp_path_factory.mktemp("journal") / "run.jsonl"
    with Journal(path) as journal:
        for record in records:
            journal.append([record])
    assert read(path) == tuple(records)
    for line in path.read_text("ascii").splitlines():
        assert set(json.loads(line)) == {"check", "record"}


def test_a_later_run_appends(path: Path) -> None:
    for record in RECORDS:
        with Journal(path) as journal:
            journal.append([record])
            assert not journal.warnings
    assert read(path) == tuple(RECORDS)


def test_wherever_a_crash_cuts_it_off_the_lines_before_remain(path: Path, whole: bytes) -> None:
    ends = [i for i in range(len(whole) + 1) if whole[:i].endswith(b"\n")]
    for cut in {*range(0, len(whole), 7), *ends, *(end - 1 for end in ends if end)} - {len(whole)}:
        path.write_bytes(whole[:cut])
        with Journal(path) as journal:
            known = max(0, sum(end <= cut for end in ends) - 1)
            assert journal.records == tuple(RECORDS[:known])
            assert journal.torn == (cut > 0 and cut not in ends)
            assert [d.code for d in journal.warnings] == ["W1140"] * journal.torn
            journal.append(RECORDS[known:])
        assert path.read_bytes() == whole


def test_a_damaged_byte_costs_its_line_at_most(path: Path, whole: bytes) -> None:
    header = whole.index(b"\n") + 1
    for place in range(header, len(whole), 2):
        for damage in (b"\0", b"7", b"\n", b"\xff"):
            path.write_bytes(whole[:place] + damage + whole[place + 1 :])
            with Journal(path) as journal:
                lost = len(RECORDS) - len(journal.records)
                assert all(record in RECORDS for record in journal.records)
                assert lost <= 2  # a damaged line end joins two lines
                assert (lost > 0) == bool(journal.warnings)


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"not json", b'{"check": "0", "record": {}}', b"[" * 9999]
)
def test_foreign_lines_are_counted(path: Path, whole: bytes, line: bytes) -> None:
    path.write_bytes(whole + line + b"\n")
    with Journal(path) as journal:
        assert journal.records == tuple(RECORDS)
        assert journal.skipped == 1


@pytest.mark.parametrize(
    "content",
    [b'{"verdict": "robust"}\n', b"\n", b"rq 1.0;", b'{"check":"0","record":{"journal":"x"}}\n', b"\xff"],
)
def test_files_of_others_stay_as_they_are(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(Rejected, match="E1140"):
        Journal(path)
    assert path.read_bytes() == content


def test_one_process_at_a_time(path: Path) -> None:
    with Journal(path), pytest.raises(Rejected, match="E1141"):
        Journal(path)
    assert read(path) == ()


@pytest.mark.parametrize("name", [".", "missing/run.jsonl", "/dev/full", "/dev/zero"])
def test_what_cannot_be_a_journal(path: Path, name: str) -> None:
    with pytest.raises(Rejected, match="E1142"):
        Journal(path.parent / name)


def test_a_fifo_does_not_make_anybody_wait(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(Rejected, match="E1142"):
        Journal(path)


@pytest.fixture
def full() -> Iterator[int]:
    """A device that is always full."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    number = os.open("/dev/full", os.O_RDWR)
    yield number
    os.close(number)


def test_a_full_disk_is_told_and_tried_again(path: Path, full: int) -> None:
    journal = Journal(path)
    disk = os.dup(journal._file)
    os.dup2(full, journal._file)
    journal.append(RECORDS[:1])
    told = [journal.unsaved]
    journal.append(RECORDS[1:2])
    told.append(journal.unsaved)
    os.dup2(disk, journal._file)
    journal.append(RECORDS[2:])
    told.append(journal.unsaved)
    assert told == [os.strerror(errno.ENOSPC), os.strerror(errno.ENOSPC), None]
    journal.close()
    os.close(disk)
    assert read(path) == tuple(RECORDS)


def test_a_full_disk_leaves_no_half_of_a_line(path: Path, full: int) -> None:
    with Journal(path) as journal:
        journal.append(RECORDS[:1])
        before = path.read_bytes()
        disk = os.dup(journal._file)
        os.dup2(full, journal._file)
        journal.append(RECORDS[1:])
        os.dup2(disk, journal._file)
        os.close(disk)
        assert path.read_bytes() == before
