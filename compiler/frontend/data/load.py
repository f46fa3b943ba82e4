"""From a `data` statement to raw points: which source it names, and where its files are."""

import glob
from dataclasses import dataclass, replace
from pathlib import Path

from ensc.compiler.diagnostics import Label, Span, reject
from ensc.compiler.files import join
from ensc.compiler.frontend.data.raw import COMMON, RawPoints, Selection, read_selection
from ensc.compiler.frontend.data.read_csv import read_csv
from ensc.compiler.frontend.data.read_idx import read_idx
from ensc.compiler.frontend.data.read_npz import read_npz
from ensc.compiler.frontend.data.read_png import read_png
from ensc.compiler.frontend.data.read_points import read_points
from ensc.compiler.frontend.query.arguments import Arguments, bind
from ensc.compiler.frontend.query.expressions import Environment, Located
from ensc.compiler.frontend.query.known import require_known
from ensc.compiler.types.syntax import Call, DataDefinition

SOURCES = {
    "npz": ("path", "inputs", "labels", *COMMON),
    "csv": ("path", "label", "header", "delimiter", *COMMON),
    "idx": ("images", "labels", *COMMON),
    "png": ("path", "labels", *COMMON),
    "points": ("points", "labels", *COMMON),
}
"""The arguments of every data source; the first may be given without its name."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where the paths of a `data` statement lead.

    Attributes:
        folder: what they are relative to.
        override: a path from the command line, which replaces that of the statement.
    """

    folder: Path
    override: Located[str] | None = None


def load_points(definition: DataDefinition, place: DataFolder, environment: Environment) -> RawPoints:
    """Read the chosen rows of the data source that a query names.

    Raises:
        Rejected: the source is unknown, its arguments are wrong, or its files are.
    """
    call = definition.call
    arguments = bind(call, _arguments_of(call), 1, environment)
    selection = read_selection(arguments)
    function = call.function.text
    if place.override and function in {"idx", "points"}:
        _refuse_override(definition, place.override.span)
    raw = _read(arguments, place, selection)
    repeated = selection.rows.repeated()
    return replace(raw, remarks=(*raw.remarks, repeated)) if repeated else raw


def _read(arguments: Arguments, place: DataFolder, selection: Selection) -> RawPoints:
    match arguments.call.function.text:
        case "npz":
            path = _path(arguments, "path", place, 'npz("points.npz")')
            return read_npz(arguments, path, selection)
        case "csv":
            path = _path(arguments, "path", place, 'csv("points.csv", label = "first")')
            return read_csv(arguments, path, selection)
        case "idx":
            images = _path(arguments, "images", place, 'images = "images.idx"')
            labels = _path(arguments, "labels", place, 'labels = "labels.idx"')
            return read_idx(arguments, images, labels, selection)
        case "png":
            pattern = _pattern(arguments, place)
            labels = _path(arguments, "labels", _beside(place), 'labels = "labels.csv"')
            return read_png(arguments, pattern, labels, selection)
        case _:
            return read_points(arguments, selection)


def _arguments_of(call: Call) -> tuple[str, ...]:
    function = call.function
    require_known(function, SOURCES, "E0209", f"there is no data source `{function.text}`")
    return SOURCES[function.text]


def _refuse_override(definition: DataDefinition, span: Span) -> None:
    function = definition.call.function
    message = f"`--data` replaces one file, and `{function.text}` does not read one file"
    related = (Label(function.span, "the data is declared here"),)
    reject("E0405", message, span, related=related)


def _path(arguments: Arguments, name: str, place: DataFolder, example: str) -> Located[Path]:
    if place.override:
        return Located(Path(place.override.value), place.override.span)
    arguments.required(name, example)
    given = arguments.text(name)
    assert given is not None  # required above
    return Located(join(place.folder, given.value), given.span)


def _pattern(arguments: Arguments, place: DataFolder) -> Located[Path]:
    """Return a pattern of file names; only what the query itself says is a pattern, not its folder."""
    folder = Path(glob.escape(str(place.folder)))
    return _path(arguments, "path", DataFolder(folder, place.override), 'png("images/*.png")')


def _beside(place: DataFolder) -> DataFolder:
    """Return where the table of labels is: `--data` replaces the images alone."""
    return DataFolder(place.folder)
