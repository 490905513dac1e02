import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import ExifTags, Image
from pts import write_pts

from fkp.data import drawing
from fkp.data.drawing.face import frame, person
from fkp.data.schemes import IBUG_68, POINTS_44
from fkp.photo import picture

TURNED = 6  # EXIF: shown, the stored picture is turned clockwise by 90 degrees


def marks(scheme=IBUG_68):
    return drawing.render(person(), frame(), scheme, 128, channels=3)


@pytest.fixture
def file(tmp_path):
    """A photograph 128 px wide and 100 px high that is stored turned, its points beside it."""
    pixels, points = marks()
    image = Image.fromarray(pixels[:100])
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = TURNED
    image.save(tmp_path / "face.png", exif=exif)
    write_pts(tmp_path / "face.pts", points)
    return tmp_path / "face.png"


def model_file(folder, points, side=64, channels=1):
    """A saved model that answers every crop with the same points."""
    import keras

    inputs = keras.Input((side, side, channels))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    x = keras.layers.Dense(points.size, kernel_initializer="zeros", name="answer")(x)
    model = keras.Model(inputs, keras.layers.Reshape(points.shape)(x))
    model.get_layer("answer").bias.assign(points.ravel())
    model.save(folder / "model.keras")
    return folder / "model.keras"


def test_points_lie_on_the_pixels_as_stored(file):
    photo, points, scheme, origin = picture.with_points(file)
    pixels, expected = marks()
    assert photo.pixels.shape == (100, 128, 3) and photo.orientation == TURNED
    assert_array_equal(photo.pixels, pixels[:100])
    assert_allclose(points, expected, atol=1e-3)
    assert scheme is IBUG_68 and origin == file.with_suffix(".pts")


def test_a_copy_is_written_as_it_is_shown(file, tmp_path):
    photo = picture.read(file)
    picture.write(photo, 255 - photo.pixels, tmp_path / "new" / "copy.png")
    copy = picture.read(tmp_path / "new" / "copy.png")
    assert copy.orientation == 1
    assert_array_equal(copy.pixels, np.rot90(255 - photo.pixels, -1))
    assert_array_equal(picture.upright(photo).pixels, np.rot90(photo.pixels, -1))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["copy.png"]


def test_points_given_come_before_points_beside(file, tmp_path):
    other = tmp_path / "other.pts"
    write_pts(other, marks()[1] + 1)
    _, points, _, origin = picture.with_points(file, points=other)
    assert origin == other
    assert_allclose(points, marks()[1] + 1, atol=1e-3)


def test_a_models_points_return_to_the_photograph(file, tmp_path):
    file.with_suffix(".pts").unlink()
    answer = np.random.default_rng(0).uniform(0, 64, (44, 2)).astype(np.float32)
    model = model_file(tmp_path, answer)
    photo, points, scheme, origin = picture.with_points(file, model=model, box=(20, 30, 40, 50))
    assert photo.pixels.shape == (128, 100, 3), "the box lies on the picture as it is shown"
    assert scheme is POINTS_44 and origin == model
    # The crop is a square of 1.5 times the longer side around the middle (40, 55) of the box.
    assert_allclose(points, (answer + 0.5) * 75 / 64 + (40 - 37.5, 55 - 37.5), atol=1e-3)


@pytest.mark.parametrize("box", [(0, 0, 0, 10), (0, 0, 10, -1), (200, 0, 9, 9), (0, -50, 9, 9)])
def test_a_box_beside_the_photograph_is_named(file, tmp_path, box):
    model = model_file(tmp_path, np.zeros((68, 2), np.float32))
    with pytest.raises(ValueError, match=r"box: expected x, y, width and height on .*128 x 100"):
        picture.predicted(picture.read(file), model, box)


def test_equalised_crops_are_gray(file, tmp_path):
    model = model_file(tmp_path, np.zeros((68, 2), np.float32), channels=3)
    with pytest.raises(ValueError, match="equalise: expected a model of gray images"):
        picture.predicted(picture.read(file), model, (0, 0, 90, 90), equalise=True)


def test_a_file_at_fault_is_named(file, tmp_path):
    broken, few, far = (tmp_path / name for name in ("broken.jpg", "few.pts", "far.pts"))
    broken.write_bytes(file.read_bytes()[:200])
    few.write_text("1 2\n")
    write_pts(far, marks()[1] + 1000)
    none = np.zeros((7, 2), np.float32)
    for call, message in (
        (lambda: picture.read(tmp_path / "no.jpg"), "no.jpg: got 'no such file'"),
        (lambda: picture.read(broken), "broken.jpg: .*expected a whole picture"),
        (lambda: picture.read(tmp_path), "expected a whole picture"),
        (lambda: picture.with_points(file, tmp_path / "no.pts"), "no.pts: got 'no such file'"),
        (lambda: picture.with_points(file, few), "few.pts: got '1 points', expected 68"),
        (lambda: picture.with_points(file, far), "far.pts: .*expected points on the photograph"),
        (lambda: picture.predicted(picture.read(file), few, (0, 0, 9, 9)), "few.pts: .*model"),
        (lambda: picture.predicted(picture.read(file), tmp_path / "no.keras", (0,)), "no.keras"),
        (
            lambda: picture.predicted(picture.read(file), model_file(tmp_path, none), (0, 0, 9, 9)),
            r"model.keras: points: expected a number that names one scheme, .*; got 7",
        ),
        (
            lambda: picture.write(picture.read(file), none, tmp_path / "a.gif"),
            "a.gif: expected a name",
        ),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            call()


def test_without_points_the_ways_to_give_them_are_named(file):
    file.with_suffix(".pts").unlink()
    for given in ({}, {"model": "model.keras"}, {"box": (0, 0, 9, 9)}):
        with pytest.raises(ValueError, match=r"give --points .* --model .* --box .* face\.pts"):
            picture.with_points(file, **given)
