"""The syntax tree of a `.rq` query: one frozen class a rule, every node with its span."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ensc.compiler.diagnostics import Source, Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier or a word of the language."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Number:
    """An exact rational number, as written."""

    value: Fraction
    span: Span


@dataclass(frozen=True, slots=True)
class String:
    """A quoted string, without its quotes."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Infinity:
    """`inf` or `-inf` at an end of an interval."""

    positive: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Negation:
    """`- operand`."""

    operand: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right`."""

    operator: Literal["+", "-", "*", "/"]
    left: "Expression"
    right: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`first..last` inside a list, both ends included."""

    first: "Expression"
    last: "Expression"
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    """`[item, item, ...]`; items may be lists."""

    items: tuple["Expression | Range | List", ...]
    span: Span


Expression = Name | Number | String | Negation | Arithmetic


@dataclass(frozen=True, slots=True)
class Interval:
    """`[lower, upper]`, both ends included."""

    lower: Expression | Infinity
    upper: Expression | Infinity
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator bound`, what stands to its left being given by the context."""

    operator: Literal["<", "<=", ">", ">="]
    bound: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """`value` or `name = value` in a call."""

    name: Name | None
    value: Expression | List
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`function(argument, ...)`: a source of networks or data, or a targeted loss."""

    function: Name
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Include:
    """`include "path";`."""

    path: String
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """`param name: type domain = default;`."""

    name: Name
    type: Name
    domain: Interval | Comparison | None
    default: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class MemberDefinition:
    """`name = onnx("path", ...);` inside an ensemble."""

    name: Name
    call: Call
    span: Span


@dataclass(frozen=True, slots=True)
class EnsembleDefinition:
    """`ensemble name { members }`."""

    name: Name
    members: tuple[MemberDefinition, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DataDefinition:
    """`data name = source(...);`."""

    name: Name
    call: Call
    span: Span


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of an `input`, `attack` or `loss` statement: a word, and what follows it.

    `norm L1` is Clause(norm, Name L1); `zero_one` has no value; `domain unbounded` and `count auto`
    have a Name; `targeted(label = 3)` has a Call.
    """

    word: Name
    value: Expression | Interval | Call | None
    span: Span


@dataclass(frozen=True, slots=True)
class InputStatement:
    """`input domain [0, 1], layout NCHW;`."""

    clauses: tuple[Clause, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class AttackStatement:
    """`attack norm L1, radius epsilon, count auto;`."""

    clauses: tuple[Clause, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class LossStatement:
    """`loss zero_one, ties misclassified;`."""

    clauses: tuple[Clause, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CheckGoal:
    """`check value < alpha;`."""

    comparison: Comparison
    span: Span


@dataclass(frozen=True, slots=True)
class MaximizeGoal:
    """`maximize value;` or `maximize total;`, optionally `such that value >= alpha`."""

    quantity: Name
    such_that: Comparison | None
    span: Span


@dataclass(frozen=True, slots=True)
class MinimizeGoal:
    """`minimize epsilon such that value >= alpha;`."""

    parameter: Name
    such_that: Comparison
    span: Span


@dataclass(frozen=True, slots=True)
class ProfileGoal:
    """`profile value over epsilon in [0, 100];`."""

    parameter: Name
    interval: Interval
    span: Span


Goal = CheckGoal | MaximizeGoal | MinimizeGoal | ProfileGoal


@dataclass(frozen=True, slots=True)
class ExpectVerdict:
    """`expect robust;`, `expect not_robust;`, `expect robust_up_to(2);`, `expect unknown;`."""

    verdict: Name
    count: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectNumber:
    """`expect value = 3/4 within 1e-6;`: the quantity is `value`, `total` or a parameter."""

    quantity: Name
    value: Expression
    within: Expression | None
    span: Span


Expect = ExpectVerdict | ExpectNumber


@dataclass(frozen=True, slots=True)
class MetaEntry:
    """`key = "text";` inside meta."""

    key: Name
    value: String
    span: Span


@dataclass(frozen=True, slots=True)
class Meta:
    """`meta { entries }`."""

    entries: tuple[MetaEntry, ...]
    span: Span


Statement = (
    Include
    | Parameter
    | EnsembleDefinition
    | DataDefinition
    | InputStatement
    | AttackStatement
    | LossStatement
    | Goal
    | Expect
    | Meta
)


@dataclass(frozen=True, slots=True)
class Comment:
    """A `//` comment, its text with the slashes."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class QueryFile:
    """One file as parsed: its version, its statements in order, its comments in order."""

    source: Source
    version: Number
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]
