"""Words of a query that have to be one of several."""

from collections.abc import Collection

from ensc.compiler.diagnostics import reject
from ensc.compiler.quoting import alternatives
from ensc.compiler.types.syntax import Name
from ensc.compiler.words import hint


def require_known(name: Name, words: Collection[str], code: str, message: str) -> None:
    """Refuse a word that is none of those expected; the diagnostic lists them and names the nearest.

    Raises:
        Rejected: the code.
    """
    if name.text not in words:
        reject(code, message, name.span, f"expected {alternatives(words)}", help=hint(name.text, words))
