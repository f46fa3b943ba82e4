"""The file that is read: what messages call it, where the query names it, and its tensors."""

import math
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from onnx import numpy_helper as arrays

from ensc.compiler.diagnostics import Span, reject
from ensc.compiler.quoting import shape as shape_text

Array: TypeAlias = npt.NDArray[Any]

# No array that a file asks for may have more entries (128 MiB as integers): a few bytes can declare a
# tensor of any size.
ENTRIES = 1 << 24


@dataclass(frozen=True, slots=True)
class Origin:
    """Which file is read.

    Attributes:
        file: what messages call it, in backquotes.
        place: where the query names it; None when it came from elsewhere.
    """

    file: str
    place: Span | None = None

    def reject(
        self, code: str, message: str, hint: str | None = None, notes: tuple[str, ...] = ()
    ) -> NoReturn:
        """Raise `Rejected`, with the place where the query names the file."""
        reject(code, message, self.place, notes=notes, help=hint)

    def decode(self, tensor: TensorProto, what: str) -> Array:
        """Return a tensor's entries: reals as float64 (exactly), integers as int64, and bools.

        Args:
            tensor: as the file holds it.
            what: what messages call it.
        """
        shape = tuple(tensor.dims)
        if math.prod(shape) > ENTRIES:
            self.too_large(what, shape)
        try:
            array = np.asarray(arrays.to_array(tensor))
        except (ValueError, TypeError, KeyError) as error:
            self.reject("E0506", f"{what} does not hold what it declares: {error}")
        kind = _common_type(array)
        if kind is None:
            self.reject("E0508", f"{what} holds {array.dtype}, not numbers")
        return array.astype(kind)

    def too_large(self, what: str, shape: tuple[int, ...]) -> NoReturn:
        """Reject an array that is larger than any that ensc makes."""
        self.reject(
            "E0504",
            f"{what} has shape {shape_text(shape)}: {math.prod(shape)} entries, at most {ENTRIES} are read",
        )


def _common_type(array: Array) -> type[np.float64 | np.int64 | np.bool_] | None:
    """Return the type in which the reader keeps such an array; None for text and complex numbers."""
    match array.dtype.kind:
        case "f":
            return np.float64
        case "u" if array.size and array.max() > np.iinfo(np.int64).max:
            return None
        case "i" | "u":
            return np.int64
        case "b":
            return np.bool_
        case "V":  # bfloat16, and the types of a few bits
            return np.int64 if "int" in array.dtype.name else np.float64
        case _:
            return None
