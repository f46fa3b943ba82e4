"""Imports point downwards only: the folders are floors of one house."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HOUSE = ["compiler", "formats", "runner", "commands", "cli"]
COMPILER = [
    {"diagnostics", "words", "quoting"},
    {"files", "render", "explain"},
    {"types"},
    {"frontend", "passes"},
    {"pipeline"},
]
PASSES = [
    {"networks", "notes", "show"},
    {"bounds"},
    {"scopes"},
    {"lowering"},
    {"instances", "linear"},
    {"tightening"},
    {"draft"},
]
RUNNER = [
    {"exact", "solvers"},
    {"probe", "verdicts"},
    {"reports", "split"},
    {"joint"},
    {"emitting", "properties"},
    {"archive", "interface"},
    {"questions"},
]
HOUSES = {("compiler",): COMPILER, ("compiler", "passes"): PASSES, ("runner",): RUNNER}
"""What lies inside a folder, from the lowest floor to the highest."""

SOURCES = [
    ROOT / "cli.py",
    *(path for folder in HOUSE[:-1] for path in sorted((ROOT / folder).rglob("*.py"))),
]


def imported(path: Path) -> Iterator[list[str]]:
    """Yield the parts of every module of ensc that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "no relative imports"
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.split(".")[1:] for name in names if name.startswith("ensc."))


def floor_inside(floors: list[set[str]], part: str) -> int:
    return next(level for level, names in enumerate(floors) if part in names)


def parts_of(path: Path) -> list[str]:
    return list(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    here = parts_of(path)
    for there in imported(path):
        assert HOUSE.index(there[0]) <= HOUSE.index(here[0]), there
        for folder, floors in HOUSES.items():
            depth = len(folder)
            inside = tuple(here[:depth]) == tuple(there[:depth]) == folder and len(there) > depth
            if inside and here[depth] != "__init__":
                assert floor_inside(floors, there[depth]) <= floor_inside(floors, here[depth]), there


@pytest.mark.parametrize("folder", HOUSES, ids="/".join)
def test_everything_in_a_house_has_a_floor(folder: tuple[str, ...]) -> None:
    depth = len(folder)
    found = {parts_of(path)[depth] for path in ROOT.joinpath(*folder).rglob("*.py")} - {"__init__"}
    assert found == set().union(*HOUSES[folder])


def test_the_compiler_knows_no_solver() -> None:
    solvers = {"mip", "highspy", "pyscipopt", "z3", "cvc5", "pysmt", "onnxruntime"}
    for path in (*(ROOT / "compiler").rglob("*.py"), *(ROOT / "formats").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert not solvers & {name.split(".")[0] for name in names}, path
