"""ONNX models in, networks out: `read_network` is the reader, `summarize` what `ensc info` prints."""

from ensc.compiler.frontend.onnx.read import read_network, warnings
from ensc.compiler.frontend.onnx.summary import render_summary, summarize

__all__ = ["read_network", "render_summary", "summarize", "warnings"]
