"""Which operators are read, and by which function."""

from ensc.compiler.frontend.onnx import (
    classical,
    contraction,
    elementwise,
    ensembles,
    kinks,
    linear,
    machines,
    movement,
    passing,
    pooling,
    reshaping,
    resizing,
    scattering,
    sources,
    spreading,
    upsampling,
)
from ensc.compiler.frontend.onnx.build import Builder
from ensc.compiler.frontend.onnx.folding import FOLDED, fold
from ensc.compiler.frontend.onnx.graph import Node
from ensc.compiler.frontend.onnx.refusals import refusal
from ensc.compiler.frontend.onnx.tensor import Constant, Inputs, Tensor

# Those that `lower` has a case for: a test keeps the two equal. The operators in `FOLDED` are read on
# constants besides, and some more at the end of the network (see `ending`).
SUPPORTED = (
    "Abs",
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "CastLike",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvTranspose",
    "CumSum",
    "DepthToSpace",
    "Div",
    "Dropout",
    "Einsum",
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gemm",
    "GlobalAveragePool",
    "GlobalLpPool",
    "GlobalMaxPool",
    "HardSigmoid",
    "Identity",
    "LeakyRelu",
    "LpPool",
    "MatMul",
    "Max",
    "MaxPool",
    "Mean",
    "Min",
    "Mul",
    "Neg",
    "PRelu",
    "Pad",
    "Pow",
    "ReduceL1",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Resize",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Shape",
    "Shrink",
    "Size",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Sub",
    "Sum",
    "Tile",
    "Transpose",
    "Trilu",
    "Unsqueeze",
    "Upsample",
    "Where",
    "ai.onnx.ml.ArrayFeatureExtractor",
    "ai.onnx.ml.FeatureVectorizer",
    "ai.onnx.ml.Imputer",
    "ai.onnx.ml.LinearClassifier",
    "ai.onnx.ml.LinearRegressor",
    "ai.onnx.ml.SVMClassifier",
    "ai.onnx.ml.SVMRegressor",
    "ai.onnx.ml.Scaler",
    "ai.onnx.ml.TreeEnsemble",
    "ai.onnx.ml.TreeEnsembleClassifier",
    "ai.onnx.ml.TreeEnsembleRegressor",
)
# What may stand behind an operator that closes the network: it changes neither the numbers nor their order.
TRANSPARENT = ("Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")


def is_supported(node: Node, *, computed: bool) -> bool:
    """Return whether some use of the operator is read, on computed values or on constants."""
    return node.title in {*SUPPORTED, "If"} or (not node.domain and not computed and node.operator in FOLDED)


def lower(  # noqa: PLR0915 - one case for each operator, and nothing else
    node: Node, inputs: Inputs, build: Builder, *, closes: bool = False
) -> Tensor | tuple[Tensor | None, ...]:
    """Return what a node makes of its inputs, adding layers to the network.

    Args:
        node: the node.
        inputs: what its input names stand for; None for those left out.
        build: the network.
        closes: whether the operator is at the end of the network.

    Raises:
        Rejected: the node is invalid, or computes what ensc cannot read.
    """
    constants = [t for t in inputs if isinstance(t, Constant | None)]
    if len(constants) == len(inputs) and not node.domain and node.operator in FOLDED:
        array, exact = fold(node, constants)
        if not exact:
            build.rounded.append(f"`{node.title}` of constants at {node.where}")
        return Constant(array)
    if closes and node.title in passing.CLOSING:
        return passing.closing(node, inputs, build)
    match node.title:
        case "Add" | "Sub" | "Sum":
            return elementwise.add(node, inputs, build)
        case "Mean":
            return elementwise.mean(node, inputs, build)
        case "Mul":
            return elementwise.multiply(node, inputs, build)
        case "Div":
            return elementwise.divide(node, inputs, build)
        case "Pow":
            return elementwise.power(node, inputs, build)
        case "Neg":
            return elementwise.negate(node, inputs, build)
        case "Relu":
            return elementwise.relu(node, inputs, build)
        case "Abs":
            return elementwise.absolute(node, inputs, build)
        case "LeakyRelu" | "PRelu":
            return elementwise.leaky(node, inputs, build)
        case "Clip":
            return elementwise.clip(node, inputs, build)
        case "HardSigmoid":
            return elementwise.hard_sigmoid(node, inputs, build)
        case "Max" | "Min":
            return elementwise.extremum(node, inputs, build)
        case "MatMul":
            return linear.matmul(node, inputs, build)
        case "Gemm":
            return linear.gemm(node, inputs, build)
        case "Conv":
            return linear.convolution(node, inputs, build)
        case "ConvTranspose":
            return upsampling.transposed_convolution(node, inputs, build)
        case "BatchNormalization":
            return linear.batch_normalization(node, inputs, build)
        case "MaxPool":
            return pooling.max_pool(node, inputs, build)
        case "AveragePool":
            return pooling.average_pool(node, inputs, build)
        case "GlobalAveragePool" | "GlobalLpPool" | "GlobalMaxPool":
            return pooling.global_pool(node, inputs, build)
        case "LpPool":
            return pooling.norm_pool(node, inputs, build)
        case "ReduceL1" | "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum":
            return pooling.reduction(node, inputs, build)
        case "CumSum":
            return pooling.cumulative_sum(node, inputs, build)
        case "Reshape":
            return reshaping.reshape(node, inputs, build)
        case "Flatten":
            return reshaping.flatten(node, inputs, build)
        case "Squeeze":
            return reshaping.squeeze(node, inputs, build)
        case "Unsqueeze":
            return reshaping.unsqueeze(node, inputs, build)
        case "Transpose":
            return movement.transpose(node, inputs, build)
        case "Concat":
            return movement.concat(node, inputs, build)
        case "Split":
            return movement.split(node, inputs, build)
        case "Slice":
            return movement.slices(node, inputs, build)
        case "Gather":
            return movement.gather(node, inputs, build)
        case "GatherElements":
            return movement.gather_elements(node, inputs, build)
        case "GatherND":
            return movement.gather_nd(node, inputs, build)
        case "Where":
            return (kinks.bent if "slopes" in node.attributes else movement.where)(node, inputs, build)
        case "Trilu":
            return movement.triangle(node, inputs, build)
        case "Expand":
            return spreading.expand(node, inputs, build)
        case "Tile":
            return spreading.tile(node, inputs, build)
        case "Pad":
            return spreading.pad(node, inputs, build)
        case "DepthToSpace":
            return spreading.depth_to_space(node, inputs, build)
        case "SpaceToDepth":
            return spreading.space_to_depth(node, inputs, build)
        case "Resize" | "Upsample":
            return resizing.resize(node, inputs, build)
        case "Identity":
            return passing.identity(node, inputs, build)
        case "Dropout":
            return passing.dropout(node, inputs, build)
        case "Cast":
            return passing.cast_real(node, inputs, build)
        case "CastLike":
            return passing.cast_like(node, inputs, build)
        case "Einsum":
            return contraction.einsum(node, inputs, build)
        case "Scatter" | "ScatterElements":
            return scattering.scatter_elements(node, inputs, build)
        case "ScatterND":
            return scattering.scatter_nd(node, inputs, build)
        case "Shrink":
            return elementwise.shrink(node, inputs, build)
        case "Constant":
            return sources.given(node, inputs, build)
        case "ConstantOfShape":
            return sources.filled(node, inputs, build)
        case "Shape":
            return sources.shape(node, inputs, build)
        case "Size":
            return sources.size(node, inputs, build)
        case "ai.onnx.ml.ArrayFeatureExtractor":
            return classical.selected(node, inputs, build)
        case "ai.onnx.ml.FeatureVectorizer":
            return classical.joined(node, inputs, build)
        case "ai.onnx.ml.Imputer":
            return classical.imputed(node, inputs)
        case "ai.onnx.ml.LinearRegressor":
            return machines.linear_regressor(node, inputs, build)
        case "ai.onnx.ml.SVMClassifier":
            return machines.vector_classifier(node, inputs, build, closes=closes)
        case "ai.onnx.ml.SVMRegressor":
            return machines.vector_regressor(node, inputs, build)
        case "ai.onnx.ml.Scaler":
            return classical.scaler(node, inputs, build)
        case "ai.onnx.ml.LinearClassifier":
            return classical.linear_classifier(node, inputs, build, closes=closes)
        case "ai.onnx.ml.TreeEnsemble":
            return ensembles.tree_ensemble(node, inputs, build, closes=closes)
        case "ai.onnx.ml.TreeEnsembleClassifier":
            return ensembles.tree_classifier(node, inputs, build, closes=closes)
        case "ai.onnx.ml.TreeEnsembleRegressor":
            return ensembles.tree_regressor(node, inputs, build, closes=closes)
        case _:
            node.reject("E0507", f"unsupported operator: {refusal(node).why}", refusal(node).advice)
