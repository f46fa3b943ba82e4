"""From files to checked values: queries, data and ONNX models in; syntax trees, problems, networks out."""
