"""Keras networks as LiteRT files."""

from contextlib import redirect_stdout
from io import StringIO

import keras
import tensorflow as tf


def to_tflite(network: keras.Model, *, half: bool = False) -> bytes:
    """Return a network as a .tflite; with `half` its weights are kept in 16 bits and computed with in 32."""
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    # The converter lists every tensor of its way there on the standard output.
    with redirect_stdout(StringIO()):
        model: bytes = converter.convert()
    return model
