"""What happens after compiling: solvers, decoding, exact certification, reports."""
