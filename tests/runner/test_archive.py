"""Archives: whole, the same every time, readable without ensc, and checked down to the byte."""

import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path

import mip
import numpy as np
import onnx
import pytest
import z3
from command_line import DIGITS, Run, run_here, run_process
from onnx import TensorProto, helper, numpy_helper
from pysmt.smtlib.parser import SmtLibParser
from queries import load, query, write_folder

from ensc.compiler.diagnostics import Rejected
from ensc.compiler.frontend.query.resolve import load_problem
from ensc.formats import read_mps, size_as_written
from ensc.runner.archive import create_archive, verify_archive
from ensc.runner.archive.manifest import read_manifest

ROOT = Path(__file__).parents[2]
META = 'meta { source = "made up"; license = "CC0-1.0"; category = "random"; }'
SMT = "smtlib/non-incremental/QF_LRA"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two archived examples, `robust` and `count1`."""
    folder = tmp_path_factory.mktemp("archives")
    for name in ("robust", "count1"):
        create_archive(load_problem(DIGITS / f"{name}.rq").problem, folder / name)
    return folder


@pytest.fixture
def copy(archives: Path, tmp_path: Path) -> Path:
    """An archive that a test may spoil."""
    return Path(shutil.copytree(archives / "count1", tmp_path / "copy"))


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def codes(folder: Path) -> list[str]:
    with pytest.raises(Rejected) as caught:
        verify_archive(folder)
    return [d.code for d in caught.value.diagnostics]


def said(folder: Path) -> str:
    with pytest.raises(Rejected) as caught:
        verify_archive(folder)
    return " ".join(" ".join((d.message, *d.notes, d.help or "")) for d in caught.value.diagnostics)


def sealed(folder: Path, name: str) -> None:
    """Make the manifest agree with a file that was changed."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    content = (folder / name).read_bytes()
    for entry in manifest["files"]:
        if entry["path"] == name:
            entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


# what is in it ---------------------------------------------------------------------------------------


def test_it_holds_every_form_in_the_layout_of_its_community(archives: Path) -> None:
    assert sorted(files_of(archives / "count1")) == sorted(
        [
            "README.md",
            "SHA256SUMS",
            "manifest.json",
            "milp/count1-O0.mps",
            "milp/count1.lp",
            "milp/count1.mps",
            "query/conv.onnx",
            "query/count1.rq",
            "query/deep.onnx",
            "query/dense.onnx",
            "query/points.npz",
            f"{SMT}/count1/count1.smt2",
            *(f"vnncomp/{version}/instances.csv" for version in ("1.0", "2.0")),
            *(f"vnncomp/{version}/vnnlib/point_1_members_1_2_3.vnnlib" for version in ("1.0", "2.0")),
            "vnncomp/1.0/onnx/merged_label_8_members_1_2_3.onnx",
            *(f"vnncomp/2.0/onnx/f{c}.onnx" for c in (1, 2, 3)),
        ]
    )


def test_the_archived_query_is_the_same_problem_and_well_laid_out(archives: Path) -> None:
    for name in ("robust", "count1"):
        original = load_problem(DIGITS / f"{name}.rq").problem
        archived = load_problem(archives / name / "query" / f"{name}.rq").problem
        assert archived.digest == original.digest
        assert archived.points.exact(0) == original.points.exact(0)
        assert (archived.name, archived.meta) == (original.name, original.meta)
        assert type(archived.expectation) is type(original.expectation)
        assert run_here(archives / name, "fmt", "--check", f"query/{name}.rq").code == 0
        assert run_here(archives / name, "check", f"query/{name}.rq").err == ""


def test_the_points_say_where_they_come_from(archives: Path) -> None:
    chosen = load_problem(DIGITS / "robust.rq").problem.points
    with np.load(archives / "robust" / "query" / "points.npz") as points:
        assert points["row"].tolist() == chosen.rows.tolist()
        assert points["y"].tolist() == chosen.labels.tolist()
        assert (points["x"] / chosen.denominator).tolist() == chosen.nearest.tolist()


def test_the_manifest_and_the_checksums_list_every_file(archives: Path) -> None:
    folder = archives / "robust"
    files = files_of(folder)
    listed = {e.path: (e.size, e.sha256) for e in read_manifest(folder).files}
    wanted = {n: (len(c), hashlib.sha256(c).hexdigest()) for n, c in files.items()}
    assert listed == {n: e for n, e in wanted.items() if n not in {"manifest.json", "SHA256SUMS"}}
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {n: e[1] for n, e in wanted.items() if n != "SHA256SUMS"}


@pytest.mark.parametrize(
    ("name", "answer", "count"), [("robust", "robust", None), ("count1", "robust_up_to", 1)]
)
def test_the_expected_answer_is_recorded_with_what_says_so(
    archives: Path, name: str, answer: str, count: int | None
) -> None:
    known = read_manifest(archives / name).record.known
    assert (known.answer, known.count, known.source) == (answer, count, "the query")
    script = (archives / name / SMT / name / f"{name}.smt2").read_text(encoding="ascii")
    assert "(set-info :status unsat)" in script
    assert '(set-info :license "CC BY 4.0")' in script
    page = (archives / name / "README.md").read_text(encoding="utf-8")
    assert "established by the query" in page
    assert "CC BY 4.0" in page


def test_the_page_for_readers_names_every_file_and_leaves_no_blank(archives: Path) -> None:
    for name in ("robust", "count1"):
        page = (archives / name / "README.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", page, re.MULTILINE))
        assert all(rows.get(path) for path in files_of(archives / name))
        assert "$" not in page
        assert "is value(A) < " in page


def test_the_header_of_the_script_is_in_the_order_of_the_library(archives: Path) -> None:
    script = (archives / "robust" / SMT / "robust" / "robust.smt2").read_text(encoding="ascii")
    head = script[: script.index("(declare-fun")]
    commands = re.findall(r"^\((set-\w+ :?[\w-]+)", head, re.MULTILINE)
    infos = [f"set-info :{key}" for key in ("source", "license", "category", "status")]
    assert commands == ["set-info :smt-lib-version", "set-logic QF_LRA", *infos]
    assert script.endswith("(check-sat)\n(exit)\n")


# other readers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["robust", "count1"])
def test_z3_and_pysmt_read_the_script(archives: Path, name: str) -> None:
    path = archives / name / SMT / name / f"{name}.smt2"
    assertions = z3.parse_smt2_file(str(path))
    assert len(assertions) == path.read_bytes().count(b"(assert ")
    if name == "robust":  # the other one takes minutes
        solver = z3.Solver()
        solver.add(assertions)
        assert solver.check() == z3.unsat
    with path.open(encoding="ascii") as stream:
        script = SmtLibParser().get_script(stream)
    assert {"set-logic", "assert", "check-sat"} <= {command.name for command in script.commands}


@pytest.mark.parametrize("name", ["robust", "count1", "count1-O0"])
def test_cbc_reads_the_mps(archives: Path, name: str) -> None:
    path = archives / name.removesuffix("-O0") / "milp" / f"{name}.mps"
    model = mip.Model(solver_name=mip.CBC)
    model.verbose = 0
    model.read(str(path))
    ours = size_as_written(read_mps(path.read_text(encoding="ascii"), path.name))
    assert (model.num_rows, model.num_cols) == (ours.rows, ours.columns)
    assert (model.num_nz, model.num_int) == (ours.nonzeros, ours.integers)
    assert model.num_int > 0


# the same bytes --------------------------------------------------------------------------------------


def test_bytes_depend_on_nothing_but_the_query(archives: Path, tmp_path: Path) -> None:
    for name, seed in (("robust", "1"), ("count1", "20")):
        target = tmp_path / "somewhere else" / name
        target.parent.mkdir(exist_ok=True)
        run = run_process(
            tmp_path,
            "archive",
            str(DIGITS / f"{name}.rq"),
            "-o",
            str(target),
            environment={"PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        )
        assert (run.code, run.err) == (0, "")
        assert files_of(target) == files_of(archives / name)


def test_nothing_of_the_machine_is_in_it(archives: Path) -> None:
    traces = [str(archives), str(ROOT), str(Path.home()) + "/", "/tmp", ".ensc-"]  # noqa: S108 - to look for
    for name in ("robust", "count1"):
        for path, content in files_of(archives / name).items():
            assert not [trace for trace in traces if trace.encode() in content], path


# verifying -------------------------------------------------------------------------------------------


def test_an_archive_verifies_wherever_it_lies(archives: Path, copy: Path) -> None:
    count = len(files_of(archives / "robust")) - 2
    assert f"{count} files are as the manifest says" in verify_archive(archives / "robust")
    run = run_here(copy.parent, "archive", "--verify", "copy")
    assert (run.code, run.err) == (0, "")
    assert "follow from the archived query" in run.out


def test_every_changed_file_is_noticed(copy: Path) -> None:
    for name, content in files_of(copy).items():
        path = copy / name
        spoiled = bytearray(content)
        spoiled[len(content) // 2] ^= 1
        path.write_bytes(spoiled)
        if name == "manifest.json":
            assert set(codes(copy)) <= {"E1172", "E1173", "E1174"}
        elif name == "SHA256SUMS":
            assert codes(copy) == ["E1174"]
        else:
            assert codes(copy) == ["E1173"]
            assert f"`{name}` has changed" in said(copy)
        path.write_bytes(content)
    verify_archive(copy)


def test_missing_and_added_files_are_noticed(copy: Path) -> None:
    (copy / "milp" / "count1.lp").unlink()
    (copy / "notes.txt").write_text("mine", encoding="utf-8")
    assert codes(copy) == ["E1173", "E1173"]
    assert "`milp/count1.lp` is missing" in said(copy)
    assert "`notes.txt` is not in the manifest" in said(copy)


@pytest.mark.parametrize(
    "name",
    [
        "milp/count1.mps",
        "milp/count1.lp",
        f"{SMT}/count1/count1.smt2",
        "README.md",
        "vnncomp/1.0/instances.csv",
    ],
)
def test_a_file_changed_together_with_the_manifest_does_not_follow_from_the_query(
    copy: Path, name: str
) -> None:
    path = copy / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    sealed(copy, name)
    assert set(codes(copy)) == {"E1174"}
    assert f"`{name}` is not what the archived query compiles to" in said(copy)


def test_another_query_under_the_same_manifest_is_noticed(copy: Path) -> None:
    path = copy / "query" / "count1.rq"
    path.write_text(
        path.read_text(encoding="utf-8").replace("radius 29/50", "radius 28/50"), encoding="utf-8"
    )
    sealed(copy, "query/count1.rq")
    assert "states another problem" in said(copy)


def test_a_query_that_lost_its_licence_is_noticed(copy: Path) -> None:
    path = copy / "query" / "count1.rq"
    path.write_text(
        re.sub(r"meta \{.*\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL), encoding="utf-8"
    )
    sealed(copy, "query/count1.rq")
    assert codes(copy) == ["E1170", "E1170"]


def test_another_answer_in_the_manifest_is_noticed(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["expected"]["answer"] = "robust"
    write_manifest(copy, manifest)
    assert "not the one that the archived query states" in said(copy)
    manifest["expected"]["established_by"] = "exact replay"
    write_manifest(copy, manifest)
    assert codes(copy)[0] == "E1174"


def test_another_version_is_named(copy: Path) -> None:
    text = (copy / "manifest.json").read_text(encoding="utf-8")
    (copy / "manifest.json").write_text(re.sub(r'"ensc": ".*"', '"ensc": "0.0.7"', text), encoding="utf-8")
    assert "made by ensc 0.0.7, and this is ensc" in said(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(schema="ensc-archive-99"),
        lambda m: m.update(query="../count1.rq"),
        lambda m: m.update(query="README.md"),
        lambda m: m.update(files=[]),
        lambda m: m["files"][0].update(path="/etc/passwd"),
        lambda m: m["files"][0].update(bytes="many"),
        lambda m: m["expected"].update(established_by="hearsay"),
        lambda m: m["expected"].pop("count"),
        lambda m: m.clear(),
    ],
)
def test_a_manifest_that_is_none_is_refused(copy: Path, change: object) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    assert callable(change)
    change(manifest)
    write_manifest(copy, manifest)
    assert set(codes(copy)) <= {"E1172", "E1173"}


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", "[" * 100_000])
def test_rubbish_for_a_manifest_is_refused(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    assert codes(copy) == ["E1172"]


def test_a_query_is_no_archive() -> None:
    run = run_here(DIGITS, "archive", "--verify", "robust.rq")
    assert run.code == 1
    assert "E1172" in run.err


# refusals --------------------------------------------------------------------------------------------


def archived(folder: Path, text: str, *options: str) -> Run:
    """Archive a query of the folder into `out`."""
    (folder / "q.rq").write_text(text, encoding="utf-8")
    return run_here(folder, "archive", "q.rq", "-o", "out", *options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path)
    return tmp_path


def test_a_query_that_changed_in_the_meantime_is_not_archived(tmp_path: Path) -> None:
    problem = dataclasses.replace(load_problem(DIGITS / "count1.rq").problem, digest="0" * 64)
    with pytest.raises(Rejected) as rejected:
        create_archive(problem, tmp_path / "out")
    (said,) = rejected.value.diagnostics
    assert said.code == "E1175"
    assert said.message == "the archived query is not the one that was asked for"
    assert said.help == "a file may have changed while the archive was made: make it again"
    assert not list(tmp_path.iterdir())


def test_source_and_licence_are_wanted(folder: Path) -> None:
    run = archived(folder, query())
    assert (run.code, run.err.count("E1170")) == (1, 2)
    run = archived(folder, query(more='meta { source = "made up"; license = " "; }'))
    assert (run.code, run.err.count("E1170")) == (1, 1)
    assert "under which licence" in run.err
    assert not (folder / "out").exists()


def test_what_is_there_is_not_overwritten(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "thesis.tex").write_text("years of work", encoding="utf-8")
    run = archived(folder, query(more=META))
    assert (run.code, "E1171" in run.err) == (1, True)
    assert (folder / "out" / "thesis.tex").read_text(encoding="utf-8") == "years of work"
    shutil.rmtree(folder / "out")
    (folder / "out").write_text("a file", encoding="utf-8")
    assert "E1171" in archived(folder, query(more=META)).err
    (folder / "out").unlink()
    (folder / "out").mkdir()
    assert archived(folder, query(more=META)).code == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (
            {
                "goal": "minimize epsilon such that value >= alpha;",
                "epsilon": "param epsilon: real in [0, 9];",
            },
            "E0930",
        ),
        ({"more": META.replace("random", "lovely")}, "E1035"),
    ],
)
def test_all_of_it_appears_or_nothing(folder: Path, changes: dict[str, str], code: str) -> None:
    before = {*files_of(folder), "q.rq"}
    run = archived(folder, query(**{"more": META, **changes}))
    assert (run.code, code in run.err) == (1, True)
    assert set(files_of(folder)) == before
    assert not list(folder.glob(".ensc-*"))


def test_one_archive_is_one_problem(folder: Path) -> None:
    run = archived(folder, query(more=META), "-D", "epsilon=1:3:1")
    assert (run.code, "E0411" in run.err) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("--verify", "-o", "out")])
def test_either_make_or_verify(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "q.rq").write_text(query(more=META), encoding="utf-8")
    assert run_here(folder, "archive", "q.rq", *arguments).code == 2


# queries of every kind -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"input": "input domain unbounded;", "attack": "attack norm Linf, radius epsilon/3, count 1;"},
        {"input": "input domain [-inf, 1000];", "loss": "loss zero_one, ties correct, margin 1/7;"},
        {
            "loss": "loss targeted(label = 1), margin 1e-3;",
            "data": "data X = points([[1/3, 2, 3/7, 4]], labels = [0]);",
        },
        {"goal": "maximize total such that value >= alpha;", "expect": "expect total = 2 within 10;"},
        {"attack": "attack norm L0, radius 2, count auto;"},
        {"data": 'data X = npz("p.npz", inputs = "x", labels = "y", rows = [0, 3, 5..6], scale = 1/255);'},
        {"expect": "expect timeout;"},
    ],
)
def test_a_query_of_any_kind_comes_back_from_its_archive(folder: Path, changes: dict[str, str]) -> None:
    run = archived(folder, query(**{"more": META, **changes}))
    assert (run.code, "error" in run.err) == (0, False)
    one = load_problem(folder / "q.rq").problem
    for file in folder.glob("*.*"):  # the archive needs none of what it was made from
        file.unlink()
    two = load_problem(folder / "out" / "query" / "q.rq").problem
    assert two.digest == one.digest
    assert (two.threat, two.loss, two.goal) == (one.threat, one.loss, one.goal)
    verify_archive(folder / "out")
    without = "L0" in changes.get("attack", "")
    assert (folder / "out" / "vnncomp").exists() is not without
    assert ("there are no VNN-LIB properties" in run.out) is without


def test_overrides_are_resolved_and_parameters_remembered(folder: Path) -> None:
    run = archived(folder, query(more=META), "-D", "epsilon=1/3", "--network", "f1=f2.onnx")
    assert run.code == 0
    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"] == {"epsilon": "1/3", "alpha": "2/5"}
    assert "radius 1/3" in (folder / "out" / "query" / "q.rq").read_text(encoding="utf-8")
    copied = (folder / "out" / "query" / "f1.onnx").read_bytes()
    assert copied == (folder / "f2.onnx").read_bytes()
    verify_archive(folder / "out")


def test_names_that_differ_in_case_only_are_two_files(folder: Path) -> None:
    text = query(more=META, ensemble='ensemble C { f = onnx("f1.onnx"); F = onnx("f2.onnx"); }')
    assert archived(folder, text).code == 0
    names = [path.name.lower() for path in (folder / "out" / "query").iterdir()]
    assert len(set(names)) == len(names) == 4
    verify_archive(folder / "out")


def test_the_set_of_the_script_may_be_named(folder: Path) -> None:
    assert archived(folder, query(more=META.replace("}", 'set = "20260131-digits"; }'))).code == 0
    assert (folder / "out" / SMT / "20260131-digits" / "q.smt2").exists()
    verify_archive(folder / "out")


def test_weights_beside_a_model_and_named_ports_come_along(folder: Path) -> None:
    rng = np.random.default_rng(5)
    weight = rng.integers(-3, 4, (3, 4)).astype(np.float32)
    nodes = [helper.make_node("Gemm", ["x", "W"], ["y"], transB=1), helper.make_node("Neg", ["y"], ["z"])]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("y", "z")]
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    graph = helper.make_graph(nodes, "two", [source], ports, [numpy_helper.from_array(weight, "W")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(
        model, folder / "big.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    text = query(
        more=META, ensemble='ensemble C { f1 = onnx("f1.onnx"); big = onnx("big.onnx", output = "y"); }'
    )
    one = load(folder, text).problem
    assert archived(folder, text).code == 0
    assert (folder / "out" / "query" / "big" / "weights.bin").read_bytes() == (
        folder / "weights.bin"
    ).read_bytes()
    assert load_problem(folder / "out" / "query" / "q.rq").problem.digest == one.digest
    verify_archive(folder / "out")


# solving first ---------------------------------------------------------------------------------------


def test_a_certified_answer_is_archived_with_what_it_rests_on(tmp_path: Path) -> None:
    run = run_here(DIGITS, "archive", "not_robust.rq", "-o", str(tmp_path / "out"), "--solve")
    assert (run.code, run.err) == (0, "")
    known = read_manifest(tmp_path / "out").record.known
    assert (known.answer, known.source) == ("not_robust", "exact replay")
    script = (tmp_path / "out" / SMT / "not_robust" / "not_robust.smt2").read_text(encoding="ascii")
    assert "(set-info :status sat)" in script
    verify_archive(tmp_path / "out")


def test_a_robust_answer_names_its_proofs(folder: Path) -> None:
    run = archived(folder, query(more=META, epsilon="param epsilon: real >= 0 = 0;"), "--solve")
    assert run.code == 0
    known = read_manifest(folder / "out").record.known
    if known.answer == "robust":
        assert known.source == "a solver"
        assert known.details
    else:
        assert (known.answer, known.source) == ("not_robust", "exact replay")
    verify_archive(folder / "out")


def test_an_answer_that_contradicts_the_query_is_not_archived(tmp_path: Path) -> None:
    text = (DIGITS / "not_robust.rq").read_text(encoding="utf-8")
    for file in DIGITS.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    run = archived(tmp_path, text.replace("expect not_robust", "expect robust"), "--solve")
    assert (run.code, "E1120" in run.err) == (1, True)
    assert not (tmp_path / "out").exists()
