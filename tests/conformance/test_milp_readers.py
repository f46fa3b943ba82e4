"""The files as other programs read them: the same rows, columns, bounds, types and coefficients.

Each trap that readers set is a case by hand; random models look for those nobody has thought of.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from linear_models import INF, Column, Plain, Row, build, plains
from milp_readers import comparable, expected, read_with

from ensc.formats import write_file, write_lp, write_mps

LIBRARIES = {"highs": "highspy", "cbc": "mip", "scip": "pyscipopt", "glpk": "swiglpk", "ortools": "ortools"}
SUFFIXES = {reader: [".mps", ".mps.gz", ".lp"] for reader in LIBRARIES} | {"ortools": [".mps", ".mps.gz"]}
WRITERS = {".mps": write_mps, ".lp": write_lp}

COUNT = 60

B = Column(0, 1, integer=True)
LONG = "x" * 64

TRAPS: dict[str, Plain] = {
    "eight_characters": Plain(
        {"x2345678": Column(-1, 1), "y2345678": B},
        [Row({"x2345678": -1.5, "y2345678": 1.0}, upper=3.0), Row({"y2345678": 1.0}, 0.0)],
        {"x2345678": -1.5},
    ),
    "maximum": Plain({"x": Column(0, 4)}, [Row({"x": 1.0}, upper=3.0)], {"x": 2.0}, "maximize"),
    "constant": Plain({"x": Column(0, 4)}, [Row({"x": 1.0}, upper=3.0)], {"x": 2.0}, constant=5.0),
    "constant_alone": Plain({}, constant=-4.0),
    "isolated": Plain({"x": Column(), "y": Column(-1, 2), "b": B}, [Row({"x": 1.0}, 1.0)]),
    "many_isolated_integers": Plain({f"b{i}": B for i in range(500)}),
    "negative_upper_bound": Plain(
        {"x": Column(-INF, -3), "y": Column(-7, -3), "n": Column(-INF, -2, integer=True)}
    ),
    "ranges": Plain(
        {"x": Column(), "y": Column()},
        [
            Row({"x": 1.0, "y": 1.0}, 1.0, 1.1),
            Row({"x": 1.0}, -1e-3, 1e9),
            Row({"y": 1.0}),
            Row({}, -1.0, 1.0),
        ],
    ),
    "smallest": Plain({"x": Column(1e-300, 1)}, [Row({"x": 1.1e-9}, -1e-12)], {"x": -1.1e-9}),
    "largest": Plain({"x": Column(-9e14, 9e14)}, [Row({"x": 9e14}, 9e14)], {"x": -9e14}),
    "longest_numbers": Plain(
        {"x": Column(-1.2345678901234567e-300, 1)},
        [Row({"x": -1.2345678901234567e-08}, -0.00012345678901234567, 123456789012345.67)],
    ),
    "names": Plain(
        {name: Column() for name in (LONG, "_", "t", "x1e5", "free_", "r1", "obj", "A", "Z9", "_e1")},
        [Row({LONG: 1.0, "_e1": 2.0, "x1e5": 3.0}, 0.0, name="st_"), Row({"t": 1.0}, 0.0, name="Y" * 64)],
    ),
    "zero": Plain({"x": Column(-0.0, 0.0), "y": Column(-1, 1)}, [Row({"y": 1.0}, -0.0, -0.0)]),
    "integers": Plain(
        {
            "a": Column(0, INF, integer=True),
            "b": Column(3, INF, integer=True),
            "c": Column(-INF, INF, integer=True),
            "d": Column(-2.5, 2.5, integer=True),
            "g": Column(1, 1, integer=True),
            "h": Column(-INF, 5, integer=True),
        },
        [Row(dict.fromkeys("abcdgh", 1.0), upper=9.0)],
    ),
    "no_integers": Plain({"x": Column()}, [Row({"x": 1.0}, 1.0)]),
    "no_rows": Plain({"x": Column()}, costs={"x": 1.0}),
    "notes": Plain(
        {"x": Column()},
        [Row({"x": 1.0}, 1.0)],
        notes=(
            "NAME wrong FREE",
            "ROWS",
            "Minimize",
            "Subject To",
            "End",
            "x" * 300,
            "* / \\ : é",
            "\\ENCODING=X",
        ),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def models() -> Mapping[str, Plain]:
    found = dict(TRAPS)

    @seed(1)
    @settings(
        max_examples=COUNT,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plain=plains())
    def collect(plain: Plain) -> None:
        found[f"random{len(found)}"] = plain

    collect()
    return found


def differences(reader: str, suffix: str, models: Mapping[str, Plain], folder: Path) -> dict[str, object]:
    """Return what a reader finds that is not what was meant."""
    paths = {name: folder / f"{name}{suffix}" for name in models}
    kind = "." + suffix.split(".")[1]
    for name, plain in models.items():
        write_file(paths[name], WRITERS[kind](build(plain)))
    found = read_with(reader, list(paths.values()))
    wanted = {name: comparable(expected(plain, kind)) for name, plain in models.items()}
    return {
        name: got if isinstance(got, str) else (comparable(got), wanted[name])
        for name, got in zip(models, found, strict=True)
        if isinstance(got, str) or not same(comparable(got), wanted[name], reader == "cbc")
    }


def same(found: object, wanted: object, nearly: bool) -> bool:
    """Whether two values are equal; CBC's MPS reader misses numbers by a few units in the last place."""
    if nearly and isinstance(found, float) and isinstance(wanted, float):
        return found == wanted or abs(found - wanted) <= 4e-16 * abs(wanted)
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(same(found[k], wanted[k], nearly) for k in found)
    if isinstance(found, list | tuple) and isinstance(wanted, list | tuple):
        return len(found) == len(wanted) and all(
            same(a, b, nearly) for a, b in zip(found, wanted, strict=True)
        )
    if isinstance(found, Column) and isinstance(wanted, Column):
        pairs = (found.lower, found.upper, found.integer), (wanted.lower, wanted.upper, wanted.integer)
        return same(*pairs, nearly)
    return found == wanted


@pytest.mark.parametrize("reader", list(LIBRARIES))
def test_readers_find_what_was_meant(reader: str, models: Mapping[str, Plain], folder: Path) -> None:
    if importlib.util.find_spec(LIBRARIES[reader]) is None:
        pytest.skip(f"{LIBRARIES[reader]} is not installed")
    for suffix in SUFFIXES[reader]:
        chosen = models if suffix != ".mps.gz" else {name: models[name] for name in TRAPS}
        assert differences(reader, suffix, chosen, folder) == {}


EXTENDED = Plain(
    {"x": Column(0, 4), "z": B, "y": Column(-1, 4), "w": B},
    [
        Row({"x": 1.0, "y": 2.0}, upper=3.0, indicator="z"),
        Row({"x": 1.0}, lower=1.0, indicator="w", active=False),
        Row({"x": 1.0, "z": 1.0}, 0.5),
    ],
    {"x": 1.0},
    sets=[["x", "z"], ["w", "x"]],
)


def test_scip_finds_indicators_and_ordered_sets(folder: Path) -> None:
    pytest.importorskip("pyscipopt")
    for suffix, write in WRITERS.items():
        path = folder / f"extended{suffix}"
        write_file(path, write(build(EXTENDED), indicators=True, ordered_sets=True))
        (found,) = read_with("scip", [path])
        assert isinstance(found, Plain)
        assert sum(row.indicator is not None for row in found.rows) == 2
        assert len(found.sets) == 2
        assert found.columns.items() >= EXTENDED.columns.items()


@pytest.mark.parametrize("reader", ["highs", "glpk"])
def test_readers_without_indicators_refuse_them(reader: str, folder: Path) -> None:
    pytest.importorskip(LIBRARIES[reader])
    for suffix, write in WRITERS.items():
        path = folder / f"refused{suffix}"
        write_file(path, write(build(EXTENDED), indicators=True, ordered_sets=True))
        (found,) = read_with(reader, [path])
        assert isinstance(found, str)


def test_cbc_takes_indicator_rows_for_rows_that_always_hold(folder: Path) -> None:
    """Why indicator rows are only written where asked for."""
    pytest.importorskip("mip")
    plain = Plain(EXTENDED.columns, EXTENDED.rows, EXTENDED.costs)
    path = folder / "unconditional.mps"
    write_file(path, write_mps(build(plain), indicators=True))
    (found,) = read_with("cbc", [path])
    assert isinstance(found, Plain)
    assert len(found.rows) == 3
    assert not any(row.indicator for row in found.rows)


def test_python_mip_reads_an_empty_model_where_it_fails(folder: Path) -> None:
    """Why whoever reads with it has to count rows and columns afterwards."""
    pytest.importorskip("mip")
    path = folder / "broken.mps"
    path.write_text("NAME x FREE\nROWS\n N obj\n L r1\nCOLUMNS\n x r9 1\nENDATA\n")
    (found,) = read_with("cbc", [path])
    assert isinstance(found, Plain)
    assert not found.columns
