"""Writing, reading and writing again, for MPS and LP: the same model, the same bytes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_models import Plain, build, plains, read_off
from milp_readers import comparable, expected

from ensc.compiler.types.model import Model
from ensc.formats.lp import read_lp, write_lp
from ensc.formats.mps import read_mps, write_mps


class Writer(Protocol):
    def __call__(self, model: Model, *, indicators: bool, ordered_sets: bool) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class Format:
    suffix: str
    write: Writer
    read: Callable[[str, str], Model]

    def text(self, model: Model) -> str:
        return b"".join(self.write(model, indicators=True, ordered_sets=True)).decode("ascii")


FORMATS = [Format(".mps", write_mps, read_mps), Format(".lp", write_lp, read_lp)]


def each(item: Format) -> str:
    return item.suffix[1:]


@pytest.mark.parametrize("form", FORMATS, ids=each)
@settings(max_examples=150, deadline=None)
@given(plain=st.one_of(plains(), plains(extended=True)))
def test_what_is_written_is_read(form: Format, plain: Plain) -> None:
    text = form.text(build(plain))
    found = form.read(text, f"m{form.suffix}")
    assert comparable(read_off(found)) == comparable(expected(plain, form.suffix))
    assert form.text(found) == text


@settings(max_examples=100, deadline=None)
@given(plain=plains(extended=True))
def test_both_formats_hold_the_same_model(plain: Plain) -> None:
    first, second = FORMATS
    through = second.read(second.text(first.read(first.text(build(plain)), "m.mps")), "m.lp")
    assert comparable(read_off(through)) == comparable(expected(plain, ".lp"))


@pytest.mark.parametrize("form", FORMATS, ids=each)
@settings(max_examples=100, deadline=None)
@given(plain=plains(extended=True))
def test_lines_are_short_and_ascii(form: Format, plain: Plain) -> None:
    lines = form.text(build(plain)).split("\n")
    assert lines.pop() == ""
    assert all(0 < len(line) <= 200 and line.isprintable() and line.isascii() for line in lines)
    assert all(line == line.rstrip() for line in lines)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from linear_models import Column, Plain, Row, build
from ensc.formats.lp import write_lp
from ensc.formats.mps import write_mps
names = [f"v_{i}" for i in range(50)]
plain = Plain(
    {n: Column(-i / 7, i / 3, integer=i % 2 == 0) for i, n in enumerate(names)},
    [Row({n: (i + j + 1) / 9 for i, n in enumerate(names)}, j / 11, 10.0) for j in range(20)],
    {n: 0.1 for n in names}, "maximize", 1 / 3, ("Größe",),
)
for write in (write_mps, write_lp):
    print(hashlib.sha256(b"".join(write(build(plain)))).hexdigest())
"""


def test_bytes_depend_neither_on_hash_seed_nor_on_locale() -> None:
    seen = set()
    for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("2", "de_DE.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "LANG": locale}
        command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parents[1] / "support")]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        seen.add(result.stdout)
    assert len(seen) == 1
    assert len(seen.pop().split()) == 2
