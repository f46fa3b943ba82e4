"""Declarations of both versions of VNN-LIB -> networks with numbered elements."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Literal, NoReturn

from ensc.compiler.diagnostics import Label, Source, Span, reject
from ensc.compiler.quoting import shown
from ensc.compiler.words import hint
from ensc.formats.vnnlib.expressions import Expression, Group, Word, span
from ensc.formats.vnnlib.property import Declared, Tensor

ELEMENTS = 1 << 24
"""Declared elements: more than any network that can be verified has."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FLAT = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
_ELEMENT = re.compile(r"([^\s\[]+)\s*\[([^\]]*)\]")
_INDICES = re.compile(r"\s*[0-9]{1,9}\s*(?:,\s*[0-9]{1,9}\s*)*")
_REALS = frozenset(("real", "float16", "float32", "float64", "float", "double", "bfloat16"))
NAMELESS = "N"


@dataclass(slots=True)
class Names:
    """Everything declared so far in a 2.0 file."""

    source: Source
    tensors: dict[str, Tensor] = field(default_factory=dict)
    networks: dict[str, Declared] = field(default_factory=dict)
    size: int = 0

    def element(self, word: Word) -> int:
        """Return the number of a tensor element such as `X[0,3]`.

        Raises:
            Rejected: E1275 if no tensor has the name, E1276 if the indices do not fit its shape.
        """
        match = _ELEMENT.fullmatch(word.text)
        name, listed = match.groups() if match else (word.text, "")
        tensor = self.tensors.get(name)
        if tensor is None:
            _reject_unknown(self.source, word, name, self.tensors)
        indices = _numbers(self.source, word, listed) if match and listed.strip() else ()
        if len(indices) != len(tensor.shape):
            message = f"`{shown(word.text)}` has {len(indices)} indices, its tensor {len(tensor.shape)}"
            _reject_index(self.source, word, message, tensor)
        number = 0
        for index, size in zip(indices, tensor.shape, strict=True):
            if index >= size:
                _reject_index(self.source, word, f"the index {index} is not below {size}", tensor)
            number = number * size + index
        return tensor.first + number


def declare_network(names: Names, group: Group) -> None:
    """Read `(declare-network name ...)`.

    Raises:
        Rejected: E1273, E1274, E1276, E1280 or E1285.
    """
    source = names.source
    if len(group.items) < 2:
        _reject_form(source, group, "(declare-network f (declare-input ...) (declare-output ...))")
    name = _name(names, group.items[1])
    same_as, like = None, None
    tensors: list[Tensor] = []
    for item in group.items[2:]:
        if not isinstance(item, Group) or not item.items or not isinstance(item.items[0], Word):
            _reject_form(source, item, "(declare-input X float32 [1,5])")
        match item.items[0].text:
            case "declare-input":
                tensors.append(_tensor(names, item, "input", tensors))
            case "declare-output":
                tensors.append(_tensor(names, item, "output", tensors))
            case "equal-to":
                same_as = _reference(names, item)
            case "isomorphic-to":
                like = _reference(names, item)
            case "declare-hidden":
                _reject_unsupported(source, item, "values inside a network are not read", "a hidden value")
            case _:
                _reject_form(source, item.items[0], "declare-input, declare-output, equal-to, isomorphic-to")
    declared = Declared(name, tuple(tensors), same_as, like, span(source, group))
    _require_ports(source, group, declared)
    names.networks[name] = declared


def _require_ports(source: Source, group: Group, declared: Declared) -> None:
    for kind in ("input", "output"):
        found = [t for t in declared.tensors if t.kind == kind]
        if not found:
            reject("E1273", f"the network `{declared.name}` declares no {kind}", span(source, group))
        if kind == "output" and len(found) > 1:
            reject(
                "E1280",
                f"the network `{declared.name}` has {len(found)} outputs",
                found[1].span,
                "ensc reads networks with one output",
                help="concatenate them in the model",
            )


def _tensor(
    names: Names, item: Group, kind: Literal["input", "output"], siblings: Sequence[Tensor]
) -> Tensor:
    source = names.source
    example = f"(declare-{kind} X float32 [1,5])"
    words = item.items[1:]
    if any(isinstance(word, Word) and word.text == "initialized" for word in words):
        _reject_unsupported(source, item, "initial values come from the model", "`initialized`")
    typed = words[1] if len(words) == 2 else item
    # `float32 [1,5]` is one word, as `X[0,3]` is
    match = _ELEMENT.fullmatch(typed.text) if isinstance(typed, Word) else None
    if match is None or not isinstance(typed, Word):
        _reject_form(source, item, example)
    name = _name(names, words[0])
    if any(t.name == name for t in siblings):
        _reject_twice(source, words[0], name, ())
    element, listed = match.groups()
    if element.lower() not in _REALS:
        _reject_unsupported(source, typed, "real numbers only", f"the element type `{shown(element)}`")
    shape = _numbers(source, typed, listed) if listed.strip() else ()
    tensor = Tensor(name, kind, element, shape, names.size, span(source, item))
    if not 0 < tensor.size <= ELEMENTS or names.size + tensor.size > ELEMENTS:
        reject("E1276", f"the tensor `{name}` has no elements or too many", tensor.span)
    names.size += tensor.size
    names.tensors[name] = tensor
    return tensor


def _reference(names: Names, item: Group) -> str:
    source = names.source
    if len(item.items) != 2 or not isinstance(item.items[1], Word):
        _reject_form(source, item, "(equal-to f)")
    word = item.items[1]
    known = names.networks.get(word.text)
    if known is None:
        reject(
            "E1285",
            f"no network `{shown(word.text)}` is declared before",
            span(source, word),
            help=hint(word.text, names.networks),
        )
    if known.same_as is not None or known.like is not None:
        message = f"`{known.name}` refers to another network itself"
        reject("E1285", message, span(source, word), help=f"name `{known.same_as or known.like}`")
    return known.name


def _name(names: Names, expression: Expression) -> str:
    source = names.source
    if not isinstance(expression, Word) or NAME.fullmatch(expression.text) is None:
        reject(
            "E1274",
            f"`{shown(span(source, expression).text)}` is no name",
            span(source, expression),
            help="a name is a letter followed by letters, digits and underscores",
        )
    name = expression.text
    first: Iterable[Tensor | Declared | None] = (names.tensors.get(name), names.networks.get(name))
    if places := [each.span for each in first if each is not None]:
        _reject_twice(source, expression, name, places)
    return name


def flat_networks(source: Source, groups: Iterable[Group]) -> tuple[Declared, dict[str, int]]:
    """Read the declarations of a 1.0 file: `X_0`, `X_1`, ... and `Y_0`, `Y_1`, ...

    Raises:
        Rejected: E1273, E1274 or E1276.
    """
    places: dict[str, Word] = {}
    indices: dict[str, set[int]] = {"X": set(), "Y": set()}
    for group in groups:
        word = _flat_name(source, group)
        match = _FLAT.fullmatch(word.text)
        if match is None:
            message = f"`{shown(word.text)}` is neither an input `X_i` nor an output `Y_i`"
            reject("E1274", message, span(source, word), help="VNN-LIB 1.0 knows no other variables")
        if word.text in places:
            _reject_twice(source, word, word.text, [span(source, places[word.text])])
        places[word.text] = word
        indices[match[1]].add(int(match[2]))
    sizes = [_run(source, letter, found, places) for letter, found in indices.items()]
    last = max((w.end for w in places.values()), default=0)
    whole = Span(source, 0, min(last, source.text.find("\n") if "\n" in source.text else last))
    tensors = (
        Tensor("X", "input", "Real", (1, sizes[0]), 0, whole),
        Tensor("Y", "output", "Real", (1, sizes[1]), sizes[0], whole),
    )
    starts = {"X": 0, "Y": sizes[0]}
    numbers = {f"{letter}_{i}": starts[letter] + i for letter, found in indices.items() for i in found}
    return Declared(NAMELESS, tensors, None, None, whole), numbers


def flat_element(source: Source, numbers: Mapping[str, int], word: Word) -> int:
    """Return the number of a variable of a 1.0 file.

    Raises:
        Rejected: E1275 if it is not declared.
    """
    number = numbers.get(word.text)
    if number is None:
        _reject_unknown(source, word, word.text, numbers)
    return number


def _flat_name(source: Source, group: Group) -> Word:
    """`(declare-const X_0 Real)` or `(declare-fun X_0 () Real)`."""
    words = group.items[1:]
    real = bool(words) and isinstance(words[-1], Word) and words[-1].text == "Real"
    plain = len(words) == 2 or (len(words) == 3 and isinstance(words[1], Group) and not words[1].items)
    if not real or not plain or not isinstance(words[0], Word):
        _reject_form(source, group, "(declare-const X_0 Real)")
    return words[0]


def _run(source: Source, letter: str, found: set[int], places: Mapping[str, Word]) -> int:
    kind = "input" if letter == "X" else "output"
    if not found:
        place = Span(source, 0, 0)
        reject("E1273", f"no {kind} is declared", place, help=f"add `(declare-const {letter}_0 Real)`")
    if len(found) != max(found) + 1:
        gap = next(i for i in range(len(found) + 1) if i not in found)
        place = span(source, places[f"{letter}_{max(found)}"])
        message = f"`{letter}_{max(found)}` is declared, and `{letter}_{gap}` is not"
        reject("E1276", message, place, help=f"declare every {kind} from {letter}_0 on")
    return len(found)


def _numbers(source: Source, word: Word, listed: str) -> tuple[int, ...]:
    if _INDICES.fullmatch(listed) is None:
        message = f"`[{shown(listed)}]` is no list of sizes or indices"
        reject("E1276", message, span(source, word), help="write whole numbers with commas: `[1,28,28]`")
    numbers = tuple(int(part) for part in listed.split(","))
    if len(numbers) > 16 or prod(numbers) > ELEMENTS:
        reject("E1276", f"`[{shown(listed)}]` is too large", span(source, word))
    return numbers


def _reject_unknown(source: Source, word: Word, name: str, known: Iterable[str]) -> NoReturn:
    reject(
        "E1275",
        f"`{shown(name)}` is not declared",
        span(source, word),
        help=hint(name, list(known)[:1000]),
    )


def _reject_index(source: Source, word: Word, message: str, tensor: Tensor) -> NoReturn:
    related = (Label(tensor.span, "declared here"),)
    reject("E1276", message, span(source, word), related=related, help="indices start at 0")


def _reject_twice(source: Source, place: Expression, name: str, others: Iterable[Span]) -> NoReturn:
    related = tuple(Label(other, "first declared here") for other in others)
    reject("E1274", f"`{shown(name)}` is declared twice", span(source, place), related=related)


def _reject_form(source: Source, place: Expression, example: str) -> NoReturn:
    text = shown(span(source, place).text)
    reject("E1273", f"`{text}` is not understood", span(source, place), help=f"expected `{example}`")


def _reject_unsupported(source: Source, place: Expression, why: str, what: str) -> NoReturn:
    reject("E1280", f"{what} is not supported", span(source, place), why)
