"""Videos and cameras: their pictures, one after the other, and a video or a window for them."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from fkp.data.readers import fault
from fkp.record.files import whole

SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
CAMERA = "camera:"  # with its number: a camera in place of a file
_RATE = 30.0  # Hz, of what does not state its own
_QUIT = (ord("q"), 27)  # 27: Escape


def is_video(source: str | Path) -> bool:
    """Whether a source is a camera, or a video by its ending."""
    return str(source).startswith(CAMERA) or Path(source).suffix.lower() in SUFFIXES


class Video:
    """The pictures of a video file or a camera: `for time, pixels in Video(source)`.

    Time is in seconds from the first picture, pixels are uint8 (h, w, 3), RGB. A file's is its own,
    which need not be even; where it does not increase, a picture comes `1 / rate` after the last.

    Args:
        source: a file, or "camera:0" for the first camera.

    Attributes:
        live: it is a camera.
        size: (width, height).
        rate: pictures a second, as stated.
        count: of pictures, as stated; None of a camera.

    Raises:
        ValueError: it cannot be opened, or holds no picture.
    """

    def __init__(self, source: str | Path):
        name = str(source)
        self.live = name.startswith(CAMERA)
        if self.live and not name.removeprefix(CAMERA).isdecimal():
            raise fault(name, f"{CAMERA}0 for the first camera")
        if name != name.encode(errors="replace").decode():
            raise fault(ascii(name), "a name in UTF-8")  # OpenCV would crash
        number = int(name.removeprefix(CAMERA)) if self.live else None
        opened = (number,) if self.live else (name, cv2.CAP_FFMPEG)
        self._film = cv2.VideoCapture(*opened)
        there, self._first = self._film.read()
        if not there:
            raise fault(
                name, "a camera that gives pictures" if self.live else "a video that OpenCV reads"
            )
        self.size = self._first.shape[1::-1]
        rate, count = (self._film.get(p) for p in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.rate = rate if 1 <= rate <= 1000 else _RATE
        self.count = int(count) if count > 0 and not self.live else None

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        start, seconds, there, pixels = self._clock(), 0.0, True, self._first
        while there:
            yield seconds, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
            there, pixels = self._film.read()
            now = self._clock() - start
            seconds = now if now > seconds else seconds + 1 / self.rate

    def _clock(self):
        """Time of the picture just read, s."""
        return time.perf_counter() if self.live else self._film.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def close(self) -> None:
        """Let go of the file or camera."""
        self._film.release()


@contextmanager
def recording(
    file: Path, size: tuple[int, int], rate: float
) -> Iterator[Callable[[float, np.ndarray], None]]:
    """A video file, .mp4, whole or not at all: `record(time, pixels)`; it has no sound.

    It keeps its rate: a picture stays until the next one's time has come.

    Args:
        file: to write.
        size: (width, height) of the pictures.
        rate: pictures a second; rounded to what MPEG-4 can state.

    Raises:
        OSError: no video can be written there, or not all of it.
    """
    written, last = 0, None
    rate = round(rate, 3 if rate < 65 else 2 if rate < 600 else 0)  # as a fraction of 16 bits

    def record(seconds, pixels):
        nonlocal written, last
        picture, place = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), round(seconds * rate)
        while written <= place:
            writer.write(picture if written == place or last is None else last)
            written += 1
        last = picture

    with whole(file) as part:
        writer = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
        if not writer.isOpened():
            raise OSError(f"{file}: OpenCV cannot write this video")
        try:
            yield record
        finally:
            writer.release()
        stored = cv2.VideoCapture(str(part), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT)
        if stored != written:  # OpenCV is silent about a full disk
            raise OSError(f"{file}: {stored:.0f} of {written} pictures were written; disk full?")


@contextmanager
def window(title: str) -> Iterator[Callable[[np.ndarray], bool] | None]:
    """A window, if one can be opened, else None: `show(pixels)` is False once it is closed."""
    has_screen = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & {*os.environ}
    try:
        if has_screen:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
    except cv2.error:  # OpenCV without windows
        has_screen = False
    if not has_screen:
        yield None
        return

    def show(pixels):
        cv2.imshow(title, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        gone = cv2.waitKey(1) in _QUIT or cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1
        return not gone

    try:
        yield show
    finally:
        cv2.destroyAllWindows()
