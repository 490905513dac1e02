"""Optimizers and learning rate schedules by name."""

from keras import optimizers

# name -> Keras' class; each is given the learning rate and `weight_decay`, decoupled, if any.
OPTIMIZERS = {"adam": optimizers.Adam, "adamw": optimizers.AdamW}


def constant(learning_rate: float, steps: int) -> float:
    """The same rate throughout."""
    return learning_rate


def cosine(learning_rate: float, steps: int) -> optimizers.schedules.LearningRateSchedule:
    """From a tenth up to the rate in a twentieth of the steps, then down to a tenth."""
    warmup = max(1, steps // 20)
    return optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 10,
        decay_steps=max(1, steps - warmup),
        alpha=0.1,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )


def long_cosine(learning_rate: float, steps: int) -> optimizers.schedules.LearningRateSchedule:
    """From a twentieth up to the rate in a thirtieth of the steps, then down to half a percent."""
    warmup = max(1, steps // 30)
    return optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 20,
        decay_steps=max(1, steps - warmup),
        alpha=0.005,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )


# name -> function of (peak learning rate, number of updates).
SCHEDULES = {"cosine": cosine, "long_cosine": long_cosine, "constant": constant}


def named(table: dict, kind: str, name: str) -> object:
    """The entry of a table; ValueError lists the known names."""
    if name not in table:
        raise ValueError(f"{kind}: expected one of {', '.join(table)}, got {name!r}")
    return table[name]
