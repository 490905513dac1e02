"""Pictures with one bright dot, and a model that finds it: geometry without training."""

import keras
import numpy as np
from keras import layers

from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68
from fkp.models.heads import Expectation


def finder_of_light(side, k=68):
    """Keras model, pixels (n, side, side, 1) -> (n, k, 2): all k points on the brightest place."""
    inputs = keras.Input((side, side, 1), name="pixels")
    bright = layers.Conv2D(
        k, 1, use_bias=False, kernel_initializer="ones", name="heatmap", dtype="float32"
    )(layers.Rescaling(0.2)(inputs))
    return keras.Model(inputs, Expectation((side, side), name="points")(bright), name="light")


def dot(places, height, width=None, radius=3.0):
    """uint8 (n, h, w, 1) with a soft dot at each place (n, 2), (x, y)."""
    y, x = np.mgrid[:height, : width or height]
    apart = (x - places[:, None, None, 0]) ** 2 + (y - places[:, None, None, 1]) ** 2
    return (255 * np.exp(-apart / (2 * radius**2)))[..., None].astype(np.uint8)


def pictures(n=6, side=96, seed=0):
    """Faces whose first point lies on the dot; the others make a square box with it inside."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(40, 56, (n, 2))
    points = rng.uniform(24, 72, (n, 68, 2))
    points[:, 0], points[:, 1] = (23.5, 23.5), (71.5, 71.5)
    points[:, 30] = places
    return Faces(dot(places, side), points.astype(np.float32), IBUG_68, "test")
