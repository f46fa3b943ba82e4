"""From files to checked values: query text, data and ONNX models in; syntax trees, problems and networks out."""
