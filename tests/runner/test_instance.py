"""Answers to properties agree with brute force, and every counterexample is one."""

import gzip
import itertools
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from instance_texts import FIRST, SECOND, save_network, with_files
from tiny import dense, line_patterns, line_problems, make_problem, random_network

from ensc.cli import main
from ensc.compiler.diagnostics import Source
from ensc.compiler.passes.instances.instances import misclassification_instance
from ensc.compiler.types.instance import All, Atom, Instance, Reader
from ensc.compiler.types.problem import EnsembleProblem, Norm
from ensc.formats.vnnlib.folder import write_instances
from ensc.formats.vnnlib.link import link
from ensc.formats.vnnlib.read import read_property
from ensc.formats.vnnlib.witness import write_witness
from ensc.runner import properties
from ensc.runner.exact.counterexample import find_counterexample, is_counterexample, values_at
from ensc.runner.joint.solve import Settings
from ensc.runner.properties.benchmark import line_json, run_benchmark
from ensc.runner.properties.instance import Answer, solve_instances
from ensc.runner.solvers.choose import choose_solvers

pytest.importorskip("mip")

IDENTITY = dense((np.eye(2), np.zeros(2)), inputs=2)
ONE, HALF = Fraction(1), Fraction(1, 2)


def square(*parts: Atom, constraints: tuple[Atom, ...] = ()) -> Instance:
    """Ask about the identity on the unit square: v0, v1 are the inputs, v2, v3 the outputs."""
    reader = Reader("f", IDENTITY, np.arange(2))
    return Instance("square", (ONE * 0,) * 2, (ONE,) * 2, (reader,), All(parts), None, constraints)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(line_problems())
def test_answers_are_those_of_brute_force(problem: EnsembleProblem) -> None:
    patterns = line_patterns(problem, 0)
    for size in range(1, len(problem.ensemble) + 1):
        for members in itertools.combinations(range(len(problem.ensemble)), size):
            instance = misclassification_instance(problem, 0, members)
            result = solve_instances([instance])
            possible = any(set(members) <= pattern for pattern in patterns)
            # A counterexample at a single point may be missed, never invented, and never denied.
            assert result.answer in {Answer.SAT if possible else Answer.UNSAT, Answer.UNKNOWN}
            if result.answer is Answer.SAT:
                assert result.values is not None
                x = result.values[: instance.inputs]
                assert result.values == values_at(instance, x)
                assert is_counterexample(instance, result.values)
            if result.answer is Answer.UNSAT:
                assert result.proofs


def test_strict_inequalities_are_replayed_strictly() -> None:
    at_most_half = Atom((0,), (-ONE,), -HALF)
    closed, strict = Atom((2,), (ONE,), HALF), Atom((2,), (ONE,), HALF, strict=True)
    assert solve_instances([square(closed, constraints=(at_most_half,))]).answer is Answer.SAT
    answer = solve_instances([square(strict, constraints=(at_most_half,))])
    assert answer.answer is Answer.UNKNOWN
    assert answer.reasons == ("the solver claims a counterexample, and exact replay finds none near it",)


def test_equations_between_inputs_are_met_exactly() -> None:
    line = Atom((0, 1), (ONE, ONE), ONE), Atom((0, 1), (-ONE, -ONE), -ONE)
    result = solve_instances([square(Atom((2,), (ONE,), Fraction(3, 4)), constraints=line)])
    assert result.answer is Answer.SAT
    assert result.values is not None
    assert result.values[0] + result.values[1] == 1


def test_any_case_with_a_counterexample_suffices() -> None:
    no, yes = square(Atom((2,), (ONE,), Fraction(2))), square(Atom((2,), (ONE,), HALF))
    result = solve_instances([no, yes])
    assert (result.answer, result.instance) == (Answer.SAT, yes)
    assert solve_instances([no, no]).answer is Answer.UNSAT


def test_what_needs_a_solver_is_proved_by_it() -> None:
    weight = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    network = dense((weight, np.zeros(3)), (np.array([[1.0, -1.0, -1.0]]), np.zeros(1)), inputs=2)
    reader = Reader("f", network, np.arange(2))
    ends = (-ONE, -ONE), (ONE, ONE)
    above = Instance("n", *ends, (reader,), Atom((2,), (ONE,), Fraction(201, 100)))
    result = solve_instances([above])
    assert result.answer is Answer.UNSAT
    assert (
        solve_instances([Instance("n", *ends, (reader,), Atom((2,), (ONE,), Fraction(2)))]).answer
        is Answer.SAT
    )


def test_found_inputs_are_float32_where_the_box_holds_one() -> None:
    values = find_counterexample(square(Atom((2, 3), (ONE, ONE), Fraction(1, 3))))
    assert values is not None
    assert all(Fraction(float(np.float32(float(v)))) == v for v in values[:2])


def test_witnesses_have_the_form_of_the_competition() -> None:
    first = read_property(Source("p", FIRST))
    (instance,) = link(first, {"N": IDENTITY}, "p")
    values = (HALF, ONE * 0, HALF, ONE * 0)
    text = b"".join(write_witness(first, instance, values)).decode()
    assert text == "sat\n((X_0 0.5)\n(X_1 0.0)\n(Y_0 0.5)\n(Y_1 0.0))\n"
    second = read_property(Source("p", SECOND))
    (instance,) = link(second, {"f": IDENTITY, "g": IDENTITY}, "p")
    both = (HALF, ONE * 0, HALF, ONE * 0, ONE, -ONE)
    text = b"".join(write_witness(second, instance, both)).decode()
    assert text.split("\n") == [
        *("sat", "X float32 [1,2]", "0.5", "0.0", "Y float32 [1,2]", "0.5", "0.0"),
        *("U float32 [1,2]", "0.5", "0.0", "V float32 [1,2]", "1.0", "-1.0", ""),
    ]


def test_a_network_may_read_several_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A ball of L1 is a difference of two inputs: in that of radius 1, 2 (P[0] - N[0]) is at most 2."""
    graph = onnx.parser.parse_graph(
        """g (float[1,2] P, float[1,2] N) => (float[1,2] y)
        <float[2,2] w={2,0,0,1}> { d=Sub(P,N) y=MatMul(d,w) }"""
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, tmp_path / "f.onnx")
    head = (
        "(vnnlib-version <2.0>)(declare-network f (declare-input P real [1,2])"
        "(declare-output Y real [1,2]) (declare-input N real [1,2]))"
    )
    bounds = "".join(
        f"(assert (>= {t}[0,{i}] 0.0))(assert (<= {t}[0,{i}] 1.0))" for t in "PN" for i in (0, 1)
    )
    ball = "(assert (<= (+ P[0,0] P[0,1] N[0,0] N[0,1]) 1.0))"
    answers = []
    for least in ("2.0", "2.1"):
        (tmp_path / "p.vnnlib").write_text(f"{head}{bounds}{ball}(assert (>= Y[0,0] {least}))")
        arguments = [str(tmp_path / "p.vnnlib"), "--network", f"f={tmp_path / 'f.onnx'}"]
        witness = tmp_path / "witness.txt"
        assert main(["solve", *arguments, "--json", "--witness", str(witness)]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert [told["verdict"] for told in answers] == ["sat", "unsat"]
    values = {name: tensor["exact"] for name, tensor in answers[0]["witness"].items()}
    assert values == {"P": ["1", "0"], "N": ["0", "0"], "Y": ["2", "0"]}
    assert main(["compile", *arguments, "-o", str(tmp_path / "out.smt2")]) == 0
    assert main(["compile", *arguments, "-o", str(tmp_path / "out.vnnlib")]) == 1
    assert "E1051" in capsys.readouterr().err


# folders and the command line ------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A benchmark of two points, one with a counterexample and one without, files compressed."""
    rng = np.random.default_rng(3)
    networks = [random_network(rng, 2, 3) for _ in range(2)]
    for number in itertools.count():
        points = [(rng.integers(-8, 9, 2) / 4).tolist() for _ in range(2)]
        problem = make_problem(networks, points, [number % 3] * 2, norm=Norm.LINF, radius=HALF)
        answers = [solve_instances([misclassification_instance(problem, j, [0, 1])]).answer for j in (0, 1)]
        if answers == [Answer.SAT, Answer.UNSAT]:
            write_instances(with_files(problem, tmp_path), tmp_path, seconds=30)
            break
    for path in [*tmp_path.glob("*/onnx/*"), *tmp_path.glob("*/vnnlib/*")]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    return tmp_path


def test_folders_run_as_they_stand(folder: Path) -> None:
    for version in ("1.0", "2.0"):
        lines = list(run_benchmark(folder / version / "instances.csv", Settings()))
        assert [line.word for line in lines] == ["sat", "unsat"]
        told = line_json(lines[0])
        assert (told["certified"], told["verdict"], told["line"]) == (True, "sat", 1)


def test_a_line_that_is_rejected_does_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "2.0" / "instances.csv"
    path.write_text(f"gone.onnx,vnnlib/gone.vnnlib,1\n{path.read_text()}")
    assert main(["solve", "--instances", str(path)]) == 1
    words = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert words == ["error", "sat", "unsat"]


def test_the_command_line_answers_a_property(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_network(IDENTITY, tmp_path / "f.onnx")
    bounds = "(assert (<= 0 X_0 1))(assert (<= 0 X_1 1))"
    head = "".join(f"(declare-const {name} Real)" for name in ("X_0", "X_1", "Y_0", "Y_1"))
    (tmp_path / "p.vnnlib").write_text(f"{head}{bounds}(assert (>= Y_0 0.5))")
    arguments = [str(tmp_path / "p.vnnlib"), "--network", str(tmp_path / "f.onnx")]
    witness = tmp_path / "witness.txt"
    assert main(["solve", *arguments, "--witness", str(witness), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    schema = Path(properties.__file__).with_name("instance.schema.json").read_text(encoding="utf-8")
    pytest.importorskip("jsonschema").validate(told, json.loads(schema))
    assert (told["verdict"], told["certified"]) == ("sat", True)
    assert Fraction(told["witness"]["X"]["exact"][0]) >= HALF
    assert witness.read_text().startswith("sat\n((X_0 ")
    assert main(["solve", *arguments]) == 0
    assert capsys.readouterr().out.startswith("verdict    sat\n")
    assert main(["solve", *arguments, "--solver", "cbc,highs"]) == 2
    assert main(["solve"]) == 2


@pytest.mark.parametrize("suffix", ["mps", "lp", "smt2", "vnnlib"])
def test_a_property_compiles(tmp_path: Path, suffix: str) -> None:
    save_network(IDENTITY, tmp_path / "f.onnx")
    (tmp_path / "p.vnnlib").write_text(SECOND)
    out = tmp_path / f"out.{suffix}"
    networks = [f"--network={name}={tmp_path / 'f.onnx'}" for name in "fg"]
    assert main(["compile", str(tmp_path / "p.vnnlib"), *networks, "-o", str(out)]) == 0
    first = out.read_bytes()
    assert main(["compile", str(tmp_path / "p.vnnlib"), *networks, "-o", str(out)]) == 0
    assert out.read_bytes() == first


def test_the_form_of_scripts_is_heeded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bent = dense((np.eye(2), np.zeros(2)), (np.array([[1.0, -1.0], [1.0, 1.0]]), np.zeros(2)), inputs=2)
    save_network(bent, tmp_path / "f.onnx")
    (tmp_path / "p.vnnlib").write_text(SECOND)
    networks = [f"--network={name}={tmp_path / 'f.onnx'}" for name in "fg"]
    texts = {}
    for relu in ("or", "ite"):
        out = tmp_path / f"{relu}.smt2"
        arguments = ["compile", str(tmp_path / "p.vnnlib"), *networks, "--relu", relu, "-o"]
        assert main([*arguments, str(out)]) == 0
        texts[relu] = out.read_text()
    assert ["(ite " in texts[relu] for relu in ("or", "ite")] == [False, True]
    for name in ("out.lp", "out.vnnlib"):
        assert main([*arguments, str(tmp_path / name)]) == 1
        assert "E1011" in capsys.readouterr().err


def test_cases_become_files_of_their_own(tmp_path: Path) -> None:
    save_network(IDENTITY, tmp_path / "f.onnx")
    head = "".join(f"(declare-const {name} Real)" for name in ("X_0", "X_1", "Y_0", "Y_1"))
    cases = "".join(f"(and (<= {k} X_0 {k + 1}) (<= 0 X_1 1))" for k in (0, 3))
    (tmp_path / "p.vnnlib").write_text(f"{head}(assert (or {cases}))(assert (>= Y_0 Y_1))")
    network = f"--network={tmp_path / 'f.onnx'}"
    assert main(["compile", str(tmp_path / "p.vnnlib"), network, "-o", str(tmp_path / "out.lp")]) == 0
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out-1.lp", "out-2.lp"]
    assert main(["compile", str(tmp_path / "p.vnnlib"), network, "-o", str(tmp_path / "out.txt")]) == 1


EXAMPLES = Path(__file__).parents[2] / "examples" / "digits"


def test_a_query_that_is_one_instance_becomes_a_property(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.vnnlib"
    assert main(["compile", str(EXAMPLES / "targeted.rq"), "-o", str(out)]) == 0
    assert read_property(Source("p", out.read_text())).version == 2
    assert main(["compile", str(EXAMPLES / "robust.rq"), "-o", str(out)]) == 1
    assert "E1055" in capsys.readouterr().err
    assert (
        main(["compile", str(EXAMPLES / "robust.rq"), "--split", str(tmp_path / "all"), "--format", "vnnlib"])
        == 0
    )
    assert (tmp_path / "all/questions/2.0/instances.csv").is_file()


@pytest.mark.parametrize("seed", range(4))
def test_merged_networks_have_the_answers_of_their_members(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    networks = [random_network(rng, 2, 3) for _ in range(2)]
    points = (rng.integers(-8, 9, (2, 2)) / 4).tolist()
    problem = with_files(make_problem(networks, points, [0, 1], radius=Fraction(3, 4)), tmp_path)
    write_instances(problem, tmp_path / "all", [(0, 1), (1,)], seconds=30)
    patterns = [(j, pattern) for j in (0, 1) for pattern in ([0, 1], [1])]
    direct = [solve_instances([misclassification_instance(problem, *each)]).answer.value for each in patterns]
    for version in ("1.0", "2.0"):
        lines = run_benchmark(tmp_path / "all" / version / "instances.csv", Settings())
        assert [line.word for line in lines] == direct


@pytest.mark.parametrize("solver", ["cbc", "highs", "z3", "cvc5"])
def test_every_kind_of_solver_answers(solver: str) -> None:
    pytest.importorskip({"cbc": "mip", "highs": "highspy"}.get(solver, solver))
    weight = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    network = dense((weight, np.zeros(3)), (np.array([[1.0, -1.0, -1.0]]), np.zeros(1)), inputs=2)
    reader = Reader("f", network, np.arange(2))
    (back_end,) = choose_solvers(solver)
    bent = Atom((2,), (ONE,), Fraction(13, 10)), Atom((0,), (-ONE,), -Fraction(7, 10))
    instance = Instance("n", (-ONE, -ONE), (ONE, ONE), (reader,), All(bent))
    assert solve_instances([instance], Settings(solver=back_end)).answer is Answer.SAT
    closed = Instance("n", (-ONE, -ONE), (ONE, ONE), (reader,), All((*bent, Atom((1,), (-ONE,), -HALF))))
    result = solve_instances([closed], Settings(solver=back_end))
    assert result.answer is Answer.UNSAT
    assert result.proofs[0].solver != "ensc"
