"""How the pictures of a training hold the faces that a detector finds."""

import numpy as np

from fkp.data.faces import Faces
from fkp.photo.detect import Detector
from fkp.prepare.warp import ROOM


def placed(pictures: Faces, zoom: float) -> dict:
    """What `fkp.models.about.About` says of the crops of a model trained on such pictures.

    Args:
        pictures: of the training, faces in their middle.
        zoom: of the model's crops, see `fkp.prepare.warp.plain`.

    Returns:
        {zoom, picture, middle} by the detector's boxes, the medians over the pictures, where it
        finds a face in most of them; else {zoom, picture, detected: False}, by the box round the
        points.
    """
    side, detector, found = pictures.image_shape[0], Detector(), []
    looked_at = pictures.sample(200).images
    for image in looked_at:
        boxes = detector.close_up(image)
        if len(boxes):
            middle = boxes[0, :2] + boxes[0, 2:] / 2
            found.append((*middle, boxes[0, 2:].max()))
    if 2 * len(found) <= len(looked_at):
        return {"zoom": zoom, "picture": side, "detected": False}
    *middle, span = np.median(found, axis=0).tolist()
    crop = zoom * side / ROOM
    share = [round(0.5 + (m - (side - 1) / 2) / crop, 3) for m in middle]
    return {"zoom": round(crop / span, 3), "picture": round(ROOM * span), "middle": tuple(share)}
