"""How messages show what strangers wrote: names and numbers of any length, with any character."""

from collections.abc import Iterable
from fractions import Fraction

LONGEST = 60


def shown(text: str, longest: int = LONGEST) -> str:
    r"""Return text fit for a terminal: no control characters, at most `longest` characters.

    >>> shown("digits.npz")
    'digits.npz'
    >>> print(shown("a\x1b[31m"))
    a\x1b[31m
    """
    plain = "".join(c if c.isprintable() else _escaped(c) for c in text[: longest + 1])
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def path_text(path: str, longest: int = 200) -> str:
    """Return a path fit for a terminal; of a long one the end, which tells files apart.

    >>> path_text("nets/digits/f1.onnx", 12)
    '.../f1.onnx'
    """
    if len(path) <= longest:
        return shown(path, 4 * longest)
    cut = path[3 - longest :]
    return "..." + shown(cut[max(cut.find("/"), 0) :], 4 * longest)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def number(value: Fraction) -> str:
    """Return a rational as people write it: a short decimal where one exists, else a ratio.

    >>> number(Fraction(7, 5)), number(Fraction(8, 255)), number(Fraction(10) ** 40)
    ('1.4', '8/255', '1e+40')
    """
    if value.denominator == 1 and abs(value) < 10**15:
        return str(value.numerator)
    near = float(value)
    decimal = f"{near:.12g}"
    if Fraction(decimal) == value:
        return decimal
    ratio = f"{value.numerator}/{value.denominator}"
    return ratio if len(ratio) <= 40 else f"about {near:.6g}"


def whole(value: int) -> str:
    """Return an integer as text, a very long one shortened.

    >>> whole(60000), whole(10**40)
    ('60000', '1e+40')
    """
    return number(Fraction(value))


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Return a number of things, in the singular or the plural.

    >>> counted(1, "point"), counted(0, "point"), counted(2, "class", "classes")
    ('1 point', '0 points', '2 classes')
    """
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return names in backquotes, separated by commas; long lists end in how many were left out.

    >>> listed(["x", "y"])
    '`x`, `y`'
    """
    every = list(names)
    parts = [f"`{shown(name)}`" for name in every[:most]]
    more = len(every) - most
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def alternatives(names: Iterable[str]) -> str:
    """Return words as a choice: `a, b or c`.

    >>> alternatives(["L1", "Linf", "L0"])
    'L1, Linf or L0'
    """
    every = list(names)
    return " or ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def shape(dimensions: Iterable[int]) -> str:
    """Return an array shape as `1x8x8`.

    >>> shape((1, 8, 8)), shape(())
    ('1x8x8', 'scalar')
    """
    return "x".join(map(str, dimensions)) or "scalar"
