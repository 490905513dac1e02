"""Faces over the pictures of a video: numbered, followed, their points steady.

A face is looked for where its points last were; the detector runs when one is lost, every third
picture or so while it is missing, and once a second for new ones. Points are smoothed by the 1 €
filter: Casiez, Roussel & Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input
in Interactive Systems", CHI 2012. It averages long while a point stands still and hardly at all
while it moves fast.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from fkp.photo.detect import SCORE, overlaps
from fkp.photo.finder import Face, Finder, doubtful

# Chosen by benchmarks/video.py; lengths in sizes of the face, square roots of its box's area.
STILL = 1.0  # Hz, what is let through of a point that stands still
FASTER = 40.0  # Hz more for each size of the face that a point moves in a second
_SLOPE = 1.0  # Hz, of the filter on the speed, as in the paper
_EVERY, _AGAIN = 1.0, 0.08  # s between looks of the detector, the latter for a missing face
_HOLD = 1.0  # s for which a lost face keeps its number
_SAME, _TWICE = 0.3, 0.6  # overlap above which two boxes are, two tracks follow, one face


class OneEuro:
    """A low-pass filter whose cut-off rises with speed.

    Args:
        still: cut-off at rest, Hz.
        faster: rise of the cut-off, Hz for each unit of speed.
    """

    def __init__(self, still: float = STILL, faster: float = FASTER):
        self.still, self.faster = still, faster
        self.value = self.slope = self.time = None

    def __call__(self, value: np.ndarray, time: float, unit: float = 1.0) -> np.ndarray:
        """The next smoothed value.

        Args:
            value: (k, 2), px.
            time: s, later than the last.
            unit: of length, px.
        """
        if self.value is None:
            self.value, self.slope = value, np.zeros_like(value)
        else:
            passed = max(time - self.time, 1e-3)
            slope = (value - self.value) / passed
            self.slope = self.slope + _share(_SLOPE, passed) * (slope - self.slope)
            speed = np.linalg.norm(self.slope, axis=-1, keepdims=True) / unit
            share = _share(self.still + self.faster * speed, passed)
            self.value = self.value + share * (value - self.value)
        self.time = time
        return self.value


@dataclass(eq=False)
class _Track:
    """One face: as last found, when that was, and its points smoothed."""

    number: int
    face: Face
    seen: float
    smooth: OneEuro = field(default_factory=OneEuro)

    def move(self, face, time):
        self.smooth(face.points, time, float(np.prod(face.box[2:]) ** 0.5))
        self.face, self.seen = face, time

    def shown(self, raw):
        return self.face if raw else replace(self.face, points=self.smooth.value)


class Tracker:
    """Follows the faces of one video: `tracker(pixels, time)` for each of its pictures, in order.

    Args:
        finder: finds faces and their points.
        raw: leave the points as found in each picture.
        max_faces: followed at a time.
        min_score: of a detection, 0 to 1.
    """

    def __init__(
        self,
        finder: Finder,
        raw: bool = False,
        max_faces: int | None = None,
        min_score: float = SCORE,
    ):
        self.finder, self.raw, self.max_faces, self.min_score = finder, raw, max_faces, min_score
        self.tracks, self.faces = [], 0
        self.time = self.looked = -np.inf

    def __call__(self, pixels: np.ndarray, time: float) -> dict[int, Face]:
        """The faces of the next picture.

        Args:
            pixels: uint8 (h, w, 3), RGB.
            time: s; later than the last picture's.

        Returns:
            number of a face, from 1 and its own while it is followed -> Face, in order of numbers;
            its score is that of its last detection.
        """
        self._follow(pixels, time)
        missing = [track for track in self.tracks if track.seen < time]
        lost = any(track.seen == self.time for track in missing)
        wait = _AGAIN if missing or not self.tracks else _EVERY
        if lost or time - self.looked >= wait:
            self._detect(pixels, time)
        self.tracks = [track for track in self.tracks if time - track.seen <= _HOLD]
        self.time = time
        return {track.number: track.shown(self.raw) for track in self._seen(time)}

    def _seen(self, time):
        return [track for track in self.tracks if track.seen == time]

    def _follow(self, pixels, time):
        """Look for the faces of the last picture where they were; at most one track keeps each."""
        tracks = self._seen(self.time)
        if not tracks:
            return
        boxes, points = ([getattr(t.face, n) for t in tracks] for n in ("box", "points"))
        found = self.finder.at(pixels, boxes, np.stack(points))
        for track, face in zip(tracks, found, strict=True):
            face = replace(face, box=self._box(track.face, face), score=track.face.score)
            others = [other.face.box for other in self._seen(time)]
            if others and overlaps([face.box], others).max() > _TWICE:
                self.tracks.remove(track)
            elif self._is_there(face, track.face, pixels):
                track.move(face, time)

    def _box(self, before, face):
        """The box of a face that has moved on: it lies to its points as before."""
        if not self.finder.about.detected:
            return before.box
        (old, was), (new, size) = map(_bounds, (before.points, face.points))
        scale = max(size) / max(*was, 1e-6)
        corner = new + size / 2 + (np.array(before.box[:2]) - old - was / 2) * scale
        return (*corner.tolist(), before.box[2] * scale, before.box[3] * scale)

    def _is_there(self, face, before, pixels):
        if not self.finder.about.detected:
            return True
        middle = face.points.mean(axis=0)
        inside = ((middle >= 0) & (middle < pixels.shape[1::-1])).all()
        stays = overlaps([face.box], [before.box])[0, 0] > _SAME
        return inside and stays and not doubtful(face)

    def _detect(self, pixels, time):
        """Find new faces, and lost ones again near where they were."""
        self.looked, confirmed = time, []
        for face in self.finder(pixels, min_score=self.min_score):
            seen = self._seen(time)
            same = overlaps([face.box], [t.face.box for t in seen])[0] if seen else np.zeros(1)
            if same.max() > _SAME:
                confirmed.append(seen[same.argmax()])
                confirmed[-1].face = replace(confirmed[-1].face, score=face.score)
            elif self.max_faces is None or len(seen) < self.max_faces:
                track = self._lost_near(face, time)
                track.smooth = OneEuro()
                track.move(face, time)
                confirmed.append(track)
        for track in self._seen(time):
            if track.face.error is None and track not in confirmed:
                track.seen = self.time  # a model that states no doubts needs the detector's word

    def _lost_near(self, face, time):
        """The track of a lost face that this one may be, or a new track."""
        gone = [track for track in self.tracks if track.seen < time]
        apart = [np.linalg.norm(_middle(t.face.box) - _middle(face.box)) for t in gone]
        if gone and min(apart) < max(face.box[2:]):
            return gone[int(np.argmin(apart))]
        self.faces += 1
        self.tracks.append(_Track(self.faces, face, time))
        return self.tracks[-1]


def _share(cutoff, passed):
    """Weight of a new value in a low-pass filter, by cut-off (Hz) and time passed (s)."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * passed))


def _bounds(points):
    low = points.min(axis=0)
    return low.astype(float), (points.max(axis=0) - low).astype(float)


def _middle(box):
    return np.array(box[:2]) + np.array(box[2:]) / 2
