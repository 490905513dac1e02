"""`Faces`: the one value that every stage takes and returns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from fkp.data.schemes import Scheme, convert
from fkp.record.digests import array_digest

ARRAYS = ("images", "points", "groups", "parts", "names")  # with a row for each face


@dataclass(frozen=True, eq=False)
class Faces:
    """Images with keypoints.

    Attributes:
        images: uint8, (n, h, w, c) with c = 1 (gray) or 3 (RGB).
        points: float32, (n, k, 2), (x, y) in pixels, 0-based with pixel centres on integers;
            NaN = unlabelled.
        scheme: names the k points.
        source: where the faces come from, as shown in every figure and table ("drawn",
            "kaggle", ...).
        groups: int64, (n,); rows of one group (one person, one photograph, copies of one image)
            never come on both sides of a split. Default: every row its own group.
        parts: str, (n,); the official part of each row ("train", "test") or "" where the data set
            has no official split.
        names: str, (n,); what an error message or a figure calls the row (file name, row number).

    Raises:
        ValueError: shapes or dtypes do not fit together; the message names both sides.
    """

    images: np.ndarray
    points: np.ndarray
    scheme: Scheme
    source: str
    groups: np.ndarray | None = None
    parts: np.ndarray | None = None
    names: np.ndarray | None = None

    def __post_init__(self):
        n = len(self.images)
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise ValueError(
                f"images: expected uint8 (n, h, w, c), got {self.images.dtype} {self.images.shape}"
            )
        if self.points.shape != (n, len(self.scheme), 2) or self.points.dtype != np.float32:
            raise ValueError(
                f"points: expected float32 {(n, len(self.scheme), 2)} for {n} images of scheme "
                f"{self.scheme.name}, got {self.points.dtype} {self.points.shape}"
            )
        defaults = {
            "groups": np.arange(n),
            "parts": np.full(n, "", dtype="<U5"),
            "names": np.array([str(i) for i in range(n)]),
        }
        for name, default in defaults.items():
            value = getattr(self, name)
            value = default if value is None else np.asarray(value)
            if value.shape != (n,):
                raise ValueError(f"{name}: expected shape {(n,)}, got {value.shape}")
            object.__setattr__(self, name, value)

    def __len__(self):
        return len(self.images)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""
        return self.images.shape[1:]

    @property
    def labelled(self) -> np.ndarray:
        """bool, (n, k): both coordinates of the point are known."""
        return ~np.isnan(self.points).any(axis=2)

    @property
    def complete(self) -> np.ndarray:
        """bool, (n,): every point of the row is labelled."""
        return self.labelled.all(axis=1)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of pixels, points and scheme: equal faces, equal fingerprint."""
        return array_digest(self.scheme.name, self.images, self.points)

    def take(self, rows: np.ndarray | Sequence[int]) -> Self:
        """The faces at `rows` (indices or bool mask), in that order."""
        rows = np.asarray(rows)
        if rows.size == 0:
            rows = rows.astype(int)
        return replace(self, **{name: getattr(self, name)[rows] for name in ARRAYS})

    def sample(self, n: int, seed: int = 0) -> Self:
        """`n` rows drawn at random, in their own order; all rows if there are no more."""
        if n >= len(self):
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(len(self), n, replace=False)))

    def with_points(self, points: np.ndarray) -> Self:
        """The same faces with other points (n, k, 2)."""
        return replace(self, points=np.asarray(points, dtype=np.float32))

    def with_images(self, images: np.ndarray) -> Self:
        """The same faces with other images (n, h, w, c), uint8."""
        return replace(self, images=images)

    def to_scheme(self, scheme: Scheme) -> Self:
        """The same faces with the points of another scheme.

        Raises:
            ValueError: no map between the two schemes is known, see `schemes.convert`.
        """
        return replace(self, points=convert(self.points, self.scheme, scheme), scheme=scheme)
