"""Export small Keras networks by tf2onnx and by Keras itself: `python tests/zoo/export_keras.py`.

Needs tensorflow, keras and tf2onnx, in an environment of their own. Writes keras_NAME_tf2onnx.onnx and
keras_NAME_export.onnx beside this file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers

HERE = Path(__file__).parent


def stacked(shape: tuple[int, ...], *parts: Any) -> Any:
    return keras.Sequential([keras.Input(shape), *parts])


def wired(shape: tuple[int, ...], wiring: Callable[[Any], Any]) -> Any:
    x = keras.Input(shape)
    return keras.Model(x, wiring(x))


def residual(x: Any) -> Any:
    h = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    again = layers.BatchNormalization()(layers.Conv2D(3, 3, padding="same")(h))
    return layers.Dense(3)(layers.Flatten()(layers.ReLU()(layers.Add()([h, again]))))


def averaged(x: Any) -> Any:
    return layers.Dense(3)(layers.Average()([layers.Dense(8, "relu")(x), layers.Dense(8)(x)]))


def largest(x: Any) -> Any:
    return layers.Dense(3)(layers.Maximum()([layers.Dense(8)(x), layers.Dense(8)(x)]))


def product(x: Any) -> Any:
    return layers.Dense(3)(layers.Multiply()([layers.Dense(8)(x), layers.Dense(8)(x)]))


Dense, Conv2D = layers.Dense, layers.Conv2D
NETWORKS: dict[str, Callable[[], Any]] = {
    "dense": lambda: stacked(
        (12,), Dense(8), layers.BatchNormalization(), layers.ReLU(), Dense(3, "softmax")
    ),
    "one_logit": lambda: stacked((12,), Dense(8), layers.LeakyReLU(), Dense(1, "sigmoid")),
    "prelu": lambda: stacked((12,), Dense(8), layers.PReLU(alpha_initializer="uniform"), Dense(3)),
    "clipped": lambda: stacked((12,), Dense(8, "hard_sigmoid"), layers.ReLU(max_value=6), Dense(3)),
    "rescaled": lambda: stacked(
        (8, 8, 1), layers.Rescaling(1 / 255), layers.Flatten(), Dense(8, "relu"), Dense(3)
    ),
    "pools": lambda: stacked(
        (7, 7, 2),
        Conv2D(3, 3, padding="same", strides=2, activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.AveragePooling2D(2, padding="same"),
        layers.Flatten(),
        Dense(3),
    ),
    "separable": lambda: stacked(
        (8, 8, 2),
        layers.DepthwiseConv2D(3, activation="relu"),
        layers.SeparableConv2D(3, 3),
        layers.GlobalAveragePooling2D(),
        Dense(3),
    ),
    "upsampled": lambda: stacked(
        (4, 4, 2),
        layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        layers.UpSampling2D(2),
        layers.ReLU(),
        layers.Cropping2D(3),
        layers.Flatten(),
        Dense(3),
    ),
    "sequence": lambda: stacked(
        (16, 2),
        layers.Conv1D(3, 3, padding="causal", activation="relu"),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        Dense(3),
    ),
    "residual": lambda: wired((8, 8, 1), residual),
    "averaged": lambda: wired((12,), averaged),
    "largest": lambda: wired((12,), largest),
    "refused_elu": lambda: stacked((12,), Dense(8, "elu"), Dense(3)),
    "refused_product": lambda: wired((12,), product),
}


def trained(make: Callable[[], Any]) -> Any:
    """Return a network with biases and statistics as training leaves them."""
    keras.utils.set_random_seed(0)
    network, rng = make(), np.random.default_rng(0)
    for layer in network.layers:
        layer.set_weights(
            [w + np.abs(rng.normal(0, 0.2, w.shape)).astype(np.float32) for w in layer.get_weights()]
        )
    return network


def main() -> None:
    for name, make in NETWORKS.items():
        network = trained(make)
        signature = (tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="x"),)
        traced = tf.function(lambda x, f=network: f(x, training=False), input_signature=signature)
        path = str(HERE / f"keras_{name}_tf2onnx.onnx")
        tf2onnx.convert.from_function(traced, input_signature=signature, opset=15, output_path=path)
        network.export(str(HERE / f"keras_{name}_export.onnx"), format="onnx", verbose=False)


if __name__ == "__main__":
    main()
