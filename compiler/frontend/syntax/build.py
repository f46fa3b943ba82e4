"""From Lark's tree to the syntax tree: one method for each rule of `query.lark`.

Lark hands a method the children of its rule in the order of the grammar, with None for an optional
part that is absent; the annotations state what the grammar guarantees.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from lark import Token, Tree, v_args
from lark.tree import Meta as Place
from lark.visitors import Transformer_NonRecursive

from ensc.compiler.diagnostics import Source, Span
from ensc.compiler.types.syntax import (
    Argument,
    Arithmetic,
    AttackStatement,
    Call,
    CheckGoal,
    Clause,
    Comment,
    Comparison,
    DataDefinition,
    EnsembleDefinition,
    ExpectNumber,
    ExpectVerdict,
    Expression,
    Include,
    Infinity,
    InputStatement,
    Interval,
    List,
    LossStatement,
    MaximizeGoal,
    MemberDefinition,
    Meta,
    MetaEntry,
    MinimizeGoal,
    Name,
    Negation,
    Number,
    Parameter,
    ProfileGoal,
    QueryFile,
    Range,
    Statement,
    String,
)

Value: TypeAlias = Expression | List


def build_query(tree: Tree[Token], source: Source, comments: tuple[Comment, ...]) -> QueryFile:
    """Return the syntax tree of a file, from Lark's tree of it."""
    version, statements = _Builder(source).transform(tree)
    return QueryFile(source, version, statements, comments)


def build_expression(tree: Tree[Token], source: Source) -> Expression:
    """Return the syntax tree of an expression, from Lark's tree of it."""
    expression: Expression = _Builder(source).transform(tree)
    return expression


@dataclass(frozen=True, slots=True)
class _Arguments:
    """The parenthesised part of a clause, until the clause makes a call of it."""

    arguments: tuple[Argument, ...]
    end: int


def _end(expression: Expression) -> Expression | Infinity:
    """Read `inf` and `-inf` at an end of an interval as what they mean there."""
    match expression:
        case Name(text="inf"):
            return Infinity(positive=True, span=expression.span)
        case Negation(operand=Name(text="inf")):
            return Infinity(positive=False, span=expression.span)
        case _:
            return expression


@v_args(meta=True, inline=True)
class _Builder(Transformer_NonRecursive[Token, Any]):
    """Does not recurse: the nesting of a query costs no Python stack."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def _span(self, place: Place) -> Span:
        return Span(self.source, place.start_pos, place.end_pos)

    def _at(self, token: Token) -> Span:
        assert token.start_pos is not None
        return Span(self.source, token.start_pos, token.start_pos + len(token))

    def query(
        self, _place: Place, version: Number, *statements: Statement
    ) -> tuple[Number, tuple[Statement, ...]]:
        return version, statements

    def version(self, _place: Place, number: Number) -> Number:
        return number

    # Declarations.

    def include(self, place: Place, path: String) -> Include:
        return Include(path, self._span(place))

    def parameter(
        self,
        place: Place,
        name: Name,
        kind: Name,
        domain: Interval | Comparison | None,
        default: Expression | None,
    ) -> Parameter:
        return Parameter(name, kind, domain, default, self._span(place))

    def ensemble(self, place: Place, name: Name, *members: MemberDefinition) -> EnsembleDefinition:
        return EnsembleDefinition(name, members, self._span(place))

    def member(self, place: Place, name: Name, call: Call) -> MemberDefinition:
        return MemberDefinition(name, call, self._span(place))

    def data(self, place: Place, name: Name, call: Call) -> DataDefinition:
        return DataDefinition(name, call, self._span(place))

    def meta(self, place: Place, *entries: MetaEntry) -> Meta:
        return Meta(entries, self._span(place))

    def entry(self, place: Place, key: Name, value: String) -> MetaEntry:
        return MetaEntry(key, value, self._span(place))

    # The threat model.

    def input(self, place: Place, *clauses: Clause) -> InputStatement:
        return InputStatement(clauses, self._span(place))

    def attack(self, place: Place, *clauses: Clause) -> AttackStatement:
        return AttackStatement(clauses, self._span(place))

    def loss(self, place: Place, *clauses: Clause) -> LossStatement:
        return LossStatement(clauses, self._span(place))

    def clause(self, place: Place, word: Name, value: Expression | Interval | _Arguments | None) -> Clause:
        span = self._span(place)
        if isinstance(value, _Arguments):
            return Clause(word, Call(word, value.arguments, span), span)
        return Clause(word, value, span)

    def arguments(self, place: Place, *arguments: Argument) -> _Arguments:
        return _Arguments(arguments, place.end_pos)

    # Goals and expectations.

    def check(self, place: Place, comparison: Comparison) -> CheckGoal:
        return CheckGoal(comparison, self._span(place))

    def maximize(self, place: Place, quantity: Name, such_that: Comparison | None) -> MaximizeGoal:
        return MaximizeGoal(quantity, such_that, self._span(place))

    def minimize(self, place: Place, parameter: Name, such_that: Comparison) -> MinimizeGoal:
        return MinimizeGoal(parameter, such_that, self._span(place))

    def profile(self, place: Place, parameter: Name, interval: Interval) -> ProfileGoal:
        return ProfileGoal(parameter, interval, self._span(place))

    def expect_verdict(self, place: Place, verdict: Name, count: Expression | None) -> ExpectVerdict:
        return ExpectVerdict(verdict, count, self._span(place))

    def expect_number(
        self, place: Place, quantity: Name, value: Expression, within: Expression | None
    ) -> ExpectNumber:
        return ExpectNumber(quantity, value, within, self._span(place))

    # Calls, domains, expressions.

    def call(self, place: Place, function: Name, *arguments: Argument) -> Call:
        return Call(function, arguments, self._span(place))

    def named(self, place: Place, name: Name, value: Value) -> Argument:
        return Argument(name, value, self._span(place))

    def positional(self, place: Place, value: Value) -> Argument:
        return Argument(None, value, self._span(place))

    def list(self, place: Place, *items: Value | Range) -> List:
        return List(items, self._span(place))

    def range(self, place: Place, first: Expression, last: Expression) -> Range:
        return Range(first, last, self._span(place))

    def interval(self, place: Place, lower: Expression, upper: Expression) -> Interval:
        return Interval(_end(lower), _end(upper), self._span(place))

    def comparison(self, place: Place, operator: Token, bound: Expression) -> Comparison:
        # The terminal COMPARE spells the four operators and nothing else.
        return Comparison(operator.value, bound, self._span(place))

    def add(self, place: Place, left: Expression, right: Expression) -> Arithmetic:
        return Arithmetic("+", left, right, self._span(place))

    def subtract(self, place: Place, left: Expression, right: Expression) -> Arithmetic:
        return Arithmetic("-", left, right, self._span(place))

    def multiply(self, place: Place, left: Expression, right: Expression) -> Arithmetic:
        return Arithmetic("*", left, right, self._span(place))

    def divide(self, place: Place, left: Expression, right: Expression) -> Arithmetic:
        return Arithmetic("/", left, right, self._span(place))

    def negate(self, place: Place, operand: Expression) -> Negation:
        return Negation(operand, self._span(place))

    def NUMBER(self, token: Token) -> Number:  # noqa: N802 - the terminal's name
        return Number(Fraction(token.value), self._at(token))

    def STRING(self, token: Token) -> String:  # noqa: N802 - the terminal's name
        return String(token.value[1:-1], self._at(token))

    def NAME(self, token: Token) -> Name:  # noqa: N802 - the terminal's name
        return Name(token.value, self._at(token))

    # The words that are keywords elsewhere.
    IN = OVER = SUCH = THAT = VALUE = WITHIN = NAME
