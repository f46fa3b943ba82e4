import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from ensc.compiler.types.network import Network
from ensc.compiler.types.problem import Check, EnsembleProblem, Goal, MaximizeTotal, MaximizeValue
from ensc.compiler.types.solution import Attack, Proof, Solution, Status
from ensc.runner.exact.certify import certify
from ensc.runner.exact.replay import Agreement, Difference
from ensc.runner.reports.report import exact_text, result_json, save_attack
from ensc.runner.reports.show import render_result
from ensc.runner.verdicts.result import Result
from ensc.runner.verdicts.verdict import judge

F = Fraction
Maker = Callable[..., EnsembleProblem]
Dense = Callable[..., Network]
BOTH = Attack((F(1, 2), F(1, 2)), (((F(1), F(0)),) * 2, ((F(-1), F(1, 3)),) * 2))
PROOF = Proof("CBC 2.10", 1e-6, "the model is infeasible")
DIFFERS = Agreement(8, (Difference(0, 1, 1, exact=True, margin=-1e-9),), ())


@pytest.fixture(scope="session")
def answered(make_network: Dense, make_problem: Maker) -> Callable[..., Result]:
    def make(
        goal: Goal,
        status: Status = Status.OPTIMAL,
        attack: Attack | None = None,
        *,
        bound: float | None = None,
        agreement: Agreement | None = None,
        **options: object,
    ) -> Result:
        networks = [make_network(([[0, 0], [s, 0]], [0, -1])) for s in (1, -1)]
        problem = make_problem(networks, [[0.0, 0.0]] * 2, [0, 0], radius=1, goal=goal, **options)
        certificate = None if attack is None else certify(problem, attack)
        solution = Solution(status, {}, None, bound, "as it says")
        verdict = judge(problem, solution, attack, certificate, PROOF, problem.threat.count)
        return Result(problem, verdict, solution, agreement, {"compile": 0.25, "solve": 1.5})

    return make


@pytest.fixture(scope="session")
def every(answered: Callable[..., Result]) -> dict[str, Result]:
    """One result for each word, and the special cases."""
    return {
        "robust": answered(Check(F(3, 4)), Status.INFEASIBLE),
        "robust_up_to_k": answered(Check(F(3, 4)), Status.INFEASIBLE, count=1),
        "not_robust": answered(Check(F(1, 3)), attack=BOTH, agreement=DIFFERS),
        "optimal": answered(MaximizeValue(), attack=BOTH, bound=-0.5),
        "total": answered(MaximizeTotal(F(1, 4)), attack=BOTH, bound=-2.0),
        "unknown": answered(Check(F(3, 4)), Status.UNKNOWN),
        "interval": answered(MaximizeValue(), Status.FEASIBLE, BOTH, bound=-0.8),
    }


def test_json_satisfies_its_schema(every: dict[str, Result]) -> None:
    text = resources.files("ensc.runner.reports").joinpath("result.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    for result in every.values():
        told = json.loads(json.dumps(result_json(result, (F(1, 3), F(2, 3))), allow_nan=False))
        jsonschema.validate(told, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**told, "surprise": 1}, schema)


def test_json_tells_the_verdict_exactly(every: dict[str, Result]) -> None:
    words = {name: result_json(result)["verdict"] for name, result in every.items()}
    assert words == {name: name for name in words} | {"total": "optimal", "interval": "unknown"}
    found: Any = result_json(every["not_robust"])
    assert (found["value"], found["value_float"], found["upper"]) == ("1/2", 0.5, "1")
    assert found["certified"] is True
    assert found["attack"]["probabilities"] == ["1/2", "1/2"]
    assert found["attack"]["perturbations"][1][0] == ["-1", "1/3"]
    assert found["attack"]["perturbations_float"][1][0] == [-1.0, 1 / 3]
    assert found["attack"]["fooled"] == [[["f1"], ["f1"]], [["f2"], ["f2"]]]
    assert found["attack"]["norms"] == [["1", "1"], ["1", "1"]]
    assert found["float32"]["differences"] == [
        {"attack": 1, "point": 2, "member": 2, "exact": True, "margin": -1e-9}
    ]
    assert found["seconds"] == {"compile": 0.25, "solve": 1.5, "total": 1.75}


def test_json_of_a_proof_has_no_value(every: dict[str, Result]) -> None:
    told: Any = result_json(every["robust"])
    assert told["value"] is None
    assert told["certified"] is False
    assert told["attack"] is None
    assert told["defender"] is None
    assert told["proof"] == [{"solver": "CBC 2.10", "tolerance": 1e-6, "claim": "the model is infeasible"}]


def test_the_verdict_in_words(every: dict[str, Result]) -> None:
    lines = {name: render_result(result).splitlines()[1] for name, result in every.items()}
    assert lines == {
        "robust": "verdict  robust: no attack has value 0.75 or more",
        "robust_up_to_k": "verdict  robust against mixtures of 1 attack: none has value 0.75 or more; "
        "nothing is said about more attacks",
        "not_robust": "verdict  not robust: the attack below has value 0.5, replayed exactly",
        "optimal": "verdict  optimal: the largest value is 0.5",
        "total": "verdict  optimal: the largest total is 2",
        "unknown": "verdict  unknown: the largest value is in [0, 1]; no attack is certified",
        "interval": "verdict  unknown: the largest value is in [0.5, 0.800001]; "
        "the attack below is certified",
    }


def test_the_whole_answer(every: dict[str, Result]) -> None:
    assert render_result(every["not_robust"]) == (
        "query    query: 2 members, 2 points, 2 inputs, 2 classes; norm Linf, radius 1, 2 attacks; "
        "check value < 1/3\n"
        "verdict  not robust: the attack below has value 0.5, replayed exactly\n"
        "value    0.5, the least of the members' values below\n"
        "total    2, the expected losses of all members at all points\n"
        "\n"
        "  attack | probability | point | label | Linf <= 1 | fools\n"
        " --------+-------------+-------+-------+-----------+-------\n"
        "  1      | 0.5         | 1     | 0     | 1         | f1\n"
        "  1      | 0.5         | 2     | 0     | 1         | f1\n"
        "  2      | 0.5         | 1     | 0     | 1         | f2\n"
        "  2      | 0.5         | 2     | 0     | 1         | f2\n"
        "\n"
        "  member | file    | value\n"
        " --------+---------+-------\n"
        "  f1     | f1.onnx | 0.5\n"
        "  f2     | f2.onnx | 0.5\n"
        "\n"
        "float32  onnxruntime agrees on 7 of 8 losses; differs at attack 1 point 2 member 2 "
        "(margin -1e-09)\n"
        "seconds  1.75 (compile 0.25, solve 1.50)\n"
    )


def test_proofs_and_reasons_are_shown(every: dict[str, Result]) -> None:
    assert "proof    CBC 2.10, feasibility tolerance 1e-06: the model is infeasible\n" in render_result(
        every["robust"]
    )
    assert "note     as it says\n" in render_result(every["unknown"])


def test_long_tables_are_cut(answered: Callable[..., Result]) -> None:
    result = answered(MaximizeValue(), attack=BOTH)
    many = Attack((F(1, 40),) * 40, (((F(0), F(0)),) * 2,) * 40)
    problem = result.problem
    verdict = judge(problem, result.solution, many, certify(problem, many), None, 2)
    assert verdict.attack is None  # more attacks than the query allows
    wide = answered(MaximizeValue(), attack=many, count=40)
    assert "  and 20 more rows; `--json` has all\n" in render_result(wide)


def test_without_rich_the_rows_are_lines(tmp_path: Path) -> None:
    script = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "rich" else find(name, *rest)
from ensc.runner.reports.show import _table
print(*_table((("attack", "fools"), [("1", "f1 f2"), ("2", "-")])), sep="\\n")
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ran.stdout == "  attack 1, fools f1 f2\n  attack 2, fools -\n"


def test_saved_arrays(every: dict[str, Result], tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_attack(tmp_path / name, every["not_robust"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["perturbations"].shape == arrays["attacked"].shape == (2, 2, 2)
        assert arrays["perturbations"][1, 0].tolist() == [-1.0, 1 / 3]
        assert arrays["losses"].tolist() == [[[True, False]] * 2, [[False, True]] * 2]
        assert arrays["value"] == 0.5


def test_numbers_of_any_length_are_written_exactly() -> None:
    assert exact_text(F(-5, 8)) == "-5/8"
    assert exact_text(F(7)) == "7"
    long = exact_text(F(10**6000, 3**9000))
    assert len(long) > 10_000
    assert long.startswith("1" + "0" * 6000 + "/")
