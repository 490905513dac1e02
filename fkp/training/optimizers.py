"""Optimizers and learning rate schedules by name."""

from functools import partial
from math import prod

import keras
from keras import ops, optimizers


@keras.saving.register_keras_serializable("fkp")
class Muon(optimizers.Muon):
    """Keras' Muon for the kernels of convolutions, flattened to one column a filter.

    The first convolution's, the heads' and every vector are left to AdamW at the same rate.

    Reference: "Muon: An optimizer for hidden layers in neural networks" (Jordan et al., 2024).
    """

    def __init__(
        self, learning_rate: float = 1e-3, weight_decay: float | None = None, **kwargs: object
    ):
        kwargs["adam_weight_decay"] = weight_decay
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)

    def _apply_weight_decay(self, variables):
        # Keras works the schedule out once for every variable.
        if self.weight_decay is not None:
            share = ops.cast(self.learning_rate, "float32") * self.weight_decay
            for variable in filter(self._use_weight_decay, variables):
                variable.assign(variable - variable * ops.cast(share, variable.dtype))

    def _should_use_adamw(self, variable):
        depth = variable.shape[2] if len(variable.shape) == 4 else 0
        return depth <= 3 or "depthwise" in variable.path or "heatmap" in variable.path

    def zeropower_via_newtonschulz5(self, x, steps):
        flat = ops.reshape(x, (-1, x.shape[-1]))
        return ops.reshape(super().zeropower_via_newtonschulz5(flat, steps), x.shape)

    def lr_adjust(self, x):
        rows, columns = prod(x.shape[:-1]), x.shape[-1]
        return x * (max(rows, columns) ** 0.5 * self.rms_rate)


# name -> Keras' class; each is given the learning rate and `weight_decay`, decoupled, or None.
# Its AdamW is Adam with a decay that may not be None.
OPTIMIZERS = {"adam": optimizers.Adam, "adamw": optimizers.Adam, "muon": Muon}


def _cosine(learning_rate, steps, *, part, start, end):
    """From a `start`-th up to the rate in a `part`-th of the steps, then down to `end` of it."""
    warmup = max(1, steps // part)
    return optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / start,
        decay_steps=max(1, steps - warmup),
        alpha=end,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )


# name -> function of (peak learning rate, number of updates).
SCHEDULES = {
    "cosine": partial(_cosine, part=20, start=10, end=0.1),
    "long_cosine": partial(_cosine, part=30, start=20, end=0.005),
    "constant": lambda learning_rate, steps: learning_rate,
}
