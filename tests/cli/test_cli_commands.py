"""Every command as its user sees it: exit codes, what goes to which stream, which files appear."""

import gzip
import itertools
import json
import os
import re
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from command_line import COMMAND, DIGITS, Run, run_here, run_process
from queries import query, write_folder

from ensc.compiler.explain import codes

COMMANDS = ("check", "fmt", "explain", "info", "compile", "solve", "decode", "solvers")
SMALL = query(
    data="data X = points([[0, 1, 2, 3], [9, 2, 4, 1]], labels = [2, 0]);",
    attack="attack norm Linf, radius epsilon, count auto;",
    goal="maximize value;",
    alpha="",
    more="// the end",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path)
    (tmp_path / "q.rq").write_text(SMALL, encoding="utf-8")
    return tmp_path


def succeeded(run: Run) -> str:
    assert (run.code, run.err) == (0, "")
    return run.out


# Help and usage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, tmp_path: Path) -> None:
    out = succeeded(run_here(tmp_path, command, "--help"))
    assert out.startswith(f"usage: ensc {command} ")
    assert "--diagnostics {text,json}" in out


def test_help_lists_every_command(tmp_path: Path) -> None:
    out = succeeded(run_here(tmp_path, "--help"))
    assert set(re.findall(r"^    (\w+)  ", out, re.MULTILINE)) >= set(COMMANDS)


def test_version(tmp_path: Path) -> None:
    assert re.fullmatch(r"ensc \d+\.\d+\.\d+\n", succeeded(run_here(tmp_path, "--version")))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("chekc", "q.rq"),
        ("check",),
        ("check", "q.rq", "extra"),
        ("check", "q.rq", "--unknown"),
        ("check", "q.rq", "--diagnostics", "xml"),
        ("compile", "q.rq"),
        ("compile", "q.rq", "-o", "out.mps", "--emit", "model"),
        ("compile", "q.rq", "--emit", "everything"),
        ("compile", "q.rq", "-o", "out.mps", "-O", "9"),
        ("solve", "q.rq", "--time-limit", "soon"),
        ("solve", "q.rq", "--time-limit", "0"),
        ("solve", "q.rq", "--time-limit", "nan"),
        ("decode", "q.rq"),
        ("fmt",),
        ("info",),
    ],
)
def test_wrong_usage(folder: Path, arguments: tuple[str, ...]) -> None:
    before = sorted(folder.iterdir())
    run = run_here(folder, *arguments)
    assert (run.code, run.out) == (2, "")
    assert re.search(r"^Try `ensc( \w+)? --help`\.$", run.err, re.MULTILINE)
    assert "_seconds" not in run.err
    assert sorted(folder.iterdir()) == before


# check, fmt, explain, info, solvers --------------------------------------------------------------------


def test_check_says_what_is_asked(folder: Path) -> None:
    out = succeeded(run_here(folder, "check", "q.rq"))
    assert out.startswith("q.rq: 2 members, 2 points, 4 inputs, 3 classes; norm Linf, radius 10")


def test_check_of_a_sweep(folder: Path) -> None:
    lines = succeeded(run_here(folder, "check", "q.rq", "-D", "epsilon=0:0.5:0.1")).splitlines()
    assert [re.search(r"radius ([^,;]+)", line)[1] for line in lines] == [  # type: ignore[index] # it is there
        "0",
        "1/10",
        "1/5",
        "3/10",
        "2/5",
        "1/2",
    ]


def test_check_reads_a_query_of_another_folder(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    succeeded(run_here(elsewhere, "check", "../q.rq"))
    succeeded(run_here(elsewhere, "check", str(folder / "q.rq")))


def test_a_warning_leaves_the_exit_code_alone(folder: Path) -> None:
    (folder / "q.rq").write_text(SMALL + "\nparam k: int = 1;\n", encoding="utf-8")
    run = run_here(folder, "check", "q.rq", "-D", "epsilon=0:1:0.5")
    assert run.code == 0
    assert len(run.out.splitlines()) == 3
    assert run.err.count("W0401") == 1  # not once for each value of the sweep


def test_rebinding(folder: Path) -> None:
    np.savez(folder / "other.npz", x=np.ones((7, 4)), y=np.zeros(7, int))
    (folder / "q.rq").write_text(query(data='data X = npz("p.npz");'), encoding="utf-8")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    # A path on the command line is relative to the working directory, not to the query.
    out = succeeded(run_here(elsewhere, "check", "../q.rq", "--data", "X=../other.npz"))
    assert "7 points" in out
    run = run_here(elsewhere, "check", "../q.rq", "--network", "f2=../five.onnx")
    assert run.code == 1
    assert "E0603" in run.err
    (folder / "copy.onnx").write_bytes((folder / "f2.onnx").read_bytes())
    plain, rebound = (
        succeeded(run_here(folder, "compile", "q.rq", "--emit", "problem", *more))
        for more in ((), ("--network", "f2=copy.onnx", "-D", "alpha=1/4"))
    )
    assert plain != rebound
    assert "f2: copy.onnx" in rebound
    assert "check value < 1/4" in rebound


def test_fmt(folder: Path) -> None:
    path = folder / "messy.rq"
    path.write_text("rq 1.0; // a\nparam  k:int=1 ;// b\n\n\n\n// c\ncheck value<k/2;", encoding="utf-8")
    run = run_here(folder, "fmt", "--check", "messy.rq")
    assert (run.code, run.out, run.err) == (1, "", "would reformat messy.rq\n")
    shown = succeeded(run_here(folder, "fmt", "--stdout", "messy.rq"))
    assert path.read_text(encoding="utf-8").startswith("rq 1.0; // a\nparam  k")
    run = run_here(folder, "fmt", "messy.rq")
    assert (run.code, run.out, run.err) == (0, "", "reformatted messy.rq\n")
    assert path.read_text(encoding="utf-8") == shown
    assert all(f"// {comment}" in shown for comment in "abc")
    assert succeeded(run_here(folder, "fmt", "messy.rq")) == ""
    assert succeeded(run_here(folder, "fmt", "--check", "messy.rq")) == ""


def test_fmt_leaves_what_it_cannot_read(folder: Path) -> None:
    path = folder / "broken.rq"
    path.write_text("rq 1.0;\nparam k: int = ;", encoding="utf-8")
    assert run_here(folder, "fmt", "broken.rq").code == 1
    assert path.read_text(encoding="utf-8") == "rq 1.0;\nparam k: int = ;"


def test_explain(tmp_path: Path) -> None:
    assert succeeded(run_here(tmp_path, "explain", "E0202")).startswith("# an unknown norm\n")
    lines = succeeded(run_here(tmp_path, "explain")).splitlines()
    assert [line.split()[0] for line in lines] == list(codes())
    run = run_here(tmp_path, "explain", "E9999")
    assert (run.code, run.out) == (1, "")
    assert "E0199" in run.err


def test_info(folder: Path) -> None:
    out = succeeded(run_here(DIGITS, "info", "conv_pool.onnx"))
    for part in ("`x` (float ?x1x8x8)", "`logits` (float ?x10)", "648 parameters", "124 ReLUs", "MaxPool"):
        assert part in out
    (folder / "no.onnx").write_bytes(b"no")
    run = run_here(folder, "info", "no.onnx")
    assert (run.code, run.out) == (1, "")
    assert "E0503" in run.err


def test_solvers(tmp_path: Path) -> None:
    assert re.search(r"^cbc\s", succeeded(run_here(tmp_path, "solvers")), re.MULTILINE)


# compile -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["0", "1"])
def test_compile_writes_what_is_asked_for(folder: Path, level: str) -> None:
    for suffix in ("mps", "mps.gz", "lp", "lp.gz"):
        run = run_here(folder, "compile", "q.rq", "-o", f"out.{suffix}", "-O", level)
        assert succeeded(run) == f"wrote out.{suffix}\n"
    for suffix in ("mps", "lp"):
        packed = gzip.decompress((folder / f"out.{suffix}.gz").read_bytes())
        assert packed == (folder / f"out.{suffix}").read_bytes()
        assert f"-O{level}" in packed.decode("ascii").splitlines()[0]


def test_compile_of_a_sweep_writes_a_file_for_each_value(folder: Path) -> None:
    succeeded(run_here(folder, "compile", "q.rq", "-o", "out.mps.gz", "-D", "epsilon=0:0.5:0.1"))
    names = {path.name for path in folder.glob("out*")}
    values = ("0", "1_10", "1_5", "3_10", "2_5", "1_2")
    assert names == {f"out-epsilon={value}.mps.gz" for value in values}
    texts = {gzip.decompress(path.read_bytes()) for path in folder.glob("out*")}
    assert len(texts) == len(values)


def test_statistics(folder: Path) -> None:
    out = succeeded(run_here(folder, "compile", "q.rq", "-o", "out.mps", "--stats"))
    counts = dict(re.findall(r"^  (\w+) +(\d+)$", out, re.MULTILINE))
    assert counts.keys() >= {"attacks", "rows", "columns", "nonzeros", "integers", "bytes"}
    assert int(counts["bytes"]) == (folder / "out.mps").stat().st_size
    header = (folder / "out.mps").read_text(encoding="ascii")
    assert f"rows {counts['rows']}, columns {counts['columns']}, nonzeros {counts['nonzeros']}" in header


def test_statistics_tell_each_pass(folder: Path) -> None:
    out = succeeded(run_here(folder, "compile", "--stats", "q.rq", "-o", "out.mps"))
    header = "after pass  columns  rows  nonzeros  binaries  seconds"
    assert re.sub(" +", " ", header) in re.sub(" +", " ", out)
    rows = re.findall(r"^  (\S+)( +\d+){4}( +[\d.]+)?$", out, re.MULTILINE)
    assert [name for name, *_ in rows] == [
        "(-O0)",
        "relax",
        "attacks",
        "demand",
        "merge",
        "fooled",
        "model",
        "linear",
    ]
    assert "  relax: linear relaxation over box and ball; " in out


@pytest.mark.parametrize("form", [("--stats", "json"), ("--stats=json",)])
def test_statistics_as_json(folder: Path, form: tuple[str, ...]) -> None:
    out = succeeded(run_here(folder, "compile", "q.rq", "-o", "out.mps", "-O2", *form))
    told = json.loads(out)
    assert told["schema"] == "ensc-stats-1"
    assert told["level"] == 2
    assert [each["pass"] for each in told["passes"]] == [
        *("(-O0)", "relax", "attacks", "demand", "merge", "fooled", "tighten", "model", "linear")
    ]
    for before, after in itertools.pairwise(told["passes"]):
        assert after["before"] == before["after"]
    last = told["passes"][-1]["after"]
    assert {name: told[name] for name in last} == last
    assert told["bytes"] == (folder / "out.mps").stat().st_size


def test_statistics_of_a_sweep_are_one_array(folder: Path) -> None:
    out = succeeded(
        run_here(folder, "compile", "q.rq", "-o", "out.mps", "-D", "epsilon=1:2:1", "--stats=json")
    )
    assert [each["file"] for each in json.loads(out)] == ["out-epsilon=1.mps", "out-epsilon=2.mps"]


@pytest.mark.parametrize(
    ("level", "more", "part"),
    [
        ("query", (), "// the end\n"),
        ("problem", (), "goal: maximize value\n"),
        ("bounds", (), "f1: may be fooled at point"),
        ("printed", ("-O0",), "f1: may be fooled at points 1, 2\n"),
        ("relax", (), "relax: linear relaxation over box and ball"),
        ("attacks", (), "attacks: 2 attacks asked for, 2 kept, ordered\n"),
        ("tighten", ("-O2",), "tighten: "),
        ("facts", ("-O3",), "point 1: solved, patterns {"),
        ("model", (), "variables\n"),
        ("linear", ("-O3",), "variables\n"),
    ],
)
def test_emit(folder: Path, level: str, more: tuple[str, ...], part: str) -> None:
    before = sorted(folder.iterdir())
    assert part in succeeded(run_here(folder, "compile", "q.rq", "--emit", level, *more))
    assert sorted(folder.iterdir()) == before


def test_a_pass_of_another_level_is_refused(folder: Path) -> None:
    run = run_here(folder, "compile", "q.rq", "--emit", "tighten")
    assert run.code == 1
    assert "error[E1061]: the pass `tighten` does not run at -O1" in run.err
    assert "at -O1 these do: relax, attacks, demand, merge, fooled, model, linear" in run.err


def test_an_unknown_pass_is_answered_by_their_list(folder: Path) -> None:
    run = run_here(folder, "compile", "q.rq", "--emit", "everything")
    assert run.code == 2
    assert all(name in run.err for name in ("query", "bounds", "relax", "facts", "tighten", "linear"))


@pytest.mark.parametrize("level", ["-O2", "-O3"])
def test_levels_keep_the_certified_value(folder: Path, level: str) -> None:
    values = {
        json.loads(run_here(folder, "solve", "q.rq", "--strategy", "joint", "--json", *more).out)["value"]
        for more in ((), (level,))
    }
    assert len(values) == 1


# solve and decode --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def valid() -> Any:
    schema = json.loads(
        (resources.files("ensc.runner.reports") / "result.schema.json").read_text(encoding="utf-8")
    )
    return jsonschema.Draft202012Validator(schema)


def objects(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects that a text consists of."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_solve_as_json(folder: Path, valid: Any) -> None:
    out = succeeded(run_here(folder, "solve", "q.rq", "--json", "--save-attack", "attack.npz"))
    (result,) = objects(out)
    valid.validate(result)
    assert (result["verdict"], result["certified"]) == ("optimal", True)
    with np.load(folder / "attack.npz") as arrays:
        assert arrays["probabilities"].tolist() == result["attack"]["probabilities_float"]
        assert arrays["perturbations"].tolist() == result["attack"]["perturbations_float"]
        assert float(arrays["value"]) == result["value_float"]


def test_solve_as_text(folder: Path) -> None:
    out = succeeded(run_here(folder, "solve", "q.rq"))
    for part in ("verdict  optimal", "attack | probability | point", "member | file", "seconds  "):
        assert part in out


def test_one_thing_is_told_in_the_singular(folder: Path) -> None:
    out = succeeded(run_here(folder, "solve", "q.rq", "-D", "epsilon=2"))
    assert ": 1 set of members cannot be fooled together, at 1 point\n" in out


def test_solve_answers_every_value_of_a_sweep(folder: Path, valid: Any) -> None:
    saved = ("--save-attack", "attack.npz")
    run = run_here(folder, "solve", "q.rq", "--json", *saved, "-D", "epsilon=0:10:5")
    results = json.loads(succeeded(run))
    for result in results:
        valid.validate(result)
    values = [result["value_float"] for result in results]
    assert len(values) == 3
    assert values == sorted(values)  # a larger ball holds more attacks
    assert len({result["digest"] for result in results}) == 3
    files = {path.name for path in folder.glob("attack*")}
    assert files == {f"attack-epsilon={epsilon}.npz" for epsilon in (0, 5, 10)}
    for epsilon, value in zip((0, 5, 10), values, strict=True):
        with np.load(folder / f"attack-epsilon={epsilon}.npz") as arrays:
            assert float(arrays["value"]) == value


def test_several_solvers_answer_a_sweep_in_one_array(folder: Path, valid: Any) -> None:
    run = run_here(folder, "solve", "q.rq", "--json", "--solver", "cbc,z3", "-D", "epsilon=0:5:5")
    answers = json.loads(succeeded(run))
    assert len(answers) == 2
    for answer in answers:
        valid.validate(answer["combined"])
        assert [each["solver"] for each in answer["answers"]] == ["cbc", "z3"]


def test_what_a_sweep_answered_is_printed_where_it_cannot_go_on(folder: Path, valid: Any) -> None:
    (folder / "attack-epsilon=5.npz").mkdir()
    saved = ("--save-attack", "attack.npz")
    run = run_here(folder, "solve", "q.rq", "--json", *saved, "-D", "epsilon=0:10:5")
    assert run.code == 1
    assert "E1020" in run.err
    results = json.loads(run.out)
    assert [result["verdict"] for result in results] == ["optimal", "optimal"]
    for result in results:
        valid.validate(result)
    assert (folder / "attack-epsilon=0.npz").is_file()


def test_an_undecided_query_has_an_exit_code_of_its_own(valid: Any) -> None:
    run = run_here(DIGITS, "solve", "maximize.rq", "--strategy", "joint", "--time-limit", "0.01", "--json")
    assert run.code == 3
    (result,) = objects(run.out)
    valid.validate(result)
    assert (result["verdict"], result["certified"], result["attack"]) == ("unknown", False, None)


def test_a_contradicted_expectation_has_an_exit_code_of_its_own(folder: Path, valid: Any) -> None:
    (folder / "q.rq").write_text(SMALL + "\nexpect value = 1/8;\n", encoding="utf-8")
    run = run_here(folder, "solve", "q.rq", "--json", "--diagnostics", "json", "-D", "epsilon=0")
    assert run.code == 4
    valid.validate(json.loads(run.out))
    assert [found["code"] for found in json.loads(run.err)["diagnostics"]] == ["E1121"]


def test_verbose_shows_the_solver_on_standard_error(folder: Path) -> None:
    run = run_process(folder, "solve", "q.rq", "--strategy", "joint", "--verbose", "--json")
    assert run.code == 0
    json.loads(run.out)
    assert "CBC" in run.err.upper()


# What a user meets in pipes and in trouble -------------------------------------------------------------


def test_a_reader_that_goes_away(folder: Path) -> None:
    arguments = [*COMMAND, "compile", str(DIGITS / "robust.rq"), "--emit", "linear"]
    said = folder / "said"
    with said.open("wb") as err, subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=err) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        child.stdout.close()
        assert child.wait() == 0
    assert said.read_bytes() == b""


def test_closed_streams(folder: Path) -> None:
    for closed in (1, 2):
        shell = f'exec "$@" {closed}>&-'
        done = subprocess.run(
            ["/bin/sh", "-c", shell, "sh", *COMMAND, "check", "q.rq"], cwd=folder, check=False
        )
        assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "explain"], stdout=full, stderr=subprocess.PIPE, cwd=folder, check=False
        )
    assert done.returncode == 1
    assert b"E1020" in done.stderr
    assert b"E0001" not in done.stderr
    (folder / "full.mps").symlink_to("/dev/full")
    before = sorted(folder.iterdir())
    run = run_here(folder, "compile", "q.rq", "-o", "full.mps")
    assert run.code == 1
    assert "the disk is full" in run.err
    assert sorted(folder.iterdir()) == before


def test_an_internal_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail() -> list[str]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("ensc.compiler.explain.codes", fail)
    run = run_here(tmp_path, "explain")
    assert (run.code, run.out) == (1, "")
    assert "error[E0001]: this should not have happened: ZeroDivisionError: a bug" in run.err
    assert "--debug" in run.err
    with pytest.raises(ZeroDivisionError):
        run_here(tmp_path, "explain", "--debug")


def test_colours_and_width_do_not_depend_on_the_terminal(folder: Path) -> None:
    (folder / "q.rq").write_text(SMALL.replace("Linf", "L3"), encoding="utf-8")
    plain = run_process(folder, "check", "q.rq")
    other = run_process(folder, "check", "q.rq", environment={"COLUMNS": "20", "FORCE_COLOR": "1"})
    assert plain == other
    assert os.linesep + "error[E0202]" not in plain.out
