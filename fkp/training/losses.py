"""Losses and the metric of a training, on points in pixels; unlabelled (NaN) ones do not count."""

from math import log

import keras
from keras import ops


class Masked(keras.losses.Loss):
    """Mean of a penalty over the labelled coordinate values of a batch.

    sum over labelled values of penalty(y - y') / number of labelled values. The mean is over the
    batch, not per face, so a face with four labelled points weighs four points.
    """

    def penalty(self, error: keras.KerasTensor) -> keras.KerasTensor:
        """Of each error, px; 0 for an error of 0."""
        raise NotImplementedError

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        labelled = ops.logical_not(ops.isnan(y_true))
        # The target is made finite before subtracting: a NaN in the unused branch of `where` would
        # still reach the gradient.
        error = ops.where(labelled, y_true, y_pred) - y_pred
        count = ops.sum(ops.cast(labelled, error.dtype))
        return ops.sum(self.penalty(error)) / ops.maximum(count, 1.0)


@keras.saving.register_keras_serializable("fkp")
class MaskedMSE(Masked):
    """Mean squared error, px^2 (paper A, equation 2): penalty(x) = x^2."""

    def penalty(self, error: keras.KerasTensor) -> keras.KerasTensor:
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

    def penalty(self, error: keras.KerasTensor) -> keras.KerasTensor:
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

    def penalty(self, error: keras.KerasTensor) -> keras.KerasTensor:
        size = ops.abs(error)
        offset = self.LINEAR - self.WIDTH * log(1 + self.LINEAR / self.EPSILON)
        far = self.WIDTH * ops.log1p(size / self.EPSILON) + offset
        return ops.where(size < self.LINEAR, size, far)


@keras.saving.register_keras_serializable("fkp")
class NarrowWing(Wing):
    """`Wing` for coordinates that are nearly right: w = 5 px, eps = 1 px."""

    WIDTH, EPSILON = 5.0, 1.0


@keras.saving.register_keras_serializable("fkp")
class Gaussian(keras.losses.Loss):
    """Cross-entropy of heat maps to a Gaussian of one cell about each labelled point, nats.

    Of logits (b, h, w, k): - sum over cells of g log softmax(logits), g the Gaussian with a
    standard deviation of one cell, normalised over the map; the mean over labelled points.

    Args:
        image: (height, width) of the images, px.
    """

    def __init__(self, image, **kwargs):
        super().__init__(**kwargs)
        self.image = tuple(image)

    def call(self, y_true, y_pred):
        missing = ops.isnan(y_true)
        entropy = self.entropy(ops.where(missing, 0.0, y_true), y_pred)
        weight = ops.cast(ops.logical_not(ops.any(missing, axis=-1)), entropy.dtype)
        return ops.sum(entropy * weight) / ops.maximum(ops.sum(weight), 1.0)

    def entropy(self, points, logits):
        """Of each point (b, k), nats."""
        _, h, w, k = logits.shape
        across = _bump(points[..., 0], w, self.image[1])  # (b, w, k)
        down = _bump(points[..., 1], h, self.image[0])
        target = ops.reshape(down[:, :, None] * across[:, None], (-1, h * w, k))
        logits = ops.reshape(ops.cast(logits, "float32"), (-1, h * w, k))
        return -ops.sum(target * ops.log_softmax(logits, axis=1), axis=1)

    def get_config(self):
        return super().get_config() | {"image": self.image}


@keras.saving.register_keras_serializable("fkp")
class GaussianBins(Gaussian):
    """The same of logits along x and y (b, k, w + h), a bin a pixel; the Gaussian's is 2 px wide.

    Reference: SimCC's Gaussian label smoothing (Li et al., 2022).
    """

    def entropy(self, points, logits):
        h, w = self.image
        found = 0.0
        for axis, part, size in ((0, logits[..., :w], w), (1, logits[..., w:], h)):
            target = ops.transpose(_bump(points[..., axis], size, size, 2.0), (0, 2, 1))
            found -= ops.sum(target * ops.log_softmax(part, axis=-1), axis=-1)
        return found


def _bump(places, cells, side, width=1.0):
    """Gaussians, `width` cells wide, about places (b, k), px, over a side: (b, cells, k)."""
    cell = side / cells
    centres = (ops.arange(cells, dtype="float32") + 0.5) * cell - 0.5
    apart = (centres[None, :, None] - places[:, None]) / (cell * width)
    return ops.softmax(-0.5 * ops.square(apart), axis=1)


# name -> loss of the points.
LOSSES = {"mse": MaskedMSE, "wing": Wing, "narrow_wing": NarrowWing, "soft_wing": SoftWing}
# name -> {layer of logits -> their loss, made for images of (height, width)}.
LOGIT_LOSSES = {"gaussian": {"heatmap": Gaussian, "bins": GaussianBins}}
NAMES = (*LOSSES, *LOGIT_LOSSES)


def objective(model: keras.Model, loss: str) -> tuple[keras.Model, list[keras.losses.Loss | None]]:
    """The network to train for a loss, which shares the model's weights, and a loss an output.

    Args:
        model: pixels -> points.
        loss: a key of `LOSSES` or of `LOGIT_LOSSES`, or the sum of one of each, such as
            "narrow_wing+gaussian". Of logits: the network gives points and logits.

    Raises:
        ValueError: unknown names, another sum, or a model without logits.
    """
    names = loss.split("+")
    of_points = [name for name in names if name in LOSSES]
    of_logits = [name for name in names if name in LOGIT_LOSSES]
    if len(of_points) + len(of_logits) < len(names) or max(len(of_points), len(of_logits)) > 1:
        raise ValueError(
            f"loss: expected one of {', '.join(LOSSES)}, one of {', '.join(LOGIT_LOSSES)} or the "
            f"sum of one of each, got {loss!r}"
        )
    penalty = LOSSES[of_points[0]]() if of_points else None
    if not of_logits:
        return model, [penalty]
    kinds = LOGIT_LOSSES[of_logits[0]]
    layer = next((layer for layer in model.layers if layer.name in kinds), None)
    if layer is None:
        raise ValueError(f"loss {loss!r}: expected a model with heat maps, {model.name} has none")
    network = keras.Model(model.input, [model.outputs[0], layer.output], name=model.name)
    return network, [penalty, kinds[layer.name](model.input_shape[1:3])]


@keras.saving.register_keras_serializable("fkp")
class RMSE(keras.metrics.Mean):
    """Root of the mean, over faces seen, of their batch's `MaskedMSE`, px."""

    def update_state(
        self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: None = None
    ) -> None:
        faces = ops.cast(ops.shape(y_true)[0], "float32")
        super().update_state(MaskedMSE()(y_true, y_pred), sample_weight=faces)

    def result(self) -> keras.KerasTensor:
        return ops.sqrt(super().result())
