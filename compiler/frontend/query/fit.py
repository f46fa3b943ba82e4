"""Fitting raw points to an ensemble: order of coordinates, range of labels, legal inputs."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ensc.compiler.diagnostics import Diagnostic, Label, Span, reject
from ensc.compiler.frontend.data.raw import RawPoints
from ensc.compiler.frontend.query.expressions import Located
from ensc.compiler.frontend.query.report import Report
from ensc.compiler.quoting import number as number_text
from ensc.compiler.quoting import shape as shape_text
from ensc.compiler.quoting import whole
from ensc.compiler.types.network import Floats
from ensc.compiler.types.problem import Domain, Loss, PointSet, Targeted, Untargeted

CHANNELS_LAST_TO_FIRST = (2, 0, 1)
CHANNELS_FIRST_TO_LAST = (1, 2, 0)
MOST_CHANNELS = 4
FULL_SCALES = (16, 255, 65535)
"""Largest raw values of common data: optical digits, bytes, 16-bit images."""


def arrange(
    raw: RawPoints, shape: tuple[int, ...], layout: Located[str] | None, place: Span, report: Report
) -> PointSet:
    """Bring the coordinates into the order in which the networks read them.

    Images lie with channels first (NCHW) or last (NHWC). Where the query or the source says which, they
    are moved to match the network's input shape; where nobody does, shapes must match as they are,
    dimensions of length 1 aside. Points stored flat, and networks that read flat inputs, take the numbers
    in the order they are stored.

    Args:
        raw: the points as the source has them.
        shape: of the networks' input, without the batch dimension.
        layout: how images lie in the source, if the query says so.
        place: where the data is named.
        report: takes a warning when the layout has no effect.

    Raises:
        Rejected: the number of coordinates differs, or their order cannot be told.
    """
    stored = raw.numerators.shape[1:]
    if math.prod(stored) != math.prod(shape):
        found = f"a point has {_size(stored)}, the networks want {_size(shape)}"
        reject("E0713", found, place)
    stated = _stated(raw, layout)
    images = raw.numerators
    if stated == "NHWC" and len(stored) == 1 and len(shape) == 3:
        images = images.reshape((-1, *_flat_images(shape, place)))
    axes = _transposition(images.shape[1:], shape, stated)
    if axes is not None:
        images = images.transpose((0, *(axis + 1 for axis in axes)))
    elif not _same_order(images.shape[1:], shape):
        _refuse_order(stored, shape, place)
    if layout is not None and len(shape) != 3:
        message = f"`layout` has no effect: the networks read {_size(shape)}, not an image"
        report.add(Diagnostic("W0703", message, Label(layout.span)))
    flat = np.ascontiguousarray(images.reshape(len(raw.labels), -1))
    return PointSet(flat, raw.denominator, raw.labels, raw.rows)


def check_labels(raw: RawPoints, classes: int, place: Span) -> None:
    """Check that every label is the number of a class.

    Raises:
        Rejected: one is not; the help names the `label_base` that would mend it.
    """
    wrong = (raw.labels < 0) | (raw.labels >= classes)
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    base = raw.label_base
    label = int(raw.labels[first]) + base
    written = raw.labels + base
    smallest, largest = int(written.min()), int(written.max())
    better = 1 if smallest >= 1 and largest <= classes else smallest
    fits = better != base and largest - better < classes
    reject(
        "E0712",
        f"row {raw.rows[first]} has label {label}, "
        f"and the networks have classes {base} to {base + classes - 1}",
        place,
        help=f"if labels start at {better}: `label_base = {better}`" if fits else None,
    )


def check_target(raw: RawPoints, loss: Located[Loss], classes: int, report: Report) -> None:
    """Check that the target of a targeted loss is a class, and of none of the points the true one.

    Args:
        raw: the points.
        loss: the loss.
        classes: the number of classes.
        report: takes a warning where the data count classes from elsewhere.

    Raises:
        Rejected: it is not.
    """
    match loss.value:
        case Untargeted():
            return
        case Targeted(label=label):
            pass
    if not 0 <= label < classes:
        message = f"there is no class {whole(label)}: the networks have classes 0 to {classes - 1}"
        reject("E0906", message, loss.span, "targets are counted from 0")
    if raw.label_base != 0:
        label_there = whole(label + raw.label_base)
        message = f"targets are counted from 0, so this is the class that the data call {label_there}"
        report.add(Diagnostic("W0905", message, Label(loss.span)))
    same = np.flatnonzero(raw.labels == label)
    if len(same):
        rows = ", ".join(str(row) for row in raw.rows[same[:5]].tolist())
        more = f" and {len(same) - 5} more" if len(same) > 5 else ""
        plural = "s" if len(same) > 1 else ""
        reject(
            "E0907",
            f"the target {label} is the true label of row{plural} {rows}{more}",
            loss.span,
            "an attack must change the class",
            help="choose another target, or leave out these rows with `rows = [...]`",
        )


def check_domain(raw: RawPoints, domain: Domain, place: Span, domain_place: Span) -> None:
    """Check that every point is a legal input, in exact arithmetic.

    Raises:
        Rejected: one is not; the help names a `scale` that would mend it.
    """
    numerators = raw.numerators.reshape(len(raw.rows), -1)
    outside = np.zeros(numerators.shape, dtype=bool)
    if domain.lower is not None:
        outside |= _less(numerators, domain.lower * raw.denominator)
    if domain.upper is not None:
        outside |= _less(-numerators, -domain.upper * raw.denominator)
    if not outside.any():
        return
    point, coordinate = divmod(int(np.argmax(outside)), numerators.shape[1])
    value = Fraction(float(numerators[point, coordinate])) / raw.denominator
    advice = _better_scale(raw, domain)
    reject(
        "E0801",
        f"point {point} (row {raw.rows[point]}) has the value {number_text(value)}, "
        f"outside the domain {_interval(domain)}",
        place,
        f"coordinate {coordinate}, as the point is stored",
        related=(Label(domain_place, "legal inputs"),),
        help=f"did you mean `scale = {advice}`?" if advice else None,
    )


def _size(shape: tuple[int, ...]) -> str:
    return f"{math.prod(shape)} values" + (f" ({shape_text(shape)})" if len(shape) > 1 else "")


def _stated(raw: RawPoints, layout: Located[str] | None) -> str | None:
    """Return how images lie in the source, from the query or from the source itself."""
    if layout is None:
        return raw.layout
    if raw.layout not in (None, layout.value):
        message = f"images of this source lie as {raw.layout}"
        reject("E0714", message, layout.span, help=f"write `layout {raw.layout}`, or leave it out")
    return layout.value


def _flat_images(shape: tuple[int, ...], place: Span) -> tuple[int, ...]:
    """Return height, width, channels of images stored flat with channels last."""
    channels, height, width = shape[0], shape[1], shape[2]
    if width <= MOST_CHANNELS < channels:
        message = f"the networks read {shape_text(shape)}, which has channels last as the data has"
        reject("E0714", message, place, help="leave out `layout`")
    return height, width, channels


def _picked(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in axes)


def _transposition(
    stored: tuple[int, ...], shape: tuple[int, ...], layout: str | None
) -> tuple[int, ...] | None:
    """Return the order of axes that turns images as stored into images as read, if they differ."""
    if len(stored) != 3 or len(shape) != 3:
        return None
    if layout == "NHWC" and _picked(stored, CHANNELS_LAST_TO_FIRST) == shape:
        return CHANNELS_LAST_TO_FIRST
    differs = stored != shape and _picked(stored, CHANNELS_FIRST_TO_LAST) == shape
    return CHANNELS_FIRST_TO_LAST if layout == "NCHW" and differs else None


def _same_order(stored: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    one, two = ([n for n in dimensions if n != 1] for dimensions in (stored, shape))
    return one == two or len(one) <= 1 or len(two) <= 1


def _refuse_order(stored: tuple[int, ...], shape: tuple[int, ...], place: Span) -> None:
    images = len(stored) == len(shape) == 3
    if images and _picked(stored, CHANNELS_LAST_TO_FIRST) == shape:
        layout = "NHWC"
    elif images and _picked(stored, CHANNELS_FIRST_TO_LAST) == shape:
        layout = "NCHW"
    else:
        found = f"a point has shape {shape_text(stored)}, the networks want {shape_text(shape)}"
        reject("E0713", found, place, "as many values, in another order")
    reject(
        "E0714",
        f"a point has shape {shape_text(stored)}, the networks want {shape_text(shape)}",
        place,
        "channels last" if layout == "NHWC" else "channels first",
        help=f"say how the images lie: `input ..., layout {layout};`",
    )


def _less(values: Floats, bound: Fraction) -> npt.NDArray[np.bool_]:
    """Compare float64 numbers with a rational exactly: the least float64 that is not below decides."""
    try:
        least = float(bound)
    except OverflowError:  # beyond every float64, and so on the far side of every value
        return np.full(values.shape, bound > 0)
    if Fraction(least) < bound:
        least = math.nextafter(least, math.inf)
    return values < least


def _interval(domain: Domain) -> str:
    lower = "-inf" if domain.lower is None else number_text(domain.lower)
    upper = "inf" if domain.upper is None else number_text(domain.upper)
    return f"[{lower}, {upper}]"


def _better_scale(raw: RawPoints, domain: Domain) -> Fraction | None:
    """Return a scale that would bring every point into the domain, if an ordinary one does."""
    near = raw.numerators / float(raw.denominator)
    if near.min() < 0 or domain.lower != 0 or not domain.upper:
        return None
    largest = Fraction(float(near.max())) / raw.scale
    scales = [domain.upper / full for full in FULL_SCALES]
    if raw.scale > 1:
        scales.insert(0, 1 / raw.scale)
    return next((scale for scale in scales if largest * scale <= domain.upper), None)
