"""The canonical layout keeps what a query says, word by word."""

from itertools import pairwise

from hypothesis import given, settings
from query_strategies import Tokens, texts, without_places

from ensc.compiler.diagnostics import Source
from ensc.compiler.frontend.syntax.format import WIDTH, format_query
from ensc.compiler.frontend.syntax.parse import parse_query
from ensc.compiler.frontend.syntax.scan import scan


def formatted(text: str) -> str:
    return format_query(parse_query(Source("q.rq", text)))


def comments(text: str) -> list[str]:
    return [comment.text for comment in scan(Source("q.rq", text)).comments]


@settings(max_examples=100, deadline=None)
@given(texts())
def test_formatting_is_idempotent_and_keeps_tokens_comments_and_tree(
    drawn: tuple[Tokens, str],
) -> None:
    tokens, text = drawn
    result = formatted(text)
    assert [t.value for t in scan(Source("q.rq", result)).tokens] == tokens
    assert comments(result) == comments(text)
    before, after = parse_query(Source("q", text)), parse_query(Source("q", result))
    assert without_places(after.statements) == without_places(before.statements)
    assert formatted(result) == result
    lines = result.split("\n")
    assert all(line == line.rstrip() for line in lines)
    assert not any(a == b == "" for a, b in pairwise(lines))


MESSY = """

// The digits.
rq   1.0 ;// version
include"digits.rqi";



ensemble C {

  f1=onnx( "nets/f1.onnx" ) ; f2 = onnx("f2.onnx",input="x");   // two
  // nothing more

}
param epsilon : real>=0=60;   param alpha:real in[0,1]=2 / 5;

input domain [ - inf , 255 ],layout NCHW;
attack norm L1,radius ( epsilon+1 ) * - 2,count auto;
loss targeted ( label = 3 ) , margin 1e-06;
data X = points ([ [ 0 , 1/2 ],[3,4] ] , rows=[0, 5 .. 6]);
check value<alpha; expect robust_up_to ( 2 );
expect value=0.750 within 1E-6;
meta { }
meta{source="x";}
// end"""

NEAT = """\
// The digits.
rq 1.0;  // version
include "digits.rqi";

ensemble C {
  f1 = onnx("nets/f1.onnx");
  f2 = onnx("f2.onnx", input = "x");  // two
  // nothing more
}
param epsilon: real >= 0 = 60;
param alpha: real in [0, 1] = 2/5;

input domain [-inf, 255], layout NCHW;
attack norm L1, radius (epsilon + 1)*-2, count auto;
loss targeted(label = 3), margin 1e-06;
data X = points([[0, 1/2], [3, 4]], rows = [0, 5..6]);
check value < alpha;
expect robust_up_to(2);
expect value = 0.750 within 1E-6;
meta {}
meta {
  source = "x";
}
// end
"""


def test_canonical_layout() -> None:
    assert formatted(MESSY) == NEAT


def test_windows_line_ends_become_plain_ones() -> None:
    assert formatted(MESSY.replace("\n", "\r\n")) == NEAT


def test_comments_inside_statements_stay_where_they_are() -> None:
    text = """rq 1.0;
attack norm L1, // the paper's
  // the radius is in pixels
  radius 60, count auto // |C|
;
data X = points([ // rows
[1, 2], [3, 4] // last
]);
meta { // none
}
"""
    assert (
        formatted(text)
        == """\
rq 1.0;
attack norm L1,  // the paper's
  // the radius is in pixels
  radius 60,
  count auto  // |C|
  ;
data X = points(
  [  // rows
    [1, 2],
    [3, 4]  // last
  ]
);
meta {  // none
}
"""
    )


def test_long_statements_are_broken_at_commas_and_numbers_fill_lines() -> None:
    numbers = ", ".join(str(n) for n in range(40))
    text = f"""rq 1.0;
data X = points([[0, 1], [2, 3]], labels = [{numbers}]);
attack norm L1, radius {" + ".join(["epsilon"] * 10)}, count auto;
"""
    assert (
        formatted(text) == """\
rq 1.0;
data X = points(
  [[0, 1], [2, 3]],
  labels = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39
  ]
);
attack norm L1,
  radius epsilon + epsilon + epsilon + epsilon + epsilon + epsilon + epsilon + epsilon + epsilon + """
        """epsilon,
  count auto;
"""
    )


def test_lines_stay_within_the_width_where_commas_allow_it() -> None:
    rows = ", ".join(f"[{n}, {n}/255, -{n}]" for n in range(60))
    text = f"rq 1.0;\ndata X = points([{rows}], labels = [{', '.join('7' * 300)}]);\n"
    assert max(map(len, formatted(text).split("\n"))) <= WIDTH
