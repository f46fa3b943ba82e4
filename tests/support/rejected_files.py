"""What the queries of tests/rejected/queries name: small networks and data, most of them wrong somehow."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
from forests import tree_model
from onnx import ModelProto, TensorProto, numpy_helper
from onnx_models import parsed, saved
from PIL import Image
from queries import write_folder

VECTOR, SCORES = "float[N,4] x", "float[N,4] y"


def _graph(nodes: str, weights: str = "", source: str = VECTOR, target: str = SCORES) -> str:
    return f"g ({source}) => ({target}) <{weights}> {{ {nodes} }}"


GRAPHS = {
    "unsupported": _graph('["/blk/Elu_3"] a=Elu(x) ["/blk/Erf_4"] b=Erf(a) y=Elu(b)'),
    "attribute": _graph(
        "a,i=MaxPool<kernel_shape=[1]>(x) b=Cast<to=1>(i) z=Add(a,b) y=Flatten(z)", source="float[N,2,2] x"
    ),
    "computed_weight": _graph("r=Relu(x) y=Mul(x,r)"),
    "open_dimension": _graph("y=Relu(x)", source="float[N,M] x"),
    "two_inputs": _graph("y=Add(x,z)", source="float[N,4] x, float[N,4] z"),
    "two_outputs": _graph("y=Relu(x) z=Neg(x)", target="float[N,4] y, float[N,4] z"),
    "integers": _graph("y=Neg(x)", source="int64[N,4] x", target="int64[N,4] y"),
    "nan": _graph("w=Constant<value=float[4]{1,nan,2,3}>() y=Mul(x,w)"),
    "one_class": _graph("y=ReduceSum<keepdims=1>(x,a)", "int64[1] a={1}", target="float[N,1] y"),
    "fixed_batch": _graph("y=Relu(x)", source="float[3,4] x", target="float[3,4] y"),
    "dangling": _graph("y=Add(x,z)"),
    "softmax": _graph("z=Neg(x) y=Softmax(z)"),
    "huge": _graph("o=Expand(x,n) y=Flatten(o)", "int64[3] n={100000,100000,4}", target="float[A,B] y"),
    "relu": _graph("y=Relu(x)"),
}


def write_files(folder: Path) -> None:
    """Write the networks and data of `queries.write_folder`, and the wrong ones."""
    write_folder(folder)
    for name, graph in GRAPHS.items():
        saved(parsed(graph, 13), folder, f"{name}.onnx")
    saved(parsed(_graph("y=Relu(x)"), 6), folder, "old_operators.onnx")
    saved(_external("../weights.bin"), folder, "external.onnx")
    saved(_chain(2, first=9), folder, "tree_sides.onnx")
    saved(_chain(5000), folder, "tree_depth.onnx")
    (folder / "truncated.onnx").write_bytes((folder / "f1.onnx").read_bytes()[:100])
    (folder / "pointer.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    _write_arrays(folder)
    _write_tables(folder)
    _write_idx(folder)
    _write_images(folder)
    _write_included(folder)
    _write_solutions(folder)


def _chain(depth: int, first: int = 1) -> ModelProto:
    """Return a tree in which every test has the next on its false side, the first one `first`."""
    numbers = np.arange(depth)
    last = numbers == depth - 1
    attributes = {
        "n_targets": 4,
        "tree_roots": [0],
        "nodes_featureids": [0] * depth,
        "nodes_splits": numpy_helper.from_array(numbers.astype(np.float32), "s"),
        "nodes_modes": numpy_helper.from_array(np.zeros(depth, np.uint8), "m"),
        "nodes_truenodeids": numbers.tolist(),
        "nodes_falsenodeids": [first, *np.where(last, depth, numbers + 1)[1:].tolist()],
        "nodes_trueleafs": [1] * depth,
        "nodes_falseleafs": last.astype(int).tolist(),
        "leaf_targetids": [0] * (depth + 1),
        "leaf_weights": numpy_helper.from_array(np.arange(depth + 1, dtype=np.float32), "w"),
    }
    return tree_model("TreeEnsemble", 4, attributes, version=5)


def _write_included(folder: Path) -> None:
    (folder / "latin1.rqi").write_bytes("rq 1.0; // Größe\n".encode("latin-1"))
    (folder / "large.rqi").write_bytes(b"rq 1.0;" + b" " * (1 << 20))
    (folder / "loop.rqi").symlink_to("loop.rqi")
    numbers = "0, " * 200_000
    (folder / "long_list.rqi").write_text(
        f"rq 1.0;\ndata X = points([[1, 2, 3, 4]], labels = [{numbers}0]);\n", encoding="utf-8"
    )
    for depth in range(40):
        text = f'rq 1.0;\ninclude "deep_{depth + 1:02}.rqi";\n'
        (folder / f"deep_{depth:02}.rqi").write_text(text, encoding="utf-8")


def _write_solutions(folder: Path) -> None:
    """Solution files as solvers write them, each with something wrong."""
    head = "Optimal - objective value 1.00000000\n"
    line = "      0 {}                    1                       0\n"
    xml = '<?xml version="1.0"?>\n'
    texts = {
        "no_probabilities": head + line.format("d_1_1_1"),
        "foreign_names": head + line.format("p_1") + line.format("d_1_9_1").replace("0", "1", 1),
        "not_a_number": head + line.format("p_1").replace(" 1 ", " nan "),
        "unknown_format": "the answer is 42\n",
        "empty": "",
        "cut": head + "      0 p_1                    1\n",
        "cut_xml": f"{xml}<CPLEXSolution>\n <header objectiveValue='1'/>\n",
        "doctype": f"{xml}<!DOCTYPE a [<!ENTITY b 'c'>]>\n<CPLEXSolution>\n</CPLEXSolution>\n",
        "twice": head + line.format("p_1") + line.format("p_1").replace("0", "1", 1),
        "contradiction": head + line.format("p_1") + line.format("p_2") + line.format("p_3"),
        "no_names": "c Status: INTEGER OPTIMAL\ns mip 1 1 o 1\ni 1 1\nj 1 1\ne o f\n",
        "irrational": "sat\n(\n  (define-fun p_1 () Real (root-obj (+ (^ x 2) (- 2)) 2))\n)\n",
        "sweep": head + line.format("p_1"),
    }
    for name, text in texts.items():
        (folder / f"{name}.sol").write_text(text, encoding="ascii")
    (folder / "folder.sol").mkdir()
    (folder / "no_text.sol").write_bytes(bytes(range(128, 256)))
    (folder / "damaged.sol").write_bytes(gzip.compress(head.encode(), mtime=0)[:-12])
    for name in ("large.sol", "large.csv"):
        with (folder / name).open("wb") as stream:
            stream.truncate(2 << 30)  # a hole: it takes no room on the disk


def _external(location: str) -> ModelProto:
    model = parsed(_graph("y=Add(x,w)"))
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weights.external_data.add(key="location", value=location)
    model.graph.initializer.append(weights)
    return model


def _write_arrays(folder: Path) -> None:
    points = np.arange(12, dtype=np.uint8).reshape(3, 4)
    labels = np.arange(3)
    np.savez(folder / "missing_label.npz", x=np.vstack([points, points[:1]]), y=labels)
    np.savez(folder / "nan.npz", x=np.where(points == 6, np.nan, points), y=labels)
    np.savez(folder / "words.npz", x=points.astype(str), y=labels)
    np.savez(folder / "half_labels.npz", x=points, y=labels / 2)
    np.savez(folder / "one_based.npz", x=points, y=labels + 1)
    np.savez(folder / "wide.npz", x=np.zeros((3, 9)), y=labels)
    np.savez(folder / "hwc.npz", x=np.zeros((3, 2, 2, 3)), y=labels)
    np.savez(folder / "square.npz", x=np.zeros((3, 2, 6)), y=labels)
    np.savez(folder / "none.npz", x=np.zeros((0, 4)), y=np.zeros(0, int))
    (folder / "no_zip.npz").write_bytes(b"x = 1, 2, 3")
    (folder / "cut.npz").write_bytes((folder / "p.npz").read_bytes()[:-40])
    _write_bomb(folder / "bomb.npz")


def _write_bomb(path: Path) -> None:
    """An archive of a few kilobytes whose array says that it holds 32 TiB."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 4), }"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", content)


def _write_tables(folder: Path) -> None:
    tables = {
        "ragged.csv": "1,2,3,4,0\n1,2,3,0\n",
        "word.csv": "1,2,3,4,0\n1,two,3,4,0\n",
        "header.csv": "a,b,c,d,class\n1,2,3,4,0\n",
        "empty.csv": "",
        "labels.csv": "grey.png,0\nalpha.png,0\nno_image.png,0\n",
        "other_labels.csv": "photo.png,0\n",
    }
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")


def _write_idx(folder: Path) -> None:
    images = struct.pack(">BBBB3I", 0, 0, 0x08, 3, 3, 2, 2) + bytes(12)
    (folder / "images.idx").write_bytes(images)
    (folder / "cut.idx").write_bytes(images[:-3])
    (folder / "two_labels.idx").write_bytes(struct.pack(">BBBBI", 0, 0, 0x08, 1, 2) + bytes(2))
    (folder / "cut.idx.gz").write_bytes(gzip.compress(images, mtime=0)[:-12])


def _write_images(folder: Path) -> None:
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(folder / "grey.png")
    Image.fromarray(np.zeros((2, 2, 4), np.uint8)).save(folder / "alpha.png")
    (folder / "no_image.png").write_bytes(b"GIF89a")
