"""Export small PyTorch networks by both exporters of PyTorch: `python tests/zoo/export_torch.py`.

Needs torch, onnx and onnxscript, in an environment of their own. Writes NAME_legacy.onnx (operator set 17,
open batch) and NAME_dynamo.onnx (operator set 20) beside this file, without traces of the machine.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).parent
Layers: TypeAlias = Any
"""`nn.ModuleList`, which the type checker does not know: PyTorch is installed by few."""


class Wired(nn.Module):  # type: ignore[misc] # its base is as unknown
    """Layers, and how they are wired."""

    def __init__(self, wiring: Callable[[Layers, Tensor], Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.wiring, self.layers = wiring, nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.wiring(self.layers, x)


def residual(m: Layers, x: Tensor) -> Tensor:
    h = functional.relu(m[0](x))
    return m[3](torch.flatten(functional.relu(m[2](m[1](h)) + h), 1))


def inception(m: Layers, x: Tensor) -> Tensor:
    parts = [functional.relu(m[0](x)), functional.relu(m[1](x)), functional.max_pool2d(x, 3, 1, 1)]
    return m[2](torch.cat(parts, 1).flatten(1))


def halves(m: Layers, x: Tensor) -> Tensor:
    a, b = m[0](x).chunk(2, 1)
    return m[1](functional.relu(a) - functional.relu(b))


IMAGE, VECTOR = (1, 8, 8), (12,)
Linear = nn.Linear
NETWORKS: dict[str, tuple[tuple[int, ...], Callable[[], nn.Module]]] = {
    "dense": (VECTOR, lambda: nn.Sequential(Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), Linear(8, 3))),
    "no_bias": (
        VECTOR,
        lambda: nn.Sequential(Linear(12, 8, bias=False), nn.ReLU(), Linear(8, 3, bias=False)),
    ),
    "prelu": (VECTOR, lambda: nn.Sequential(Linear(12, 8), nn.PReLU(8), nn.Dropout(), Linear(8, 3))),
    "hardtanh": (VECTOR, lambda: nn.Sequential(Linear(12, 8), nn.Hardtanh(), Linear(8, 3), nn.Softmax(1))),
    "halves": (VECTOR, lambda: Wired(halves, Linear(12, 8), Linear(4, 3))),
    "maxout": (
        VECTOR,
        lambda: Wired(lambda m, x: m[1](m[0](x).view(-1, 4, 2).max(-1)[0]), Linear(12, 8), Linear(4, 3)),
    ),
    "one_logit": (VECTOR, lambda: nn.Sequential(Linear(12, 8), nn.ReLU6(), Linear(8, 1), nn.Sigmoid())),
    "view": (
        IMAGE,
        lambda: Wired(
            lambda m, x: m[1](functional.relu(m[0](x)).view(x.size(0), -1)),
            nn.Conv2d(1, 3, 3),
            Linear(108, 3),
        ),
    ),
    "pools": (
        IMAGE,
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1, bias=False),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
            nn.AvgPool2d(2, 1, padding=1, count_include_pad=False),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            Linear(3, 3),
        ),
    ),
    "padded": (
        IMAGE,
        lambda: nn.Sequential(
            nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(1, 2, 3, stride=2), nn.ReLU(), nn.Flatten(), Linear(40, 3)
        ),
    ),
    "separable": (
        IMAGE,
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.ReLU6(),
            nn.Conv2d(4, 4, 3, groups=4, dilation=2),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
            Linear(16, 3),
        ),
    ),
    "residual": (
        IMAGE,
        lambda: Wired(
            residual,
            nn.Conv2d(1, 3, 3, padding=1),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            Linear(192, 3),
        ),
    ),
    "inception": (
        IMAGE,
        lambda: Wired(inception, nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 3, padding=1), Linear(320, 3)),
    ),
    "upsampled": (
        IMAGE,
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(2, 1, 2, stride=2),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Flatten(),
            Linear(144, 3),
        ),
    ),
    "sequence": (
        (2, 16),
        lambda: nn.Sequential(
            nn.Conv1d(2, 3, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.AvgPool1d(2),
            nn.Flatten(),
            Linear(12, 3),
        ),
    ),
    "refused_gelu": (VECTOR, lambda: nn.Sequential(Linear(12, 8), nn.GELU(), Linear(8, 3))),
    "refused_norm": (VECTOR, lambda: nn.Sequential(Linear(12, 8), nn.LayerNorm(8), nn.ReLU(), Linear(8, 3))),
    "refused_product": (VECTOR, lambda: Wired(lambda m, x: m[0](x * x), Linear(12, 3))),
}


def trained(make: Callable[[], nn.Module]) -> nn.Module:
    """Return a network with statistics as training leaves them."""
    torch.manual_seed(1)
    network = make().eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
    return network


def cleaned(path: Path) -> None:
    """Remove what an exporter says about the machine and the source code."""
    model = onnx.load(path)
    for item in (
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
        model.graph,
    ):
        item.doc_string = ""
        del item.metadata_props[:]
    model.doc_string = ""
    del model.metadata_props[:], model.graph.value_info[:]
    onnx.save(model, path)


def main() -> None:
    for name, (shape, make) in NETWORKS.items():
        network, x = trained(make), torch.randn(2, *shape)
        legacy, dynamo = (HERE / f"{name}_{kind}.onnx" for kind in ("legacy", "dynamo"))
        torch.onnx.export(
            network,
            (x,),
            legacy,
            dynamo=False,
            opset_version=17,
            input_names=["x"],
            dynamic_axes={"x": {0: "n"}},
        )
        sizes: Any = ({0: torch.export.Dim("n", min=1)},)
        if name == "inception":  # this exporter wants a fixed batch here and there
            x, sizes = x[:1], None
        torch.onnx.export(
            network, (x,), dynamo, dynamo=True, opset_version=20, external_data=False, dynamic_shapes=sizes
        )
        cleaned(legacy)
        cleaned(dynamo)


if __name__ == "__main__":
    main()
