"""Losses on points in pixels; unlabelled (NaN) points do not count."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("fkp")
class MaskedMSE(keras.losses.Loss):
    """Mean squared error over the labelled coordinate values of a batch, in px^2.

    sum over labelled values of (y - y')^2 / number of labelled values (paper A, equation 2). With
    complete labels this is the plain mean squared error. The mean is over the batch, not per face,
    so a face with four labelled points weighs four points.
    """

    def __init__(self, name="masked_mse", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        labelled = ops.logical_not(ops.isnan(y_true))
        # The target is made finite before subtracting: a NaN in the unused branch of `where` would
        # still reach the gradient.
        error = ops.where(labelled, y_true, y_pred) - y_pred
        count = ops.sum(ops.cast(labelled, error.dtype))
        return ops.sum(ops.square(error)) / ops.maximum(count, 1.0)
