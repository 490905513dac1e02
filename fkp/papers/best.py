"""The small models' studies: the ablation as a table, the shipped networks on the test faces."""

from pathlib import Path

import numpy as np
import pandas as pd

from fkp import models
from fkp.data.faces import Faces
from fkp.data.schemes import of_regime
from fkp.deploy.release import centred
from fkp.measure import errors
from fkp.measure.scores import METRICS, score
from fkp.models.predict import predict
from fkp.prepare.warp import plain


def ablation(runs: list[dict], base: str = "recipe") -> pd.DataFrame:
    """What each choice changes, on validation faces.

    Args:
        runs: metrics of 15-small, of one budget but for the change that names them.
        base: name of the runs that change nothing.

    Returns:
        DataFrame, the best first: run, validation NME (mean over seeds, %), seeds, `against` (% of
        the base's, mean of the seeds that both have), `low` and `high` (their range), parameters.
    """
    rows = pd.DataFrame(
        {
            "run": run["run"]["name"],
            "seed": run["run"]["parameters"]["seed"],
            "nme": run["validation"]["nme_ocular"]["value"],
            "parameters": run["model"]["parameters"],
        }
        for run in runs
    )
    by_seed = rows.pivot(index="seed", columns="run", values="nme")
    against = 100 * (by_seed.div(by_seed[base], axis=0) - 1)
    groups = rows.groupby("run")
    table = groups.agg(nme=("nme", "mean"), seeds=("seed", "count"))
    table = table.assign(
        against=against.mean(),
        low=against.min(),
        high=against.max(),
        parameters=groups["parameters"].first(),
    )
    return table.sort_values("nme").reset_index()


def common_scores(model: object, pictures: Faces, zoom: float) -> dict[str, float]:
    """NME and share of faces over 8 %, that a model has on the plain crops of the faces.

    Args:
        model: as `fkp.models.load` opens it.
        pictures, zoom: see `fkp.prepare.warp.plain`.
    """
    seen = plain(pictures, model.input_shape[1], zoom)
    wanted = {name: METRICS[name] for name in ("nme_ocular", "failure_8")}
    found = score(seen, predict(model, seen.images)[..., :2], metrics=wanted)
    return {"NME, %": found["nme_ocular"]["value"], "over 8 %, %": found["failure_8"]["value"]}


def seeds(runs: list[dict], training: Faces, test: Faces, zoom: float) -> list[dict]:
    """Every seed of one network on the test faces: a row each.

    As it was trained, and as it ships: with the offset of the training faces' labels.
    """
    rows = []
    for run in runs:
        network = models.load(Path(run["folder"], "model.keras"))
        raw = common_scores(network, test, zoom)
        rows.append(
            {
                "model": run["run"]["name"],
                "seed": run["run"]["parameters"]["seed"],
                "epochs": len(run["history"]),
                "validation NME, %": run["validation"]["nme_ocular"]["value"],
                "as trained, NME, %": raw["NME, %"],
                **common_scores(centred(network, training, zoom)[0], test, zoom),
                "hours": run["run"]["seconds"] / 3600,
            }
        )
    return rows


def files(made: dict[str, Path], test: Faces, zoom: float) -> list[dict]:
    """Every file of one network on the test faces: a row each."""
    return [
        {
            "file": path.name,
            "MB": path.stat().st_size / 1e6,
            **common_scores(models.load(path), test, zoom),
        }
        for path in made.values()
    ]


def classes(audits: dict[str, dict], part: str) -> pd.DataFrame:
    """NME of each class of faces (rows) by each model (columns).

    Args:
        audits: name -> what `fkp.measure.audit.audit` returns.
        part: "views", "by_yaw", "by_size" or "by_set".
    """
    return pd.DataFrame(
        {
            name: {k: s.get("nme_ocular", s)["value"] for k, s in found[part].items()}
            for name, found in audits.items()
        }
    )


def of_kaggle(model: object, test: Faces, second: np.ndarray) -> tuple[np.ndarray, dict]:
    """Points of a model that knows both labelling regimes, and their RMSE, px.

    Args:
        model: images -> two blocks of points, as `fkp.models.load` opens it.
        test: faces with labels of their own regime.
        second: bool (n,), those of the second regime.

    Returns:
        ((n, 15, 2), {rmse, first regime, second regime, one regime: as if all were of the first}).
    """
    found = predict(model, test.images)[..., :2]
    points, first = (of_regime(found, which) for which in (second, np.zeros_like(second)))
    parts = {"first regime": ~second, "second regime": second}
    return points, {
        "rmse": errors.rmse(test.points, points),
        **{name: errors.rmse(test.points[r], points[r]) for name, r in parts.items()},
        "one regime": errors.rmse(test.points, first),
    }


def kaggle_seed(
    run: dict, training: Faces, test: Faces, second: np.ndarray, zoom: float
) -> dict[str, float]:
    """RMSE of one seed on the test rows: `as trained`, and the parts of `of_kaggle` as it ships.

    Args:
        run: metrics of 15-small, with `folder`.
        training: rows that it was trained on, the points of each regime apart.
        test, second: as in `of_kaggle`.
        zoom: of the model's crops.
    """
    network = models.load(Path(run["folder"], "model.keras"))
    raw = of_kaggle(network, test, second)[1]["rmse"]
    return {"as trained": raw} | of_kaggle(centred(network, training, zoom)[0], test, second)[1]
