"""Train the three networks of this example and choose its points.

Writes dense_24_16.onnx, dense_20_20.onnx, conv_pool.onnx and points.npz beside this file, or
into `--out`. Two runs on one machine write the same bytes; another machine's matrix kernels round
differently, and a training run amplifies that into other weights.
"""

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

WHITE = 16
"""Largest pixel value of the data; the networks are trained on pixels / WHITE."""

RADIUS = 1 / WHITE
"""L-infinity radius of the training attacks: one pixel level."""

GRID = 2.0**-12
"""Weights are rounded to multiples of this. It bounds the spread of the coefficients that solvers
see, keeps exact rational evaluation cheap and makes weights that are almost zero zero; at this
fineness it does not move the accuracy."""

EPOCHS = 200
BATCH = 64
POINTS_PER_CLASS = 4
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Split:
    """Images (n, 1, 8, 8) in 0..WHITE, labels (n,), and the rows of `load_digits` they are."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]


def load() -> tuple[Split, Split]:
    """Return the training part and the test part (a fifth, stratified by class)."""
    digits = load_digits()
    rows = np.arange(len(digits.target), dtype=np.int64)
    parts = train_test_split(rows, test_size=0.2, random_state=0, stratify=digits.target)
    images = digits.images.astype(np.uint8)[:, None]
    labels = digits.target.astype(np.int64)
    train, test = (Split(images[part], labels[part], part) for part in map(np.sort, parts))
    return train, test


def dense(*widths: int) -> nn.Sequential:
    """Return a fully connected ReLU classifier with the given hidden widths."""
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in itertools.pairwise((64, *widths)):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 10))


def conv_pool(channels: int, hidden: int) -> nn.Sequential:
    """Return conv 3x3, ReLU, max-pool 2x2, dense, ReLU, dense."""
    return nn.Sequential(
        nn.Conv2d(1, channels, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(channels * 9, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 10),
    )


def attack(network: nn.Sequential, x: Tensor, y: Tensor, radius: float) -> Tensor:
    """Return x moved by three steps of projected gradient ascent in an L-infinity ball."""
    low, high = (x - radius).clamp(min=0), (x + radius).clamp(max=1)
    moved = low + (high - low) * torch.rand_like(x)
    for _ in range(3):
        moved.requires_grad_()
        (slope,) = torch.autograd.grad(functional.cross_entropy(network(moved), y), moved)
        moved = (moved.detach() + radius / 2 * slope.sign()).clamp(low, high)
    return moved


def interval(network: nn.Sequential, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Return bounds of the logits over a box, by interval arithmetic."""
    for layer in network:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            centre, half, weight = layer((low + high) / 2), (high - low) / 2, layer.weight.abs()
            if isinstance(layer, nn.Linear):
                spread = functional.linear(half, weight)
            else:
                spread = functional.conv2d(half, weight)
            low, high = centre - spread, centre + spread
        else:
            low, high = layer(low), layer(high)
    return low, high


def loss(network: nn.Sequential, x: Tensor, y: Tensor, radius: float) -> Tensor:
    """Return the training loss: adversarial, a little interval bound, and weight size.

    The interval term (Gowal et al. 2018) is there for the verifier: it makes most units stable
    over a small ball, and lets bounds alone prove many images robust there.
    """
    adversarial = functional.cross_entropy(network(attack(network, x, y, radius)), y)
    low, high = interval(network, (x - radius).clamp(min=0), (x + radius).clamp(max=1))
    worst = torch.where(functional.one_hot(y, 10) == 1, low, high)
    size = sum(p.abs().sum() for p in network.parameters() if p.dim() > 1)
    return 0.97 * adversarial + 0.03 * functional.cross_entropy(worst, y) + 3e-5 * size


def fit(network: nn.Sequential, data: Split) -> None:
    """Train in place, on pixels / WHITE; the radius grows to its full size over the first half."""
    x = torch.from_numpy(data.images).float() / WHITE
    y = torch.from_numpy(data.labels)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1e-2, epochs=EPOCHS, steps_per_epoch=-(-len(x) // BATCH)
    )
    for epoch in range(EPOCHS):
        radius = RADIUS * min(1.0, 2 * (epoch + 1) / EPOCHS)
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            optimizer.zero_grad()
            torch.autograd.backward(loss(network, x[batch], y[batch], radius))
            optimizer.step()
            schedule.step()


def to_pixels(network: nn.Sequential) -> None:
    """Let the network read pixels 0..WHITE, and round its parameters to GRID; in place."""
    layers = [layer for layer in network if isinstance(layer, nn.Linear | nn.Conv2d)]
    with torch.no_grad():
        layers[0].weight /= WHITE
        for parameter in network.parameters():
            # Adding zero turns the -0.0 that rounding leaves into 0.0.
            parameter.copy_(torch.round(parameter / GRID) * GRID + 0)


Part = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]


def affine(layer: nn.Linear | nn.Conv2d, number: int, value: str, result: str, *, gemm: bool) -> Part:
    """Return the nodes and constants of one affine layer."""
    make, to_tensor = onnx.helper.make_node, onnx.numpy_helper.from_array
    weight, bias = layer.weight.detach().numpy(), layer.get_parameter("bias").detach().numpy()
    names = [f"weight{number}", f"bias{number}"]
    if isinstance(layer, nn.Conv2d):
        nodes = [make("Conv", [value, *names], [result], kernel_shape=[3, 3])]
    elif gemm:
        nodes = [make("Gemm", [value, *names], [result], transB=1)]
    else:
        weight, product = np.ascontiguousarray(weight.T), f"product{number}"
        nodes = [
            make("MatMul", [value, names[0]], [product]),
            make("Add", [product, names[1]], [result]),
        ]
    return nodes, [to_tensor(weight, names[0]), to_tensor(bias, names[1])]


def part(layer: nn.Module, number: int, value: str, result: str, *, gemm: bool) -> Part:
    """Return the nodes and constants of one layer."""
    make = onnx.helper.make_node
    match layer:
        case nn.Linear() | nn.Conv2d():
            return affine(layer, number, value, result, gemm=gemm)
        case nn.MaxPool2d():
            return [make("MaxPool", [value], [result], kernel_shape=[2, 2], strides=[2, 2])], []
        case nn.ReLU():
            return [make("Relu", [value], [result])], []
        case nn.Flatten():
            return [make("Flatten", [value], [result])], []
        case _:
            raise TypeError(f"no ONNX form given for {layer}")


def to_onnx(network: nn.Sequential, *, gemm: bool) -> onnx.GraphProto:
    """Return the network as a graph from "x" (N, 1, 8, 8) to "logits" (N, 10).

    Args:
        network: the trained layers, as `to_pixels` leaves them.
        gemm: write a dense layer as one Gemm (as PyTorch exports it) or as MatMul and Add
            (as Keras does), so that the example shows both.
    """
    values = ["x", *(f"value{number}" for number in range(len(network) - 1)), "logits"]
    parts = [
        part(layer, number, values[number], values[number + 1], gemm=gemm)
        for number, layer in enumerate(network)
    ]
    describe, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    return onnx.helper.make_graph(
        [node for nodes, _ in parts for node in nodes],
        "digits",
        [describe("x", float32, ["N", 1, 8, 8])],
        [describe("logits", float32, ["N", 10])],
        [tensor for _, tensors in parts for tensor in tensors],
    )


def correct(model: onnx.ModelProto, data: Split) -> NDArray[np.bool_]:
    """Return which images (n,) the file itself gives their label, in float32."""
    (logits,) = ReferenceEvaluator(model).run(None, {"x": data.images.astype(np.float32)})
    return np.asarray(np.argmax(logits, axis=1) == data.labels)


def to_model(graph: onnx.GraphProto, test: Split) -> onnx.ModelProto:
    """Return the checked model, its test accuracy written into it."""
    model = onnx.helper.make_model(
        graph,
        ir_version=8,
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        producer_name="examples/digits/train.py",
    )
    right = f"{correct(model, test).sum()}/{len(test.labels)}"
    model.doc_string = f"8x8 digits, pixels 0..{WHITE}; {right} test images classified correctly"
    onnx.helper.set_model_props(model, {"test_accuracy": right})
    onnx.checker.check_model(model, full_check=True)
    return model


def members() -> Iterator[tuple[str, nn.Sequential, bool]]:
    """Yield the name, the untrained network and whether to write Gemm, of each member.

    The seed set before a member also rules its training, which happens between two yields:
    no member depends on the ones before it.
    """
    torch.manual_seed(1)
    yield "dense_24_16", dense(24, 16), True
    torch.manual_seed(2)
    yield "dense_20_20", dense(20, 20), False
    torch.manual_seed(0)
    yield "conv_pool", conv_pool(channels=3, hidden=16), True


def choose(test: Split, agreed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return positions in `test`: the first agreed image of each class, then the second, ..."""
    firsts = [np.flatnonzero(agreed & (test.labels == digit))[:POINTS_PER_CLASS] for digit in range(10)]
    return np.stack(firsts, axis=1).ravel()


def main() -> None:
    """Train, write the files, print what they reach."""
    parser = argparse.ArgumentParser(description="train the networks of the digits example")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    train, test = load()
    agreed = np.ones(len(test.labels), dtype=np.bool_)
    for name, network, gemm in members():
        fit(network, train)
        to_pixels(network)
        model = to_model(to_onnx(network, gemm=gemm), test)
        (out / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        agreed &= correct(model, test)
        print(f"{name}: {model.doc_string}")
    chosen = choose(test, agreed)
    # Not compressed: the bytes then depend on no version of zlib.
    np.savez(out / "points.npz", x=test.images[chosen], y=test.labels[chosen], row=test.rows[chosen])
    print(f"points.npz: rows {test.rows[chosen].tolist()} of load_digits")


if __name__ == "__main__":
    main()
