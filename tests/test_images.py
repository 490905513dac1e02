import cv2
import numpy as np

from fkp.data.images import equalised

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)


def test_equalised_images_use_all_gray_levels_in_the_same_order():
    dark = IMAGES[..., :1] // 8
    images = equalised(dark)
    assert images.shape == dark.shape and images.min() == 0 and images.max() == 255
    before, after = dark[0].ravel(), images[0].ravel()
    assert (np.diff(after[np.argsort(before, kind="stable")].astype(int)) >= 0).all()


def test_colour_becomes_equalised_gray():
    images = equalised(IMAGES)
    assert images.shape == (6, 40, 40, 1)
    gray = cv2.cvtColor(IMAGES[0], cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(images[0, ..., 0], cv2.equalizeHist(gray))
