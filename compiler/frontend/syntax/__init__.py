"""Query text to syntax tree and back, with every mistake of syntax named."""
