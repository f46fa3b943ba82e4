"""The names that every MILP reader takes as they stand.

Readers disagree about almost everything else: they cut names at 255 characters, rename columns when a name
has 200, take `[`, `^` or `/` for operators, `e1` after a number for an exponent, and a leading `$` for a
comment; and some fold case.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence

from ensc.compiler.diagnostics import Diagnostic
from ensc.compiler.quoting import shown

LONGEST = 64

SAFE = re.compile(rf"[A-DF-Za-df-z_][A-Za-z0-9_]{{0,{LONGEST - 1}}}")
SAFE_LINES = re.compile(rf"(?:[A-DF-Za-df-z_][A-Za-z0-9_]{{0,{LONGEST - 1}}}\n)*")

# The words of MPS and LP, in every spelling some reader knows.
MPS_WORDS = "name rows columns rhs ranges bounds sos indicators objsense objname endata marker bnd rng"
LP_WORDS = (
    "min max minimum maximum minimize maximize minimise maximise subject to such that st bound bounds free "
    "inf infinity nan general generals gen integer integers int binary binaries bin semi semis sos1 sos2 "
    "s1 s2 end"
)
KEYWORDS = frozenset((MPS_WORDS + " " + LP_WORDS).split())

RULE = (
    f"a name that every solver reads is a letter other than e or E, or `_`, then letters, digits and `_`, "
    f"at most {LONGEST} in all; no keyword, and not another one in different case"
)


def check_names(names: Sequence[str], what: str) -> Iterator[Diagnostic]:
    """Say which names some reader would misread.

    Args:
        names: of all rows, or of all columns: within them a name must be unique.
        what: `row` or `column`.

    Yields:
        E1022, one for each bad name.
    """
    text = "\n".join((*names, ""))
    distinct = set(text.lower().split("\n")[:-1])
    # Looked at one by one only if the quick test of all of them fails.
    if SAFE_LINES.fullmatch(text) and len(distinct) == len(names) and not distinct & KEYWORDS:
        return
    count = Counter(name.lower() for name in names)
    for name in names:
        if reason := _fault(name, count[name.lower()]):
            message = f"the {what} name `{shown(name)}` {reason}"
            yield Diagnostic("E1022", message, notes=(RULE,), help="rename it")


def _fault(name: str, count: int) -> str | None:
    if not SAFE.fullmatch(name):
        return "is not one that every solver reads"
    if name.lower() in KEYWORDS:
        return "is a keyword of the file formats"
    return f"is used {count} times, upper and lower case being the same" if count > 1 else None


def fresh(wanted: str, taken: Container[str]) -> str:
    """Return a name not in `taken`, which holds folded names: the wanted one, or it with a number.

    >>> fresh("obj", {"x", "obj", "obj_1"})
    'obj_2'
    """
    name, number = wanted, 0
    while name.lower() in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def safe_name(text: str) -> str:
    """Return the name of a model nearest to what a file calls it.

    >>> safe_name("demo"), safe_name("my model (v2)"), safe_name("e1"), safe_name("bounds"), safe_name("")
    ('demo', 'my_model__v2_', '_e1', '_bounds', 'model')
    """
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)[:LONGEST]
    if SAFE.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return f"_{name}"[:LONGEST] if name else "model"
