"""Why an operator is not read, and what would make the model readable."""

from dataclasses import dataclass

from ensc.compiler.frontend.onnx.graph import Node


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why operators are refused, and the way out.

    Attributes:
        why: half a sentence.
        advice: what to do.
        operators: the operators of which this is true.
        entrywise: whether their results have the shape of their inputs.
    """

    why: str
    advice: str
    operators: frozenset[str]
    entrywise: bool = False


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OTHER = Refusal(
    "ensc does not know this operator",
    "rewrite it with operators that are read, or end the model before it",
    frozenset(),
)
_FOREIGN = Refusal(
    "it is no operator of the ONNX standard",
    "export the plain model, before a runtime has optimised it for itself",
    frozenset(),
)
_LEARNING = Refusal(
    "of the operators of classical machine learning, only linear ones and trees are read",
    "export the neural network alone",
    frozenset(),
)
_NORMALIZER = Refusal(
    "it divides by a norm that is computed from the input; only at the very end of a network, where that "
    "keeps the order of the classes, is it left out",
    "normalise the data before they reach the model, and export the model without it",
    frozenset(),
)
_REFUSALS = (
    Refusal(
        "its graph is curved, and ensc reads piecewise-linear networks",
        "train with Relu, LeakyRelu, Clip or HardSigmoid in its place",
        _names(
            "Acos Acosh Asin Asinh Atan Atanh Celu Cos Cosh Elu Erf Exp Gelu HardSwish Log Mish "
            "Reciprocal Selu Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh"
        ),
        entrywise=True,
    ),
    Refusal(
        "it is curved; only at the very end of a network, where it keeps the order of the classes, "
        "is it left out",
        "end the model there, or replace it inside the network",
        _names("LogSoftmax Sigmoid Softmax"),
        entrywise=True,
    ),
    Refusal(
        "its result is no linear function of its input",
        "replace it by ReduceSum, ReduceMean or ReduceMax",
        _names("ReduceL2 ReduceLogSum ReduceLogSumExp ReduceProd ReduceSumSquare"),
    ),
    Refusal(
        "it jumps, and a solver's constraints can only describe closed sets",
        "end the model before it, at the scores of the classes",
        _names(
            "And ArgMax ArgMin BitShift Ceil Equal Floor Greater GreaterOrEqual Hardmax IsInf IsNaN "
            "Less LessOrEqual Mod NonZero Not OneHot Or Round Sign ThresholdedRelu TopK "
            "Unique Xor"
        ),
    ),
    Refusal(
        "it divides by a number that is computed from the input",
        "use BatchNormalization in its place",
        _names(
            "GroupNormalization InstanceNormalization LRN LayerNormalization LpNormalization "
            "MeanVarianceNormalization RMSNormalization"
        ),
    ),
    Refusal(
        "it multiplies computed values with each other",
        "products of two values that depend on the input are not piecewise linear",
        _names("Attention Det GridSample LinearAttention"),
    ),
    Refusal(
        "quantised arithmetic rounds computed values, a step function",
        "export the model before quantisation",
        _names("ConvInteger DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul QuantizeLinear"),
    ),
    Refusal(
        "control flow and recurrence are not unrolled",
        "export the model for inputs of one fixed shape, so that the exporter unrolls it",
        _names("GRU LSTM Loop RNN Scan SequenceMap"),
    ),
    Refusal(
        "it draws random numbers",
        "export the model in evaluation mode",
        _names("Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike"),
    ),
)


def refusal(node: Node) -> Refusal:
    """Return why an operator is not read."""
    match node.domain:
        case "":
            return next((r for r in _REFUSALS if node.operator in r.operators), _OTHER)
        case "ai.onnx.ml":
            if node.operator == "Binarizer":
                return next(r for r in _REFUSALS if "Sign" in r.operators)
            return _NORMALIZER if node.operator == "Normalizer" else _LEARNING
        case _:
            return _FOREIGN
