"""Faces in numbers."""

import numpy as np

from fkp.data.copies import exact_pairs, group_duplicates, joined
from fkp.data.faces import Faces
from fkp.data.split import holdout


def data_facts(faces: Faces) -> dict:
    """Counts that describe faces, as a flat dict (`labels_per_point` is one of its own).

    `near_duplicates` counts the merges of groups that near copies bring about, which without given
    groups are the rows that show an earlier row's photograph.
    """
    grouped = group_duplicates(faces)
    exact = exact_pairs(faces.images)
    same = joined(faces.groups, exact)
    known, merged = (len(np.unique(groups)) for groups in (same, grouped.groups))
    facts = {
        "source": faces.source,
        "rows": len(faces),
        "complete_rows": int(faces.complete.sum()),
        "image_shape": "x".join(map(str, faces.image_shape)),
        "scheme": faces.scheme.name,
        "labels": int(faces.labelled.sum()),
        "exact_duplicates": len(exact),
        "near_duplicates": known - merged,
        "groups": merged,
    }
    facts |= {
        f"part_{part or 'none'}": int((faces.parts == part).sum())
        for part in sorted({*faces.parts})
    }
    try:
        split = holdout(grouped)
        facts |= {f"split_{p}": len(getattr(split, p)) for p in ("train", "validation", "test")}
    except ValueError as error:
        facts["split"] = str(error)
    per_point = faces.labelled.sum(axis=0).tolist()
    return facts | {"labels_per_point": dict(zip(faces.scheme.labels, per_point, strict=True))}
