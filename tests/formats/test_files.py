"""Files are written completely or not at all, and read within a bound."""

import bz2
import gzip
import lzma
import os
import stat
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ensc.compiler.diagnostics import Rejected
from ensc.formats.files import read_file, write_file

Pack = Callable[[bytes], bytes]


def code(caught: pytest.ExceptionInfo[Rejected]) -> str:
    return caught.value.diagnostics[0].code


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mps"
    write_file(path, [b"one\n", b"two\n"])
    assert path.read_bytes() == b"one\ntwo\n"
    assert names_in(tmp_path) == ["a.mps"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def failing(error: BaseException) -> Iterator[bytes]:
    yield b"half"
    raise error


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (Rejected([]), Rejected),
        (OSError(28, "No space left on device"), Rejected),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MemoryError(), MemoryError),
    ],
)
def test_a_failure_leaves_what_was_there(
    tmp_path: Path, error: BaseException, seen: type[BaseException]
) -> None:
    path = tmp_path / "a.mps"
    path.write_bytes(b"before")
    with pytest.raises(seen):
        write_file(path, failing(error))
    assert path.read_bytes() == b"before"
    assert names_in(tmp_path) == ["a.mps"]


def test_gzip_is_the_same_whatever_the_name_and_the_time(tmp_path: Path) -> None:
    for name in ("a.mps.gz", "b.mps.gz"):
        write_file(tmp_path / name, [b"text\n" * 1000])
    first, second = ((tmp_path / name).read_bytes() for name in ("a.mps.gz", "b.mps.gz"))
    assert first == second
    assert gzip.decompress(first) == b"text\n" * 1000
    assert first[3] == 0  # no name in the header
    assert first[4:8] == b"\0\0\0\0"  # no time


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    link = tmp_path / "a.mps"
    link.symlink_to(tmp_path / "to" / "b.mps")
    write_file(link, [b"x"])
    assert link.is_symlink()
    assert (tmp_path / "to" / "b.mps").read_bytes() == b"x"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, [b"x"])
    reader.join()
    assert seen == [b"x"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_file("/dev/null", [b"x"])
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing/a.mps", "its folder does not exist"),
        ("file/a.mps", "its folder is a file"),
        ("folder", "it is a folder"),
        ("a" * 300, "the name is too long"),
        ("a\0b", "the system refuses the path"),
        ("loop", "its links form a loop"),
        ("a.mps.bz2", "compression `.bz2` is only read"),
    ],
)
def test_a_place_that_takes_no_file_is_said(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Rejected, match=reason) as caught:
        write_file(f"{tmp_path}/{path}", [b"x"])
    assert code(caught) == "E1020"
    assert names_in(tmp_path) == ["file", "folder", "loop"]


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_without_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Rejected, match="permission denied"):
        write_file(tmp_path / "a.mps", [b"x"])


def test_a_full_disk_is_said() -> None:
    with pytest.raises(Rejected, match="the disk is full"):
        write_file("/dev/full", [b"x"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_text_is_read_whatever_its_compression_and_its_name(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.mps"
    path.write_bytes(pack("NAME é\n".encode()))
    assert read_file(path) == "NAME é\n"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.mps"
    path.write_bytes(b"\xef\xbb\xbfNAME\n")
    assert read_file(path) == "NAME\n"


def test_several_members_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"one ") + gzip.compress(b"two"))
    assert read_file(path) == "one two"


PACKED = gzip.compress(b"".join(sha256(bytes([i])).digest() for i in range(32)), mtime=0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "E1224"),
        (PACKED[:-9], "E1223"),
        (PACKED[:20], "E1223"),
        (PACKED[:500] + b"\0" * 9 + PACKED[509:], "E1223"),
        (b"\x1f\x8b", "E1223"),
        (b"BZh9junk", "E1223"),
        (b"\xfd7zXZ\0junk", "E1223"),
        (lzma.compress(b"x" * 100)[:-8], "E1223"),
        (b"PK\x03\x04", "E1223"),
        (b"\x28\xb5\x2f\xfd", "E1223"),
        (b"x" * 1001, "E1222"),
    ],
)
def test_content_that_is_no_text_is_said(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.mps"
    path.write_bytes(content)
    with pytest.raises(Rejected) as caught:
        read_file(path, limit=5000 if expected != "E1222" else 1000)
    assert code(caught) == expected


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_not_unpacked(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "a.mps"
    path.write_bytes(pack(b"\0" * 50_000_000))
    with pytest.raises(Rejected) as caught:
        read_file(path, limit=1_000_000)
    assert code(caught) == "E1222"


@pytest.mark.parametrize(("path", "expected"), [("none", "E1220"), (".", "E1221"), ("\0", "E1221")])
def test_what_is_no_file_is_said(tmp_path: Path, path: str, expected: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_file(f"{tmp_path}/{path}")
    assert code(caught) == expected
