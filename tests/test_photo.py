import io

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import ExifTags, Image, ImageCms, ImageOps
from pts import write_pts

from fkp.data import drawing
from fkp.data.drawing.face import frame, person
from fkp.data.schemes import IBUG_68
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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_move_with_the_picture_as_it_is_shown(tmp_path, orientation):
    """One bright pixel, wherever the file has it stored."""
    stored = np.zeros((7, 12, 3), np.uint8)
    stored[2, 9] = 255
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = orientation
    image.save(tmp_path / "dot.png", exif=exif)
    write_pts(tmp_path / "dot.pts", np.tile([9.0, 2.0], (68, 1)))
    photo = picture.read(tmp_path / "dot.png")
    assert_array_equal(photo.pixels, np.asarray(ImageOps.exif_transpose(image)))
    x, y = picture.marked(photo, tmp_path / "dot.pts")[0].round().astype(int)
    assert (photo.pixels[y, x] == 255).all()


def test_a_copy_is_written_as_it_is_shown(file, tmp_path):
    photo = picture.read(file)
    picture.write(photo, 255 - photo.pixels, tmp_path / "new" / "copy.png")
    copy = picture.read(tmp_path / "new" / "copy.png")
    assert copy.orientation == 1
    assert_array_equal(copy.pixels, np.rot90(255 - marks()[0][:100], -1))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["copy.png"]


def grays(mode):
    """The same ramp as a Pillow image of each mode."""
    ramp = np.tile(np.arange(0, 256, dtype=np.uint8), (4, 1))
    if mode == "I;16":
        return Image.fromarray(ramp.astype(np.uint16) * 257)
    if mode == "CMYK":
        return Image.merge("CMYK", [Image.new("L", (256, 4))] * 3 + [Image.fromarray(255 - ramp)])
    return Image.fromarray(ramp).convert(mode)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        *(("L", "png"), ("I;16", "png"), ("I;16", "tiff"), ("RGB", "bmp"), ("RGBA", "webp")),
        *(("LA", "png"), ("P", "gif"), ("CMYK", "tiff"), ("CMYK", "jpg"), ("L", "jpg")),
    ],
)
def test_every_kind_of_picture_comes_out_right(tmp_path, mode, ending):
    options = {"quality": 100} if ending in ("jpg", "webp") else {}
    grays(mode).save(tmp_path / f"ramp.{ending}", **options)
    found = picture.read(tmp_path / f"ramp.{ending}").pixels
    assert found.shape == (4, 256, 3) and found.dtype == np.uint8
    assert_allclose(found[2].mean(axis=1), np.arange(256), atol=4)


def test_inks_with_a_profile_for_screens_are_read_as_without_one(tmp_path):
    screen = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (None, screen, b"no profile"):
        Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.tiff", icc_profile=profile)
        assert_array_equal(picture.read(tmp_path / "a.tiff").pixels[0, 0], (255, 0, 0))


def test_transparency_is_kept(tmp_path):
    pixels = np.dstack([marks()[0], np.full((128, 128), 255, np.uint8)])
    pixels[:30, :, 3] = 10
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    photo = picture.read(tmp_path / "clear.png")
    picture.write(photo, photo.pixels, tmp_path / "copy.png")
    assert_array_equal(np.asarray(Image.open(tmp_path / "copy.png")), pixels)
    with pytest.raises(ValueError, match=r"copy.jpg: expected a name that ends in .png"):
        picture.write(photo, photo.pixels, tmp_path / "copy.jpg")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_read(tmp_path):
    """A file of a few kB that would fill the memory."""
    packed = io.BytesIO()
    Image.new("1", (20000, 20000)).save(packed, "png")
    (tmp_path / "bomb.png").write_bytes(packed.getvalue())
    with pytest.raises(ValueError, match=r"bomb.png: expected a picture of at most 89 million"):
        picture.read(tmp_path / "bomb.png")


def test_a_file_at_fault_is_named(file, tmp_path):
    broken, few, far = (tmp_path / name for name in ("broken.jpg", "few.pts", "far.pts"))
    broken.write_bytes(file.read_bytes()[:200])
    few.write_text("1 2\n")
    write_pts(far, marks()[1] + 1000)
    real = tmp_path / "real.tiff"
    Image.fromarray(np.zeros((5, 5), np.float32)).save(real)
    deep = tmp_path / "deep.tiff"
    Image.fromarray(np.full((5, 5), 70_000, np.int32)).save(deep)
    photo = picture.read(file)
    for call, message in (
        (lambda: picture.read(tmp_path / "no.jpg"), "no.jpg: got 'no such file'"),
        (lambda: picture.read(broken), "broken.jpg: .*expected a whole picture"),
        (lambda: picture.read(tmp_path), "expected a whole picture"),
        (lambda: picture.read(real), "real.tiff: got 'pixels are real numbers'"),
        (lambda: picture.read(deep), "deep.tiff: got 'pixels are of more than 16 bits'"),
        (lambda: picture.marked(photo, tmp_path / "no.pts"), "no.pts: got 'no such file'"),
        (lambda: picture.marked(photo, few), "few.pts: got '1 points', expected 68"),
        (lambda: picture.marked(photo, far), "far.pts: .*expected points on the photograph"),
        (lambda: picture.write(photo, photo.pixels, tmp_path / "a.gif"), "a.gif: expected a name"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
