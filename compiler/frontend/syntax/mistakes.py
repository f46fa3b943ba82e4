"""Syntax errors by example: what people write, and what to tell them.

Each mistake lists statements that contain it; what an example names and numbers does not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mistake:
    """One syntax error.

    Attributes:
        code: of its diagnostic.
        message: may contain `{found}`, the offending token.
        label: what stands under the carets.
        help: how to write it.
        examples: statements with this mistake.
        at: whether the carets go under the offending token, or after the one before it.
    """

    code: str
    message: str
    label: str
    help: str
    examples: tuple[str, ...]
    at: Literal["token", "gap"] = "token"


def _each(words: Iterable[str], *endings: str) -> tuple[str, ...]:
    return tuple(f"{word} {ending}" for word in words for ending in endings)


_CLAUSED = ("input", "attack", "loss")

_PARAMETERS = (
    Mistake(
        "E0117",
        "a parameter has a type",
        "expected `:` and a type",
        "write `param epsilon: real = 60;`; the types are real, int, bool and string",
        (
            "param a = 1;",
            "param a in [0, 1];",
            "param a >= 0;",
            "param a;",
            "param a real;",
            "param a, b: real;",
            "param a [0, 1];",
        ),
        "gap",
    ),
    Mistake(
        "E0117",
        "a parameter has a type",
        "expected a type",
        "write `param epsilon: real = 60;`; the types are real, int, bool and string",
        ("param a: = 1;", "param a: >= 0;", "param a: ;", "param a: [0, 1];", "param a: 1;"),
    ),
    Mistake(
        "E0117",
        "the domain of a parameter follows `in`",
        "expected `in`",
        "write `param alpha: real in [0, 1];`",
        ("param a: real [0, 1];", "param a: real (0, 1);", "param a: real 0;", "param a: real b;"),
        "gap",
    ),
    Mistake(
        "E0117",
        "the default of a parameter is one value",
        "expected a value",
        "write the domain with `in`: `param alpha: real in [0, 1];`",
        (
            "param a: real = [0, 1];",
            "param a: real in [0, 1] = [0, 1];",
            "param a: real >= 0 = [0, 1];",
        ),
    ),
    Mistake(
        "E0117",
        "the domain of a parameter stands before its default",
        "too late",
        "write `param alpha: real in [0, 1] = 2/5;`",
        (
            "param a: real = 1 in [0, 1];",
            "param a: real = 1 >= 0;",
            "param a: real = 1/2 in [0, 1];",
            "param a: real = 1/2 >= 0;",
            "param a: real = b in [0, 1];",
            "param a: real = b >= 0;",
            "param a: real in [0, 1] = 1 in [0, 1];",
            "param a: real >= 0 = 1 >= 0;",
        ),
    ),
    Mistake(
        "E0109",
        "unexpected `,`",
        "expected `;`",
        "a decimal is written with a point, as in `0.5`; each parameter has a statement of its own",
        (
            "param a: real = 1, 2;",
            "param a: real = 1/2, 3;",
            "param a: real in [0, 1] = 1, 2;",
            "param a: real >= 0 = 1, 2;",
        ),
    ),
    Mistake(
        "E0117",
        "a comparison stands without `in`",
        "expected `[`",
        "write `param epsilon: real >= 0;`, or `in [lower, upper]`",
        ("param a: real in >= 0;",),
    ),
    Mistake(
        "E0117",
        "a parameter has one domain",
        "a second domain",
        "write `in [lower, upper]` for two bounds",
        (
            "param a: real >= 0 <= 1;",
            "param a: real >= 0, <= 1;",
            "param a: real >= 0 in [0, 1];",
            "param a: real in [0, 1] >= 0;",
            "param a: real in [0, 1] in [0, 1];",
            "param a: real in [0, 1], in [0, 1];",
        ),
    ),
)

_INTERVALS = (
    Mistake(
        "E0116",
        "an interval has two ends",
        "expected `,` and the upper end",
        "write `[lower, upper]`; `inf` stands for no bound",
        (
            "input domain [0];",
            "input domain [a];",
            "input domain [-1];",
            "input domain [1/2];",
            "param a: real in [0];",
            "param a: real in [a];",
            "param a: real in [-1];",
            "param a: real in [1/2];",
            "profile value over a in [0];",
            "profile value over a in [b];",
        ),
    ),
    Mistake(
        "E0116",
        "an interval has two ends",
        "expected the lower end",
        "write `[lower, upper]`; `inf` stands for no bound",
        (
            "input domain [];",
            "input domain [, 1];",
            "param a: real in [];",
            "param a: real in [, 1];",
            "profile value over a in [];",
            "profile value over a in [, 1];",
        ),
    ),
    Mistake(
        "E0116",
        "an interval has two ends",
        "expected the upper end",
        "write `[lower, upper]`; `inf` stands for no bound",
        ("input domain [0, ];", "param a: real in [0, ];", "profile value over a in [0, ];"),
    ),
    Mistake(
        "E0116",
        "an interval has no more than two ends",
        "expected `]`",
        "write `[lower, upper]`, the same for every coordinate",
        (
            "input domain [0, 1, 2];",
            "input domain [0, a, 2];",
            "param a: real in [0, 1, 2];",
            "profile value over a in [0, 1, 2];",
        ),
    ),
    Mistake(
        "E0116",
        "the ends of an interval are separated by a comma",
        "expected `,`",
        "write `[lower, upper]`",
        (
            "input domain [0..1];",
            "input domain [a..1];",
            "input domain [0: 1];",
            "param a: real in [0..1];",
            "param a: real in [0: 1];",
            "profile value over a in [0..1];",
            "profile value over a in [0: 1];",
        ),
    ),
    Mistake(
        "E0116",
        "an interval stands in square brackets",
        "expected `[`",
        "write `[lower, upper]`: both ends are included",
        (
            "param a: real in (0, 1);",
            "param a: real in {0, 1};",
            "param a: real in 0;",
            "param a: real in b;",
            "profile value over a in (0, 1);",
            "profile value over a in {0, 1};",
            "profile value over a in 0;",
            "profile value over a in b;",
        ),
    ),
)

_GOALS = (
    Mistake(
        "E0120",
        "`minimize` needs a condition",
        "expected `such that`",
        "write `minimize epsilon such that value >= alpha;`",
        (
            "minimize a;",
            "minimize a subject;",
            "minimize a: value;",
            "minimize a, value;",
            "minimize a value >= 1;",
            "minimize a that value >= 1;",
            "minimize a >= 1;",
            "minimize a in [0, 1];",
        ),
        "gap",
    ),
    Mistake(
        "E0120",
        "a condition starts with `such that`",
        "expected `such that`",
        "write `such that value >= alpha`",
        (
            "maximize a value >= 1;",
            "maximize a that value >= 1;",
            "maximize a subject;",
            "maximize a: value;",
            "maximize a, value;",
            "maximize a >= 1;",
        ),
        "gap",
    ),
    Mistake(
        "E0120",
        "a condition starts with `such that`",
        "expected `that`",
        "write `such that value >= alpha`",
        ("minimize a such value >= 1;", "maximize a such value >= 1;", "minimize a such b >= 1;"),
        "gap",
    ),
    Mistake(
        "E0120",
        "a goal speaks of `value`",
        "expected `value`",
        "write `check value < alpha;`: value is what the best attack achieves",
        (
            "check a < 1;",
            "check 1 > value;",
            "check < 1;",
            "check ;",
            "check (value) < 1;",
            "maximize a such that b >= 1;",
            "maximize a such that 1 <= value;",
            "minimize a such that b >= 1;",
            "minimize a such that 1 <= value;",
            "profile a over b in [0, 1];",
            "profile ;",
        ),
    ),
    Mistake(
        "E0120",
        "`value` is compared with a bound",
        "expected `<`, `<=`, `>` or `>=`",
        "write `check value < alpha;`",
        (
            "check value;",
            "check value = 1;",
            "check value in [0, 1];",
            "check value 1;",
            "check value a;",
            "check value + 1 < 2;",
            "maximize a such that value;",
            "maximize a such that value = 1;",
            "minimize a such that value;",
            "minimize a such that value = 1;",
            "minimize a such that value in [0, 1];",
        ),
    ),
    Mistake(
        "E0120",
        "a goal makes one comparison",
        "expected `;`",
        "state one bound; a file has one goal",
        (
            "check value < 1 < 2;",
            "check value < a < b;",
            "check value < 1/2 < b;",
            "check value < 1 and value > 0;",
            "check value < a and value > 0;",
            "check value < 1/2 and value > 0;",
            "check value < 1, value > 0;",
            "check value < a, value > 0;",
            "minimize a such that value >= 1, value;",
            "minimize a such that value >= b, value;",
        ),
    ),
    Mistake(
        "E0120",
        "`profile` varies a parameter over an interval",
        "expected `over` and a parameter",
        "write `profile value over epsilon in [0, 100];`",
        ("profile value;", "profile value in [0, 1];", "profile value a;", "profile value, a;"),
        "gap",
    ),
    Mistake(
        "E0120",
        "`profile` varies a parameter over an interval",
        "expected `in` and an interval",
        "write `profile value over epsilon in [0, 100];`",
        (
            "profile value over a;",
            "profile value over a = [0, 1];",
            "profile value over a >= 0;",
            "profile value over a [0, 1];",
            "profile value over a b;",
            "profile value over a, b;",
            "profile value over a: b;",
        ),
        "gap",
    ),
)

_EXPECTATIONS = (
    Mistake(
        "E0125",
        "an expected number is stated with `=`",
        "expected `=`",
        "write `expect value = 3/4 within 1e-6;`",
        (
            "expect value < 1;",
            "expect value in [0, 1];",
            "expect value: 1;",
            "expect value 1;",
            "expect a < 1;",
            "expect a in [0, 1];",
            "expect a: 1;",
        ),
    ),
    Mistake(
        "E0125",
        "a verdict is one word",
        "expected `;`",
        "the verdicts are robust, not_robust, robust_up_to(k), unknown and timeout",
        ("expect not robust;", "expect robust, value = 1;"),
    ),
    Mistake(
        "E0125",
        "a tolerance follows `within`",
        "expected `within`",
        "write `expect value = 3/4 within 1e-6;`",
        (
            "expect value = 1 tolerance 2;",
            "expect value = a tolerance 2;",
            "expect value = 1/2 tolerance 2;",
            "expect value = 1, within 2;",
            "expect value = a, within 2;",
            "expect value = 1/2, within 2;",
        ),
    ),
)

_BLOCKS = (
    Mistake(
        "E0121",
        "a member is read with `onnx`",
        "expected `onnx(...)`",
        'write `f1 = onnx("nets/f1.onnx");`',
        ('ensemble C { a = "a"; }', "ensemble C { a = [b]; }", "ensemble C { a = (b); }"),
    ),
    Mistake(
        "E0121",
        "a member has a name",
        "expected a name and `=`",
        'write `f1 = onnx("nets/f1.onnx");`',
        ('ensemble C { onnx("a"); }', 'ensemble C { "a"; }', "ensemble C { (a); }"),
    ),
    Mistake(
        "E0121",
        "an entry is written with `=`",
        "expected `=`",
        "write `name = ...;`",
        (
            'ensemble C { a: onnx("a"); }',
            'ensemble C { a onnx("a"); }',
            'ensemble C { a "a"; }',
            "ensemble C { a; }",
            'meta { a: "a"; }',
            'meta { a "a"; }',
            "meta { a b; }",
            "meta { a; }",
        ),
    ),
    Mistake(
        "E0121",
        "the entries of `meta` are strings",
        "expected a quoted string",
        'write `source = "...";`',
        (
            "meta { a = b; }",
            "meta { a = 1; }",
            "meta { a = -1; }",
            "meta { a = [b]; }",
            "meta { a = (b); }",
            "meta { a = ; }",
        ),
    ),
    Mistake(
        "E0121",
        "an ensemble has a name and a block of members",
        "expected a name",
        'write `ensemble C { f1 = onnx("nets/f1.onnx"); }`',
        ("ensemble { }", "ensemble = { }", "ensemble ;", "ensemble (a);", 'ensemble "C" { }'),
    ),
    Mistake(
        "E0121",
        "an ensemble has a name and a block of members",
        "expected `{`",
        'write `ensemble C { f1 = onnx("nets/f1.onnx"); }`',
        (
            "ensemble C = { }",
            "ensemble C;",
            "ensemble C: a;",
            "ensemble C a;",
            "ensemble C [a];",
            "ensemble C (a);",
        ),
    ),
    Mistake(
        "E0121",
        "`meta` is followed by a block",
        "expected `{`",
        'write `meta { source = "..."; }`',
        ("meta = { }", "meta a { }", 'meta "a";', "meta ;", "meta : a;"),
    ),
)

_CALLS = (
    Mistake(
        "E0127",
        "data are read with a source",
        "expected a source",
        "the sources are npz(...), csv(...), idx(...), png(...) and points(...)",
        ('data X = "a";', "data X = [a];", "data X = (a);", "data X = 1;", "data X = ;"),
    ),
    Mistake(
        "E0127",
        "a data set is defined with `=`",
        "expected `=`",
        'write `data X = npz("points.npz");`',
        ('data X npz("a");', 'data X: npz("a");', 'data X "a";', 'data npz("a");'),
        "gap",
    ),
    Mistake(
        "E0127",
        "a data set has a name",
        "expected a name",
        'write `data X = npz("points.npz");`',
        ('data = npz("a");', 'data "a";', "data ;"),
    ),
    Mistake(
        "E0127",
        "arguments stand in parentheses",
        "expected `(`",
        'write `npz("points.npz", inputs = "x")`',
        (
            'data X = npz "a";',
            "data X = npz a;",
            "data X = npz;",
            "data X = points [a];",
            'ensemble C { a = onnx "a"; }',
            "ensemble C { a = onnx a; }",
            "ensemble C { a = onnx; }",
        ),
        "gap",
    ),
    Mistake(
        "E0127",
        "named arguments stand in parentheses",
        "expected `(` before the name",
        "write `targeted(label = 3)`",
        _each(_CLAUSED, "a b = 1;", "a, b c = 1;", "a, b, c d = 1;", "a b: 1;", "a, b c: 1;"),
    ),
    Mistake(
        "E0127",
        "a named argument is written with `=`",
        "expected `=`",
        "write `name = value`",
        (
            "data X = npz(a: 1);",
            'data X = npz("b", a: 1);',
            'data X = npz("b", "c", a: 1);',
            "ensemble C { a = onnx(a: 1); }",
            'ensemble C { a = onnx("b", a: 1); }',
            'ensemble C { a = onnx("b", "c", a: 1); }',
            "loss a(b: 1);",
            "attack a(b: 1);",
        ),
    ),
    Mistake(
        "E0127",
        "a list stands in square brackets",
        "expected `[`",
        "write `[0, 3, 5..6]`",
        (
            "data X = a(b = {1});",
            "data X = a({1});",
            'data X = a("a", b = {1});',
            'data X = a("a", "a", b = {1});',
            "data X = a([{1}]);",
        ),
    ),
    Mistake(
        "E0127",
        "a list stands in square brackets",
        "expected one value in parentheses",
        "write `[0, 3, 5..6]`",
        (
            "data X = a(b = (1, 2));",
            "data X = a((1, 2));",
            'data X = a("a", b = (1, 2));',
            'data X = a("a", "a", b = (1, 2));',
            "data X = a([(1, 2)]);",
            "data X = a([[1, 2], (1, 2)]);",
        ),
    ),
)

_CLAUSES = (
    Mistake(
        "E0126",
        "a clause is a word and its value, without {found}",
        "not expected here",
        "write `attack norm L1, radius epsilon, count auto;`",
        _each(
            _CLAUSED,
            "a = 1;",
            "a: 1;",
            "a >= 1;",
            "a, b = 1;",
            "a, b: 1;",
            "a, b >= 1;",
            "a, b, c = 1;",
            "a, b, c: 1;",
            "a, b, c >= 1;",
        ),
    ),
    Mistake(
        "E0126",
        "a clause starts with a word",
        "expected a word",
        "write `input domain [0, 1];`",
        _each(_CLAUSED, "[0, 1];", "1;", "(1);", '"a";', ";", "= 1;", ": 1;", ", a;"),
    ),
)

MISTAKES = (
    *_PARAMETERS,
    *_INTERVALS,
    *_GOALS,
    *_EXPECTATIONS,
    *_BLOCKS,
    *_CALLS,
    *_CLAUSES,
)
