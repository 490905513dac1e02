"""A saved model as a function: uint8 images in, points out, in any of the runtimes measured here.

Each runtime imports its own library only when a model is loaded, so that a process which runs a
LiteRT or ONNX file never imports TensorFlow.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fkp import models
from fkp.record.files import named

# runtime -> format of the file that it runs; "keras" is a saved .keras file, the others come from
# `fkp.deploy.export`.
RUNTIMES = {
    "keras_predict": "keras",
    "keras_predict_on_batch": "keras",
    "tf_function": "keras",
    "litert": "litert",
    "litert_float16": "litert-float16",
    "litert_int8": "litert-int8",
    "onnxruntime": "onnx",
}
# Runtimes that are not kept on as many cores as they have threads. Keras serves `predict` through
# an input pipeline with a thread of its own; on one core the two wait for each other in growing
# pauses, up to as long as the model works.
UNPINNED = ("keras_predict",)


def load(runtime: str, path: str | Path, threads: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Load a model file into a runtime.

    Args:
        runtime: a key of `RUNTIMES`.
        path: file of the runtime's format.
        threads: threads that one call may use. TensorFlow takes it once per process, before its
            first operation.

    Returns:
        Function from uint8 (n, h, w, c) to float32 (n, k, 2), pixels; n may change between calls.

    Raises:
        ValueError: unknown runtime.
    """
    if named(RUNTIMES, "runtime", runtime) == "keras":
        return _keras(runtime, path, threads)
    return models.load(path, threads).predict


def _keras(runtime, path, threads):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = models.load(path)
    if runtime == "keras_predict":
        return lambda images: model.predict(images, verbose=0)
    if runtime == "keras_predict_on_batch":
        return model.predict_on_batch
    # Without training=False a model that holds a Resizing layer runs in training mode: the layer's
    # own default, True, is taken over by the layers behind it.
    traced = tf.function(lambda images: model(images, training=False))
    return lambda images: traced(tf.constant(images)).numpy()
