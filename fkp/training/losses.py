"""Losses and the metric of a training, on points in pixels; unlabelled (NaN) ones do not count."""

from math import log

import keras
from keras import ops


class Masked(keras.losses.Loss):
    """Mean of a penalty over the labelled coordinate values of a batch.

    sum over labelled values of penalty(y - y') / number of labelled values. The mean is over the
    batch, not per face, so a face with four labelled points weighs four points.
    """

    def penalty(self, error):
        """Of each error, px; 0 for an error of 0."""
        raise NotImplementedError

    def call(self, y_true, y_pred):
        labelled = ops.logical_not(ops.isnan(y_true))
        # The target is made finite before subtracting: a NaN in the unused branch of `where` would
        # still reach the gradient.
        error = ops.where(labelled, y_true, y_pred) - y_pred
        count = ops.sum(ops.cast(labelled, error.dtype))
        return ops.sum(self.penalty(error)) / ops.maximum(count, 1.0)


@keras.saving.register_keras_serializable("fkp")
class MaskedMSE(Masked):
    """Mean squared error, px^2 (paper A, equation 2): penalty(x) = x^2."""

    def __init__(self, name="masked_mse", **kwargs):
        super().__init__(name=name, **kwargs)

    def penalty(self, error):
        return ops.square(error)


@keras.saving.register_keras_serializable("fkp")
class Wing(Masked):
    """Wing loss: small errors weigh more than in the absolute error.

    penalty(x) = w ln(1 + |x| / eps) for |x| < w, else |x| - w + w ln(1 + w / eps), with w = 10 px
    and eps = 2 px.

    Reference: "Wing Loss for Robust Facial Landmark Localisation with Convolutional Neural
    Networks" (Feng et al., 2018).
    """

    WIDTH, EPSILON = 10.0, 2.0

    def __init__(self, name="wing", **kwargs):
        super().__init__(name=name, **kwargs)

    def penalty(self, error):
        size = ops.abs(error)
        near = self.WIDTH * ops.log1p(size / self.EPSILON)
        offset = self.WIDTH - self.WIDTH * log(1 + self.WIDTH / self.EPSILON)
        return ops.where(size < self.WIDTH, near, size - offset)


@keras.saving.register_keras_serializable("fkp")
class SoftWing(Masked):
    """Soft Wing loss: linear for small errors, logarithmic for larger ones, so that labels that are
    off by a little do not rule.

    penalty(x) = |x| for |x| < w1, else w2 ln(1 + |x| / eps) + B, where B = w1 - w2 ln(1 + w1 / eps)
    joins the two, with w1 = 2 px, w2 = 20 px and eps = 0.5 px.

    Reference: "Structure-Coherent Deep Feature Learning for Robust Face Alignment" (Lin et al.,
    2021).
    """

    LINEAR, WIDTH, EPSILON = 2.0, 20.0, 0.5

    def __init__(self, name="soft_wing", **kwargs):
        super().__init__(name=name, **kwargs)

    def penalty(self, error):
        size = ops.abs(error)
        offset = self.LINEAR - self.WIDTH * log(1 + self.LINEAR / self.EPSILON)
        far = self.WIDTH * ops.log1p(size / self.EPSILON) + offset
        return ops.where(size < self.LINEAR, size, far)


# name -> loss.
LOSSES = {"mse": MaskedMSE, "wing": Wing, "soft_wing": SoftWing}


@keras.saving.register_keras_serializable("fkp")
class RMSE(keras.metrics.Mean):
    """Root of the mean, over faces seen, of their batch's `MaskedMSE`, px."""

    def __init__(self, name="rmse", **kwargs):
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true, y_pred, sample_weight=None):
        faces = ops.cast(ops.shape(y_true)[0], "float32")
        return super().update_state(MaskedMSE()(y_true, y_pred), sample_weight=faces)

    def result(self):
        return ops.sqrt(super().result())
