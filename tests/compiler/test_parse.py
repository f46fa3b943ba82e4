"""The grammar of the query language, the places of its nodes, and its syntax errors."""

import time
from fractions import Fraction

import pytest
from query_strategies import without_places

from ensc.compiler.diagnostics import Diagnostic, Rejected, Source, Span
from ensc.compiler.frontend.syntax.grammar import HEADER, STATEMENTS, grammar
from ensc.compiler.frontend.syntax.mistakes import MISTAKES, Mistake
from ensc.compiler.frontend.syntax.parse import LARGEST, parse_expression, parse_query
from ensc.compiler.frontend.syntax.spelling import MOST_ERRORS
from ensc.compiler.render import render_text
from ensc.compiler.types.syntax import (
    Argument,
    Arithmetic,
    AttackStatement,
    Call,
    CheckGoal,
    Clause,
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

NOWHERE = Span(Source("", ""), 0, 0)


def name(text: str) -> Name:
    return Name(text, NOWHERE)


def number(value: Fraction | int | str) -> Number:
    return Number(Fraction(value), NOWHERE)


def string(value: str) -> String:
    return String(value, NOWHERE)


def call(function: str, *arguments: Argument) -> Call:
    return Call(name(function), arguments, NOWHERE)


def argument(value: Expression | List, word: str | None = None) -> Argument:
    return Argument(name(word) if word else None, value, NOWHERE)


def clause(word: str, value: Expression | Interval | Call | None = None) -> Clause:
    return Clause(name(word), value, NOWHERE)


def numbers(*values: int) -> List:
    return List(tuple(map(number, values)), NOWHERE)


ALPHA = Comparison(">=", name("alpha"), NOWHERE)
EIGHTH = Arithmetic("/", number(8), number(255), NOWHERE)


def parse(text: str) -> QueryFile:
    return parse_query(Source("q.rq", text))


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(Rejected) as caught:
        parse(text)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('include "digits.rqi";', Include(string("digits.rqi"), NOWHERE)),
        (
            "param epsilon: real >= 0 = 60;",
            Parameter(
                name("epsilon"),
                name("real"),
                Comparison(">=", number(0), NOWHERE),
                number(60),
                NOWHERE,
            ),
        ),
        (
            "param alpha: real in [-inf, inf] = 8/255;",
            Parameter(
                name("alpha"),
                name("real"),
                Interval(Infinity(False, NOWHERE), Infinity(True, NOWHERE), NOWHERE),
                EIGHTH,
                NOWHERE,
            ),
        ),
        ("param k: int;", Parameter(name("k"), name("int"), None, None, NOWHERE)),
        (
            'ensemble C { f1 = onnx("f1.onnx"); f2 = onnx("f2.onnx", input = "x"); }',
            EnsembleDefinition(
                name("C"),
                (
                    MemberDefinition(name("f1"), call("onnx", argument(string("f1.onnx"))), NOWHERE),
                    MemberDefinition(
                        name("f2"),
                        call("onnx", argument(string("f2.onnx")), argument(string("x"), "input")),
                        NOWHERE,
                    ),
                ),
                NOWHERE,
            ),
        ),
        ("ensemble C {}", EnsembleDefinition(name("C"), (), NOWHERE)),
        (
            'data X = npz("p.npz", rows = [0, 3, 5..6], scale = 8/255);',
            DataDefinition(
                name("X"),
                call(
                    "npz",
                    argument(string("p.npz")),
                    argument(
                        List((number(0), number(3), Range(number(5), number(6), NOWHERE)), NOWHERE),
                        "rows",
                    ),
                    argument(EIGHTH, "scale"),
                ),
                NOWHERE,
            ),
        ),
        (
            "data X = points([[0, 8/255], [3, 4], []], labels = [0, 1]);",
            DataDefinition(
                name("X"),
                call(
                    "points",
                    argument(List((List((number(0), EIGHTH), NOWHERE), numbers(3, 4), numbers()), NOWHERE)),
                    argument(numbers(0, 1), "labels"),
                ),
                NOWHERE,
            ),
        ),
        (
            "input domain [0, 255], layout NCHW;",
            InputStatement(
                (
                    clause("domain", Interval(number(0), number(255), NOWHERE)),
                    clause("layout", name("NCHW")),
                ),
                NOWHERE,
            ),
        ),
        ("input domain unbounded;", InputStatement((clause("domain", name("unbounded")),), NOWHERE)),
        (
            "attack norm L1, radius epsilon, count auto;",
            AttackStatement(
                (
                    clause("norm", name("L1")),
                    clause("radius", name("epsilon")),
                    clause("count", name("auto")),
                ),
                NOWHERE,
            ),
        ),
        (
            "attack radius (a + 1)*2, count (3);",
            AttackStatement(
                (
                    clause(
                        "radius",
                        Arithmetic(
                            "*",
                            Arithmetic("+", name("a"), number(1), NOWHERE),
                            number(2),
                            NOWHERE,
                        ),
                    ),
                    clause("count", number(3)),
                ),
                NOWHERE,
            ),
        ),
        (
            "loss zero_one, ties misclassified;",
            LossStatement((clause("zero_one"), clause("ties", name("misclassified"))), NOWHERE),
        ),
        (
            "loss targeted(label = 3), margin 1e-6;",
            LossStatement(
                (
                    clause("targeted", call("targeted", argument(number(3), "label"))),
                    clause("margin", number("1e-6")),
                ),
                NOWHERE,
            ),
        ),
        (
            "loss a(), b(1, 2), c([3]);",
            LossStatement(
                (
                    clause("a", call("a")),
                    clause("b", call("b", argument(number(1)), argument(number(2)))),
                    clause("c", call("c", argument(numbers(3)))),
                ),
                NOWHERE,
            ),
        ),
        ("check value < alpha;", CheckGoal(Comparison("<", name("alpha"), NOWHERE), NOWHERE)),
        ("maximize value;", MaximizeGoal(name("value"), None, NOWHERE)),
        ("maximize total;", MaximizeGoal(name("total"), None, NOWHERE)),
        (
            "maximize total such that value >= alpha;",
            MaximizeGoal(name("total"), ALPHA, NOWHERE),
        ),
        (
            "minimize epsilon such that value >= alpha;",
            MinimizeGoal(name("epsilon"), ALPHA, NOWHERE),
        ),
        (
            "profile value over epsilon in [0, 100];",
            ProfileGoal(name("epsilon"), Interval(number(0), number(100), NOWHERE), NOWHERE),
        ),
        ("expect not_robust;", ExpectVerdict(name("not_robust"), None, NOWHERE)),
        ("expect robust_up_to(2);", ExpectVerdict(name("robust_up_to"), number(2), NOWHERE)),
        (
            "expect value = 8/255 within 1e-6;",
            ExpectNumber(name("value"), EIGHTH, number("1e-6"), NOWHERE),
        ),
        ("expect epsilon = 0.5;", ExpectNumber(name("epsilon"), number("1/2"), None, NOWHERE)),
        (
            'meta { source = "..."; license = "MIT"; }',
            Meta(
                (
                    MetaEntry(name("source"), string("..."), NOWHERE),
                    MetaEntry(name("license"), string("MIT"), NOWHERE),
                ),
                NOWHERE,
            ),
        ),
        ("meta {}", Meta((), NOWHERE)),
    ],
)
def test_every_statement_has_its_tree(text: str, expected: Statement) -> None:
    query = parse(f"rq 1.0; {text}")
    assert without_places(query.statements) == without_places((expected,))


def test_a_file_has_its_version_its_statements_and_its_comments_in_order() -> None:
    query = parse('// one\nrq 1.0; // two  \ninclude "a"; meta {} // three')
    assert query.version.value == 1
    assert [type(s).__name__ for s in query.statements] == ["Include", "Meta"]
    assert [c.text for c in query.comments] == ["// one", "// two", "// three"]
    assert [c.span.text for c in query.comments] == ["// one", "// two", "// three"]


def expression(text: str) -> Expression:
    return parse_expression(Source("q", text), 0, len(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 - 2 - 3", ("-", ("-", 1, 2), 3)),
        ("1 + 2 * 3", ("+", 1, ("*", 2, 3))),
        ("(1 + 2) * 3", ("*", ("+", 1, 2), 3)),
        ("8 / 4 / 2", ("/", ("/", 8, 4), 2)),
        ("-1 * 2", ("*", ("-", 1), 2)),
        ("- - 1", ("-", ("-", 1))),
        ("1 - -2", ("-", 1, ("-", 2))),
        ("2.50", Fraction(5, 2)),
        ("1e-3", Fraction(1, 1000)),
        ("25E+1", 250),
        ("007", 7),
    ],
)
def test_expressions_bind_as_in_arithmetic_and_numbers_are_exact(text: str, expected: object) -> None:
    def shape(node: Expression) -> object:
        match node:
            case Arithmetic():
                return (node.operator, shape(node.left), shape(node.right))
            case Negation():
                return ("-", shape(node.operand))
            case Number():
                return node.value
            case _:
                raise TypeError(node)

    assert shape(expression(text)) == expected


@pytest.mark.parametrize("word", [HEADER, *STATEMENTS, "in", "over", "such", "that", "within", "x"])
def test_keywords_are_names_wherever_a_name_is_expected(word: str) -> None:
    parsed = parse(
        f"rq 1.0; param {word}: {word} in [{word}, 1] = {word}; data {word} = {word}({word} = {word});"
        f"ensemble {word} {{ {word} = {word}([{word}]); }} attack {word} {word}, {word};"
        f"minimize {word} such that value >= {word}; profile value over {word} in [0, 1];"
        f'expect {word} = {word} within {word}; meta {{ {word} = "x"; }}'
    )
    assert len(parsed.statements) == 8


def test_statement_words_are_those_of_the_grammar() -> None:
    words = {t.name.lower() for t in grammar().terminals if t.pattern.value.isalpha()}
    assert words - {"in", "over", "such", "that", "value", "within"} == {HEADER, *STATEMENTS}


@pytest.mark.parametrize("word", ["value", "total", "inf", "auto", "unbounded", "true", "false"])
def test_words_that_would_be_ambiguous_name_no_parameter(word: str) -> None:
    (error,) = mistakes(f"rq 1.0;\nparam {word}: real = 1;")
    assert error.code == "E0122"
    assert error.place is not None
    assert error.place.span.text == word


def test_every_node_knows_its_place() -> None:
    text = """rq 1.0;
param alpha: real in [0, (1 + 2)*3] = 2/5; // why
attack norm L1, radius (a + 1) * 2;
data X = npz("p.npz", rows = [0, 5..6]);
"""
    parameter, attack, data = parse(text).statements
    assert isinstance(parameter, Parameter)
    assert isinstance(attack, AttackStatement)
    assert isinstance(data, DataDefinition)
    assert isinstance(parameter.domain, Interval)
    rows = data.call.arguments[1]
    assert isinstance(rows.value, List)
    assert [
        node.span.text
        for node in (
            parameter,
            parameter.name,
            parameter.type,
            parameter.domain,
            parameter.domain.upper,
            attack,
            attack.clauses[1],
            data.call,
            data.call.arguments[0].value,
            rows,
            rows.value.items[1],
        )
    ] == [
        "param alpha: real in [0, (1 + 2)*3] = 2/5",
        "alpha",
        "real",
        "[0, (1 + 2)*3]",
        "(1 + 2)*3",
        "attack norm L1, radius (a + 1) * 2",
        "radius (a + 1) * 2",
        'npz("p.npz", rows = [0, 5..6])',
        '"p.npz"',
        "rows = [0, 5..6]",
        "5..6",
    ]


def test_expressions_inside_a_larger_text_know_their_place() -> None:
    source = Source("command line", "-D epsilon=1/2 + x")
    parsed = parse_expression(source, 11, len(source.text))
    assert isinstance(parsed, Arithmetic)
    assert parsed.span == Span(source, 11, len(source.text))
    assert parsed.right.span.text == "x"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "E0114", ""),
        ("1 +", "E0114", ""),
        ("1 2", "E0109", "2"),
        ("(1", "E0109", ""),
        ("[1, 2]", "E0114", "["),
        ("1e9999", "E0110", "1e9999"),
        ("one.two", "E0123", "one.two"),
        ("check", "", ""),
        ("-" * 65 + "1", "E0112", "-"),
    ],
)
def test_expressions_that_are_none(text: str, code: str, place: str) -> None:
    if not code:
        assert isinstance(expression(text), Name)
        return
    with pytest.raises(Rejected) as caught:
        expression(text)
    (error,) = caught.value.diagnostics
    assert error.code == code
    assert error.place is not None
    assert error.place.span.text == place


EXAMPLES = [(mistake, text) for mistake in MISTAKES for text in mistake.examples]


@pytest.mark.parametrize(("mistake", "text"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_each_example_of_a_mistake_gets_its_message_and_no_other(mistake: Mistake, text: str) -> None:
    for before in ("rq 1.0;", "rq 1.0;\nparam a: real;\nparam b: real;\n"):
        (error,) = mistakes(f"{before} {text}")
        assert error.place is not None
        assert (error.code, error.place.text) == (mistake.code, mistake.label)
        assert error.message.startswith(mistake.message.partition("{")[0])
        assert error.help == mistake.help


SEVERAL = """\
rq 1.0
include "digits.rqi"
ensemble C {
  f1 = onnx("f1.onnx")
  f2 = onnx("f2.onnx", input = "x" output = "y"),
  f3 = onnx("f3.onnx);
}
data X = npz("points.npz", rows = [0, 3, 5..6);
param epsilon: real => 0 = 60;
param alpha = 2/5;
atack norm L1, radius epsilon,;
attack norm L1 radius epsilon;
input domain [0];
loss zero_one,;
check value = alpha; // the text below is fine
expect robust;
meta { source = Gross; license = "MIT" }
"""


def test_every_mistake_of_a_file_is_reported_once_and_in_order() -> None:
    found = [
        (error.code, *error.place.span.source.position(error.place.span.start))
        for error in mistakes(SEVERAL)
        if error.place is not None
    ]
    assert found == [
        ("E0101", 1, 7),
        ("E0101", 2, 21),
        ("E0101", 4, 23),
        ("E0119", 5, 35),
        ("E0102", 6, 13),
        ("E0104", 8, 35),
        ("E0108", 9, 21),
        ("E0117", 10, 12),
        ("E0107", 11, 1),
        ("E0119", 12, 15),
        ("E0116", 13, 16),
        ("E0115", 14, 14),
        ("E0120", 15, 13),
        ("E0121", 17, 17),
        ("E0101", 17, 39),
    ]


@pytest.mark.parametrize(
    ("text", "code", "place", "label"),
    [
        ("", "E0106", "", "expected `rq 1.0;`"),
        ("// nothing\n", "E0106", "", "expected `rq 1.0;`"),
        ("meta {}", "E0106", "meta", "expected `rq 1.0;` before this"),
        ("RQ 1.0; meta {}", "E0106", "RQ", "expected `rq 1.0;` before this"),
        ("rq 2.0; nonsense follows", "E0105", "2.0", "expected 1.0"),
        ('rq "1.0";', "E0106", '"1.0"', "expected `rq 1.0;`"),
        ("rq 1.0; rq 1.0;", "E0106", "rq", "the version is stated once, at the start"),
        ("rq 1.0; ;", "E0109", ";", "no statement ends here"),
        ("rq 1.0; meta {};", "E0109", ";", "no statement ends here"),
        ("rq 1.0; 5;", "E0109", "5", "expected a statement"),
        ("rq 1.0; atack norm L1;", "E0107", "atack", "expected a statement"),
        ("rq 1.0; check value < a }", "E0118", "}", "no bracket is open here"),
        ("rq 1.0; param a: real in [0, 1);", "E0118", ")", "expected `]`"),
        ("rq 1.0; param a: real in (0, 1];", "E0118", "]", "expected `)`"),
        ("rq 1.0; param a: real in [0, 1;", "E0104", "[", "never closed"),
        ('rq 1.0; meta { a = "x";', "E0104", "{", "never closed"),
        ('rq 1.0; meta { a = "x";\ndata X = a();', "E0104", "{", "never closed"),
        ("rq 1.0; check value < (1", "E0104", "(", "never closed"),
        ("rq 1.0; check value < alpha", "E0101", "", "expected `;`"),
        ("rq 1.0; check value < alpha beta;", "E0120", "beta", "expected `;`"),
        ("rq 2.0; @ 1..; 'x'", "E0105", "2.0", "expected 1.0"),
        ('rq 1.0; include "a" "b";', "E0109", '"b"', "expected `;`"),
        ('rq 1.0; ensemble C { f = onnx("a"), }', "E0121", ",", "expected `;`"),
        ("rq 1.0; data X = a(1, );", "E0115", ",", "nothing follows this comma"),
        ("rq 1.0; data X = a([[1, ]]);", "E0115", ",", "nothing follows this comma"),
        ("rq 1.0; data X = a([1 2]);", "E0119", "", "expected `,`"),
        ("rq 1.0; data X = a(b = );", "E0114", ")", "expected a value or a list"),
        ("rq 1.0; check value < ;", "E0114", ";", "expected a value"),
        ("rq 1.0; check value < 1 +", "E0114", "", "expected a value"),
        ("rq 1.0; check value < 1e1001;", "E0110", "1e1001", ""),
        ("rq 1.0; check value < 1e-999999999999;", "E0110", "1e-999999999999", ""),
        ("rq 1.0; check value < .5;", "E0111", ".5", "malformed number"),
        ("rq 1.0; check value < 5.;", "E0111", "5.", "malformed number"),
        ("rq 1.0; check value < 1e;", "E0111", "1e", "malformed number"),
        ("rq 1.0; check value < 0x1F;", "E0111", "0x1F", "malformed number"),
        ("rq 1.0; check value < 1.2.3;", "E0111", "1.2.3", "malformed number"),
        ("rq 1.0; check value < 8mm;", "E0111", "8mm", "malformed number"),
        ("rq 1.0; check value == 1;", "E0108", "==", "expected `=`"),
        ("rq 1.0; check value != 1;", "E0108", "!=", "not an operator"),
        ("rq 1.0; check value < α;", "E0103", "α", "expected ASCII letters, digits and `_`"),
        ("rq 1.0; check value ≤ 1;", "E0103", "≤", "expected `<=`"),
        ("rq 1.0; check value @@ 1;", "E0103", "@@", "means nothing here"),
        ("rq 1.0; check\N{NO-BREAK SPACE}value < 1;", "E0103", "\N{NO-BREAK SPACE}", ""),
        ("rq 1.0; include digits.rqi;", "E0123", "digits.rqi", "expected a quoted string"),
        ("rq 1.0; include nets/f1.onnx;", "E0123", "nets/f1.onnx", "expected a quoted string"),
        ("rq 1.0; include 'a';", "E0123", "'a'", 'expected `"`'),
        ("rq 1.0; include “a”;", "E0123", "“a”", 'expected `"`'),
        ('rq 1.0; include "a\tb";', "E0123", '"a\tb"', "strings hold printable characters"),
        ('rq 1.0; include "a;\nmeta {}', "E0102", '"a;', 'expected a closing `"`'),
        ("rq 1.0; # why\nmeta {}", "E0124", "#", "expected `//`"),
        ("rq 1.0; /* why; \n } */ meta {}", "E0124", "/*", "expected `//`"),
        ("rq 1.0; attack norm: L1;", "E0126", ":", "not expected here"),
    ],
)
def test_single_mistakes(text: str, code: str, place: str, label: str) -> None:
    (error,) = mistakes(text)
    assert error.place is not None
    assert (error.code, error.place.span.text) == (code, place)
    assert label in error.place.text


@pytest.mark.parametrize(
    ("word", "meant"),
    [("atack", "attack"), ("parameter", "param"), ("verify", "check"), ("Input", "input")],
)
def test_unknown_statements_are_taken_for_the_nearest_word(word: str, meant: str) -> None:
    (error,) = mistakes(f"rq 1.0; {word} x;")
    assert error.help == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'rq 1.0;\ninclude "digits.rqi"\nmeta {}\n',
            """\
error[E0101]: missing `;`
  --> q.rq:2:21
   |
 2 | include "digits.rqi"
   |                     ^ expected `;`
   = help: end the statement with `;`

1 error
""",
        ),
        (
            'rq 1.0;\nensemble C {\n  f1 = onnx("f1.onnx");\n\ncheck value < 1;\n',
            """\
error[E0104]: unclosed `{`
  --> q.rq:2:12
   |
 2 | ensemble C {
   |            ^ never closed
  ...
 5 | check value < 1;
   | ----- expected `}` before this
   = help: add the missing `}`

1 error
""",
        ),
        (
            "rq 2.0;\n",
            """\
error[E0105]: unsupported version `rq 2.0`
  --> q.rq:1:4
   |
 1 | rq 2.0;
   |    ^^^ expected 1.0
   = help: this compiler reads version 1.0

1 error
""",
        ),
        (
            "rq 1.0;\natack norm L1;\n",
            """\
error[E0107]: unknown statement `atack`
  --> q.rq:2:1
   |
 2 | atack norm L1;
   | ^^^^^ expected a statement
   = help: did you mean `attack`?

1 error
""",
        ),
    ],
)
def test_messages_read_as_promised(text: str, expected: str) -> None:
    assert render_text(mistakes(text)) == expected


def test_only_the_first_errors_of_many_are_shown() -> None:
    errors = mistakes("rq 1.0;" + "param a;" * 100)
    assert len(errors) == MOST_ERRORS
    assert errors[-1].notes == ("further errors of this file are not shown",)


HOSTILE = {
    "parentheses": "rq 1.0; check value < " + "(" * 60_000,
    "brackets": "[" * 60_000,
    "braces": "{}" * 30_000,
    "closers": ")" * 60_000,
    "signs": "rq 1.0; check value < " + "-" * 60_000 + "1;",
    "sums": "rq 1.0; check value < " + "1+" * 30_000 + "1;",
    "quotes": "'" * 60_000,
    "typographic quotes": "\N{LEFT DOUBLE QUOTATION MARK}" * 60_000,
    "paths": "a/" * 30_000,
    "digits": "rq 1.0; check value < " + "9" * 60_000 + ";",
    "exponent": "rq 1.0; check value < 1e999999999;",
    "name": "rq 1.0; param " + "a" * 60_000 + ": real;",
    "unended statements": "rq 1.0;" + "param a: real " * 4_000,
    "null characters": "\0" * 60_000,
    "comment openers": "/*" * 30_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_rejected_in_time(text: str) -> None:
    begin = time.process_time()
    errors = mistakes(text)
    assert time.process_time() - begin < 10
    assert len(errors) <= MOST_ERRORS
    assert len(render_text(errors)) < 100_000


def test_oversized_files_are_not_read() -> None:
    (error,) = mistakes("rq 1.0;" + " " * LARGEST)
    assert error.code == "E0113"


def test_limits_are_where_the_messages_say() -> None:
    digits, letters = "9" * 1200, "a" * 256
    parse(f"rq 1.0; param {letters}: real = {digits}; param e: real = 1e999;")
    assert [e.code for e in mistakes(f"rq 1.0; param {letters}a: real = {digits}9;")] == [
        "E0113",
        "E0113",
    ]
    nested = "(" * 63 + "1" + ")" * 63
    parse(f"rq 1.0; check value < {nested};")
    assert [e.code for e in mistakes(f"rq 1.0; check value < ({nested});")] == ["E0112"]
