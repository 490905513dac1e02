"""Which points a file of faces holds: as it says, as a points.yaml beside it says, or unnamed."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from fkp.data import own
from fkp.data.readers import fault
from fkp.data.schemes import SCHEMES, Scheme

_FILE = "points.yaml"


def find(
    path: Path, count: int, said: str | dict | None = None, names: Sequence[str] | None = None
) -> Scheme:
    """The scheme of a file's points.

    Args:
        path: of the file, or of the folder that is read.
        count: of its points.
        said: the name of a known scheme, or what `fkp.data.own.from_dict` takes.
        names: of the points, where the file gives no more than those.

    Returns:
        What points.yaml beside the file says; else what the file says; else, where no names are
        known, `own.unnamed`.

    Raises:
        SourceError: another number of points, other names in points.yaml than in the file, or a
            description that is at fault; names the file.
    """
    path, beside = Path(path), (path if path.is_dir() else path.parent) / _FILE
    origin = path
    try:
        if beside.is_file():
            origin = beside
            scheme = own.from_dict(yaml.safe_load(beside.read_text(encoding="utf-8")))
        elif isinstance(said, dict):
            scheme = own.from_dict(said)
        elif said is not None:
            if said not in SCHEMES:
                raise fault(path, f"one of {', '.join(SCHEMES)}", said, column="scheme")
            scheme = SCHEMES[said]
        elif names is not None:
            scheme = own.own(own.free(f"{path.stem}{len(names)}", names), names)
        else:
            return own.unnamed(count)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise fault(beside, f"YAML ({' '.join(str(error).split())})") from None
    except own.SchemeError as error:
        raise fault(origin, f"points by name: {error}") from None
    if len(scheme) != count:
        raise fault(origin, f"{len(scheme)} points per face for {scheme.name}", count)
    names = said.get("points") if isinstance(said, dict) else names
    if origin == beside and isinstance(names, list):
        for i, (name, label) in enumerate(zip(names, scheme.labels, strict=False), 1):
            if str(name) != label:
                raise fault(beside, f"{str(name)!r} as point {i}, as in {path.name}", label)
    return scheme
