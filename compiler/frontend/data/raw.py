"""What every data source yields, and the one rule that makes its numbers exact.

**What a point is.** The numbers of a file are float64 numbers: integers and float32 are taken as they
are, a decimal in a text is the float64 nearest to it. A point is `x = fl(raw * a) / b` for the scale
`a/b` in lowest terms, where `fl` rounds to the nearest float64 and the division is exact. The product of
an integer or float32 and a small `a` needs no rounding (for a scale of `1/255` nothing does), so that x is
raw times scale exactly; where rounding is needed, the rounded number *is* the point. Points written in the
query are exact rationals as every number there is, as long as one denominator below 2**53 serves them all.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ensc.compiler.diagnostics import Diagnostic, Span, reject
from ensc.compiler.files import FileKind
from ensc.compiler.frontend.data.rows import Rows, read_rows
from ensc.compiler.frontend.query.arguments import Arguments
from ensc.compiler.quoting import number as number_text
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.types.network import Floats, Integers

DATA_FILE = FileKind("data file", "E0701", "E0702", "E0703", 8 << 30)

LARGEST_EXACT = 2**53
"""Every integer up to here is a float64."""

MOST_VALUES = 1 << 27
"""Points hold at most this many numbers together (one GiB of float64)."""

COMMON = ("rows", "scale", "label_base")
"""The arguments that every data source has."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The arguments that every data source has: `rows`, `scale`, `label_base`."""

    rows: Rows
    scale: Fraction
    label_base: int


@dataclass(frozen=True, slots=True, eq=False)
class RawPoints:
    """Chosen rows of a data source, scaled, not yet fitted to a network: `x = numerators / denominator`.

    Attributes:
        numerators: shape (points, ...), finite.
        denominator: at most 2**53.
        labels: shape (points,), 0-based.
        rows: shape (points,), where in the source each point was.
        layout: how images lie in the source, where the source fixes it: NHWC for png.
        files: base name and SHA-256 of what was read.
        scale: what the raw numbers were multiplied with.
        label_base: what was subtracted from the labels.
        remarks: warnings about the choice of rows and about rounding.
    """

    numerators: Floats
    denominator: int
    labels: Integers
    rows: Integers
    layout: str | None = None
    files: tuple[tuple[str, str], ...] = ()
    scale: Fraction = Fraction(1)
    label_base: int = 0
    remarks: tuple[Diagnostic, ...] = ()


def read_selection(arguments: Arguments) -> Selection:
    """Read the arguments that every data source has.

    Raises:
        Rejected: one of them has the wrong type, or the scale is not positive or has too many digits.
    """
    scale = arguments.number("scale")
    base = arguments.integer("label_base")
    if scale is not None:
        _check_scale(scale.value, scale.span)
    if base is not None and abs(base.value) > LARGEST_EXACT:
        reject("E0711", "a label is the number of a class", base.span, "this is far too large")
    return Selection(
        read_rows(arguments),
        scale.value if scale else Fraction(1),
        base.value if base else 0,
    )


def _check_scale(scale: Fraction, span: Span) -> None:
    if scale <= 0:
        reject("E0803", "a scale must be positive", span, f"this is {number_text(scale)}")
    if max(scale.numerator, scale.denominator) > LARGEST_EXACT:
        close = scale.limit_denominator(10**4)
        simple = 0 < close < 10**6 and abs(close / scale - 1) < Fraction(1, 10**9)
        reject(
            "E0803",
            "this scale is no ratio of integers up to 2**53",
            span,
            help=f"did you mean `{close}`?" if simple else "write it as a ratio with fewer digits",
        )


def scaled(raw: Floats, scale: Fraction, place: Span) -> Floats:
    """Return the numerators of `raw * scale`, as the module's rule says.

    Args:
        raw: finite.
        scale: its numerator is at most 2**53.
        place: where the scale or the source is named.

    Raises:
        Rejected: a product is beyond the range of float64.
    """
    with np.errstate(over="ignore", under="ignore"):
        numerators = raw * float(scale.numerator) + 0.0  # + 0.0: there is no negative zero
    if not np.isfinite(numerators).all():
        reject("E0708", "raw number times scale is beyond the range of float64", place)
    return numerators


def check_amount(points: int, entries: int, what: str, place: Span) -> None:
    """Check, before anything is read, that points are not empty and fit into memory.

    Raises:
        Rejected: they are, or do not.
    """
    if entries == 0:
        reject("E0713", f"{what}: a point has no coordinates", place)
    if points * entries > MOST_VALUES:
        reject(
            "E0703",
            f"{what}: {points} points of {entries} numbers are more than {MOST_VALUES} numbers",
            place,
            help="choose some of them with `rows = [...]`",
        )


def check_reach(reach: int, most: int, what: str, place: Span) -> None:
    """Check that the chosen rows are not too far into an array.

    Raises:
        Rejected: more than `most` bytes must be read to have them.
    """
    if reach > most:
        message = f"{what} is too long: {reach} bytes must be read"
        reject("E0703", message, place, help="save the rows you need in a file of their own")


def check_finite(values: Floats, rows: Integers, what: str, place: Span) -> None:
    """Check that data holds neither NaN nor infinity.

    Raises:
        Rejected: it does; the message names the first place.
    """
    wrong = ~np.isfinite(values)
    if not wrong.any():
        return
    index = np.unravel_index(int(np.argmax(wrong)), values.shape)
    value = "NaN" if np.isnan(values[index]) else f"{values[index]:+}"
    entry = ", ".join(str(int(i)) for i in index[1:])
    where = f"row {rows[index[0]]}" + (f", entry [{entry}]" if entry else "")
    reject("E0708", f"{what}: {where} is {value}", place, "every number must be finite")


def check_label_shape(shape: tuple[int, ...], what: str, place: Span) -> None:
    """Check that an array holds one number for each point.

    Raises:
        Rejected: it does not.
    """
    if shape[1:] not in ((), (1,)):
        reject(
            "E0711",
            f"{what}: the labels must be one number for each point",
            place,
            f"it has shape {shape_text(shape)}",
            help="give the number of the class, not one score for each class",
        )


def whole_labels(labels: Floats, rows: Integers, selection: Selection, what: str, place: Span) -> Integers:
    """Return 0-based labels from what a file holds.

    Args:
        labels: shape (points,) or (points, 1).
        rows: shape (points,).
        selection: has `label_base`.
        what: the name of the source, for messages.
        place: where it is named.

    Raises:
        Rejected: one is no whole number.
    """
    flat = labels.reshape(-1)
    # NaN and infinity fail one of these comparisons.
    whole = (flat == np.trunc(flat)) & (np.abs(flat) < LARGEST_EXACT)
    if not whole.all():
        first = int(np.argmin(whole))
        message = f"{what}: the label of row {rows[first]} is {flat[first]!s}"
        reject("E0711", message, place, "a label is a whole number")
    return flat.astype(np.int64) - selection.label_base
