"""Broken MPS and LP files: each has its diagnostics beside it; `pytest --update` writes them anew."""

from pathlib import Path

import pytest

import ensc
from ensc.compiler.diagnostics import Rejected
from ensc.compiler.render import render_text
from ensc.formats.lp import read_lp
from ensc.formats.mps import read_mps

FOLDER = Path(__file__).parents[1] / "rejected"
EXPLANATIONS = Path(next(iter(ensc.__path__))) / "compiler" / "explanations"
READERS = {".mps": read_mps, ".lp": read_lp}
FILES = sorted(path for suffix in READERS for path in (FOLDER / suffix[1:]).glob(f"*{suffix}"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.suffix[1:]}-{path.stem}")
def test_a_broken_file_is_explained(path: Path, pytestconfig: pytest.Config) -> None:
    with pytest.raises(Rejected) as caught:
        READERS[path.suffix](path.read_bytes().decode(), path.name)
    diagnostics = caught.value.diagnostics
    assert diagnostics
    for diagnostic in diagnostics:
        assert diagnostic.place is not None
        assert (EXPLANATIONS / f"{diagnostic.code}.md").is_file()
    text = render_text(diagnostics)
    beside = path.with_suffix(".txt")
    if pytestconfig.getoption("update"):
        beside.write_text(text, encoding="utf-8")
    assert text == beside.read_text(encoding="utf-8")


def test_there_are_enough_broken_files() -> None:
    for suffix in READERS:
        assert sum(path.suffix == suffix for path in FILES) >= 30
        stems = {path.stem for path in FILES if path.suffix == suffix}
        assert {path.stem for path in (FOLDER / suffix[1:]).glob("*.txt")} == stems
