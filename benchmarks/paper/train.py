"""Train the ensembles of the 38 benchmark rows and write them to networks/.

    python benchmarks/paper/train.py --mnist mnist.npz --gtsrb gtsrb.npz [--only NAME]

Needs PyTorch (the `train` extra). Every member has its own seed and architecture, reads pixels 0..255 of
shape (1, 1, n, n) and returns two logits. Two runs on one machine write the same bytes; another machine's
matrix kernels round differently, and a training run amplifies that into other weights. What the files reach
on test pictures is in networks/accuracy.csv.
"""

import argparse
import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from pictures import Pictures, Split, mnist, signs
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).parent
SCALE = 256
"""Networks are trained on pixels / SCALE; a power of two, so that folding it into the weights is exact."""

GRID = 2.0**-12
"""Weights are rounded to multiples of this before the fold: what is almost zero becomes zero."""

EPOCHS = 12
BATCH = 64
OPSET = 17

Build: TypeAlias = Callable[[int], list[nn.Module]]


def dense(*widths: int) -> Build:
    """Return a builder of a fully connected network with the given hidden widths."""

    def build(size: int) -> list[nn.Module]:
        return [nn.Flatten(), *_head(size * size, *widths)]

    return build


def _head(*widths: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return [*layers, nn.Linear(widths[-1], 2)]


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution with rectifier: output channels, kernel width, padding."""

    channels: int
    width: int = 3
    padding: int = 0


POOL = nn.MaxPool2d(2)


def convolutional(parts: Sequence[Conv | nn.MaxPool2d], *widths: int) -> Build:
    """Return a builder of convolutions and max-pooling, then dense layers."""

    def build(size: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        channels, side = 1, size
        for part in parts:
            if isinstance(part, Conv):
                layers += [nn.Conv2d(channels, part.channels, part.width, padding=part.padding), nn.ReLU()]
                channels, side = part.channels, side + 2 * part.padding - part.width + 1
            else:
                layers.append(nn.MaxPool2d(2))
                side //= 2
        return [*layers, nn.Flatten(), *_head(channels * side * side, *widths)]

    return build


SIX = dense(16, 12, 12, 8, 8)
FOUR = dense(24, 16, 8)
THREE = dense(20, 10)
NARROW = dense(12, 12, 12, 12, 12)

TWO_CONVS = (
    convolutional([Conv(3), Conv(3), POOL], 8),
    convolutional([Conv(2), Conv(4), POOL], 12),
    convolutional([Conv(2, padding=1), POOL, Conv(4)], 8),
)
THREE_CONVS = (
    convolutional([Conv(2, padding=1), Conv(3), POOL, Conv(4, width=2)], 8),
    convolutional([Conv(2), Conv(3), POOL, Conv(6, width=2)], 8),
    convolutional([Conv(3), Conv(3), Conv(4)], 8),
)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What is trained for one name of the paper's table.

    Attributes:
        name: the paper's.
        size: pixels on each side.
        digits: the two digits, or none for traffic signs.
        members: what builds each member.
    """

    name: str
    size: int
    digits: tuple[int, ...]
    members: tuple[Build, ...]

    @property
    def title(self) -> str:
        """The name of its files."""
        return f"{self.name}_{self.size}x{self.size}"


ENSEMBLES = (
    Ensemble("mnist_0_1", 7, (0, 1), (SIX, FOUR, NARROW)),
    Ensemble("mnist_0_1", 8, (0, 1), (SIX, FOUR, NARROW)),
    Ensemble("mnist_0_1_2convs", 8, (0, 1), TWO_CONVS),
    Ensemble("mnist_0_1_3convs", 8, (0, 1), THREE_CONVS),
    Ensemble("mnist_0_2", 9, (0, 2), (SIX, FOUR, NARROW)),
    Ensemble("mnist_3_6", 8, (3, 6), (SIX, FOUR, NARROW, THREE)),
    Ensemble("mnist_4_5", 10, (4, 5), (SIX, FOUR, NARROW)),
    Ensemble("mnist_7_8", 6, (7, 8), (SIX, FOUR, NARROW)),
    Ensemble("traffic_signs", 10, (), (SIX, convolutional([Conv(2), POOL], 8), FOUR)),
)


def _tensors(pictures: Pictures) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(pictures.x[:, None].astype(np.float32)) / SCALE, torch.from_numpy(pictures.y)


def fit(network: nn.Sequential, data: Pictures) -> None:
    """Train in place with Adam on pixels / SCALE; a penalty keeps many weights small."""
    x, y = _tensors(data)
    optimizer = torch.optim.Adam(network.parameters())
    steps = -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, epochs=EPOCHS, steps_per_epoch=steps)
    weights = [p for p in network.parameters() if p.dim() > 1]
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(x[batch]), y[batch])
            loss = loss + 1e-4 * sum(w.abs().sum() for w in weights)
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()


def fold(network: nn.Sequential) -> None:
    """Round the parameters to GRID and let the network read pixels 0..255; in place."""
    first = next(layer for layer in network if isinstance(layer, nn.Linear | nn.Conv2d))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.round(parameter / GRID) * GRID + 0)  # adding zero makes -0.0 zero
        first.weight /= SCALE


def _node(
    layer: nn.Module, number: int, value: str, result: str
) -> tuple[onnx.NodeProto, list[onnx.TensorProto]]:
    make = onnx.helper.make_node
    match layer:
        case nn.Linear() | nn.Conv2d():
            names = [f"weight{number}", f"bias{number}"]
            arrays = (layer.weight.detach().numpy(), layer.get_parameter("bias").detach().numpy())
            tensors = [onnx.numpy_helper.from_array(a, n) for a, n in zip(arrays, names, strict=True)]
            if isinstance(layer, nn.Linear):
                return make("Gemm", [value, *names], [result], transB=1), tensors
            pads = [int(layer.padding[0])] * 4
            kernel = list(layer.kernel_size)
            return make("Conv", [value, *names], [result], kernel_shape=kernel, pads=pads), tensors
        case nn.MaxPool2d():
            return make("MaxPool", [value], [result], kernel_shape=[2, 2], strides=[2, 2]), []
        case nn.ReLU():
            return make("Relu", [value], [result]), []
        case nn.Flatten():
            return make("Flatten", [value], [result]), []
        case _:
            raise TypeError(f"no ONNX form given for {layer}")


def to_onnx(network: nn.Sequential, title: str, size: int) -> onnx.ModelProto:
    """Return the network as a checked model from "x" (1, 1, size, size) to "logits" (1, 2)."""
    values = ["x", *(f"value{number}" for number in range(len(network) - 1)), "logits"]
    nodes, tensors = [], []
    for number, layer in enumerate(network):
        node, constants = _node(layer, number, values[number], values[number + 1])
        nodes.append(node)
        tensors += constants
    describe, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    ends = [describe("x", float32, [1, 1, size, size])], [describe("logits", float32, [1, 2])]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, title, *ends, tensors),
        ir_version=8,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        producer_name="benchmarks/paper/train.py",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def correct(model: onnx.ModelProto, test: Pictures) -> int:
    """Return how many test pictures the file itself gives their label, in float32."""
    evaluator = ReferenceEvaluator(model)
    logits = [evaluator.run(None, {"x": x[None, None].astype(np.float32)})[0][0] for x in test.x]
    return int((np.argmax(logits, axis=1) == test.y).sum())


def shape(network: nn.Sequential) -> str:
    """Return the architecture in a few words."""
    words = []
    for layer in network:
        match layer:
            case nn.Linear():
                words.append(str(layer.out_features))
            case nn.Conv2d():
                words.append(f"conv{layer.kernel_size[0]}x{layer.out_channels}")
            case nn.MaxPool2d():
                words.append("pool")
            case _:
                pass
    return " ".join(words)


def train(ensemble: Ensemble, data: Split, folder: Path) -> list[dict[str, object]]:
    """Train, write and test the members of an ensemble; return their rows of the accuracy table."""
    rows: list[dict[str, object]] = []
    for c, build in enumerate(ensemble.members, start=1):
        torch.manual_seed(1000 * len(ensemble.title) + 10 * ensemble.size + c)
        network = nn.Sequential(*build(ensemble.size))
        fit(network, data.train)
        fold(network)
        model = to_onnx(network, f"{ensemble.title}_{c}", ensemble.size)
        file = f"{ensemble.title}_{c}.onnx"
        (folder / file).write_bytes(model.SerializeToString(deterministic=True))
        right, tested = correct(model, data.test), len(data.test.y)
        rows.append(
            {
                "network": file,
                "layers": shape(network),
                "correct": right,
                "tested": tested,
                "accuracy": f"{right / tested:.4f}",
            }
        )
        print(*rows[-1].values(), flush=True)
    return rows


def main() -> None:
    """Train what is asked for, and bring the accuracy table up to date."""
    parser = argparse.ArgumentParser(description="train the ensembles of the paper's benchmark rows")
    parser.add_argument("--mnist", type=Path, required=True, help="npz file, or folder of idx files")
    parser.add_argument(
        "--gtsrb", type=Path, required=True, help="npz file, or folder of the official layout"
    )
    parser.add_argument("--only", help="train only the ensembles whose name starts like this", default="")
    parser.add_argument("--out", type=Path, default=HERE / "networks", help="folder to write to")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    options.out.mkdir(exist_ok=True)
    table = options.out / "accuracy.csv"
    rows = {row["network"]: row for row in _read(table)}
    for ensemble in ENSEMBLES:
        if ensemble.title.startswith(options.only):
            data = (
                mnist(options.mnist, ensemble.digits, ensemble.size)
                if ensemble.digits
                else signs(options.gtsrb, ensemble.size)
            )
            rows |= {str(row["network"]): row for row in train(ensemble, data, options.out)}
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(
            file, ["network", "layers", "correct", "tested", "accuracy"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))


def _read(table: Path) -> list[dict[str, object]]:
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return [dict(row) for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
