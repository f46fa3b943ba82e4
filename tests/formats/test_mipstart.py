import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from ensc.formats.mipstart import StartForm, write_start
from ensc.formats.numbers import canonical

NAMES = ["p_1", "d_1_1_1", "z_1_2"]
VALUES = np.array([1.0, -1 / 3, 0.0])


def text(form: StartForm) -> str:
    return b"".join(write_start("joint", NAMES, VALUES, -0.25, form)).decode("ascii")


def test_gurobi_reads_names_and_values() -> None:
    assert text("gurobi") == "# MIP start of joint\np_1 1\nd_1_1_1 -0.3333333333333333\nz_1_2 0\n"


@pytest.mark.parametrize("form", ["highs", "scip"])
def test_highs_and_scip_read_what_miplib_keeps(form: StartForm) -> None:
    assert text(form) == "=obj= -0.25\np_1 1\nd_1_1_1 -0.3333333333333333\nz_1_2 0\n"


def test_cbc_skips_the_line_that_starts_with_no_digit() -> None:
    first, *rest = text("cbc").splitlines()
    assert not first[0].isdigit()
    assert rest == ["0 p_1 1 0", "1 d_1_1_1 -0.3333333333333333 0", "2 z_1_2 0 0"]


def test_cplex_reads_a_document() -> None:
    root = ET.fromstring(text("cplex"))  # noqa: S314 - our own text
    found = [(v.get("name"), v.get("index"), v.get("value")) for v in root.iter("variable")]
    numbers = canonical(VALUES)
    assert found == [(name, str(i), numbers[i]) for i, name in enumerate(NAMES)]
    assert [h.get("problemName") for h in root.iter("header")] == ["joint"]


@pytest.mark.parametrize("form", ["gurobi", "cplex", "cbc", "highs"])
def test_every_value_reads_back_as_it_was(form: StartForm) -> None:
    values = np.random.default_rng(0).normal(size=100) * 10.0 ** np.arange(-50, 50)
    names = [f"x_{i}" for i in range(100)]
    written = b"".join(write_start("m", names, values, 0.0, form)).decode("ascii")
    found = re.findall(r"(x_\d+)(?: |\" index=\"\d+\" value=\")(\S+?)(?:\"/>| 0)?\n", written)
    assert [(name, float(value)) for name, value in found] == list(zip(names, values.tolist(), strict=True))
