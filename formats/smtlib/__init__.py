"""SMT-LIB 2.6 scripts: the piecewise-linear `Model` as it stands, in exact arithmetic.

Rectifiers, maxima, products, clauses and conditional rows have a form of their own here, and every float64
is written with all its digits, so a script says exactly what the model says. Answers of SMT solvers are
read by `formats/solutions/smt.py`.
"""

from ensc.formats.smtlib.piecewise import Relu
from ensc.formats.smtlib.write import Dialect, Status, write_smtlib

__all__ = ["Dialect", "Relu", "Status", "write_smtlib"]
