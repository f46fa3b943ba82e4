"""`--network f=net.onnx` -> the functions that a property is about."""

import gzip
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from ensc.compiler.diagnostics import Diagnostic, Label, Rejected, Source, Span, reject
from ensc.compiler.frontend.onnx.read import read_network
from ensc.compiler.quoting import listed, shown
from ensc.compiler.types.network import Network
from ensc.compiler.words import suggest
from ensc.formats.vnnlib.property import Property

LARGEST = 1 << 30


def named_files(stated: Property, arguments: Iterable[str]) -> dict[str, Path]:
    """Return the file of every network that needs one, from `NAME=FILE`, or `FILE` if there is only one.

    Raises:
        Rejected: E1283 if a network has no file, a name is not declared, or one is given twice.
    """
    needed = {d.name: d for d in stated.networks if d.same_as is None}
    files: dict[str, Path] = {}
    for argument in arguments:
        name, _, path = argument.rpartition("=")
        if len(needed) == 1 and name not in needed:
            name, path = next(iter(needed)), argument
        if name not in needed or name in files:
            _reject_name(argument, name, needed, twice=name in files)
        files[name] = Path(path)
    missing = [declared for name, declared in needed.items() if name not in files]
    if missing:
        form = "--network net.onnx" if len(needed) == 1 else f"--network {missing[0].name}=net.onnx"
        raise Rejected(
            [
                Diagnostic("E1283", f"no file is given for the network `{d.name}`", Label(d.span), help=form)
                for d in missing
            ]
        )
    return files


def _reject_name(argument: str, name: str, needed: Iterable[str], *, twice: bool) -> None:
    known = list(needed)
    what = f"`{shown(name)}` is given twice" if twice else f"no network needs the file `{shown(argument)}`"
    near = suggest(name, known)
    place = Span(Source("command line", argument), 0, len(argument))
    help_ = f"did you mean `{near}=...`?" if near and not twice else "write NAME=FILE"
    reject("E1283", what, place, notes=(f"the property declares {listed(known)}",), help=help_)


def read_networks(stated: Property, files: Mapping[str, Path]) -> dict[str, Network]:
    """Read the networks of a property; `equal-to` is the same network.

    Raises:
        Rejected: E0501 to E0517 of the network reader, E1223 for a damaged `.gz`.
    """
    read: dict[tuple[Path, bool], Network] = {}
    found: dict[str, Network] = {}
    for declared in stated.networks:
        name = declared.same_as or declared.name
        key = files[name], len(declared.inputs) > 1
        if key not in read:
            read[key] = read_onnx(files[name], name, joined=key[1])
        found[declared.name] = read[key]
    return found


def read_onnx(path: Path, name: str, *, joined: bool = False) -> Network:
    """Read an ONNX file with one output or more, possibly compressed by gzip.

    Args:
        path: the file.
        name: what messages call the network.
        joined: whether it may have several inputs, read one after the other.

    Raises:
        Rejected: as `read_networks`.
    """
    if path.suffix != ".gz" or not path.is_file():
        return read_network(path, name=name, fewest=1, joined=joined)
    with tempfile.TemporaryDirectory(prefix="ensc-") as folder:
        plain = Path(folder, path.name.removesuffix(".gz"))
        plain.write_bytes(_decompressed(path))
        return read_network(plain, name=name, fewest=1, joined=joined)


def _decompressed(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        reject("E1223", f"`{shown(path.name)}` is a damaged compressed file")
    if len(content) > LARGEST:
        reject("E1222", f"`{shown(path.name)}` holds more than {LARGEST} bytes", help="split the model")
    return content
