"""Trials of a search: kept in a file that is whole at any time, recalled, summed up in a table.

A record is a dict: trial (number), status ("completed" or "failed"), epochs, options (of the
model), learning_rate, parameters, validation_rmse (px, of the best epoch), seconds, history (as
`training.fit` returns it), error and, where it was searched, weight_decay. The file holds what was
searched, and each record with the hyperparameter values that were proposed for it.
"""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from fkp.record.digests import digest
from fkp.record.files import write_json


class Book:
    """The finished trials of one search, in `folder`/trials.json if there is a folder.

    Args:
        folder: where to keep them; None = in memory alone.
        about: JSON-able dict that says what is searched, and in what.

    Attributes:
        records: those added so far, in order.

    Raises:
        ValueError: the folder holds another search.
    """

    def __init__(self, folder: str | Path | None, about: dict):
        self.path = folder and Path(folder) / "trials.json"
        self.about = about
        self.values, self.records, self.stored = [], [], []
        if self.path and self.path.exists():
            book = json.loads(self.path.read_text())
            differ = [key for key in about if book["search"].get(key) != about[key]]
            if differ:
                raise ValueError(f"{folder} holds a search with another {', '.join(differ)}")
            self.stored = book["trials"]

    def recall(self, number: int, values: dict) -> dict | None:
        """The stored record of a trial; None if it did not have these values.

        Then it has to run, and what was stored from there on no longer counts.
        """
        if number >= len(self.stored) or not _same(self.stored[number]["values"], values):
            self.stored = self.stored[:number]
            return None
        return {key: value for key, value in self.stored[number].items() if key != "values"}

    def scratch(self, values: dict) -> Path | None:
        """Folder for the checkpoints of the next trial, None without a folder."""
        name = f"trial-{len(self.records)}-{digest(values)}"
        return self.path and self.path.parent / name

    def add(self, values: dict, record: dict) -> None:
        """Keep the record of the next trial and drop its checkpoints."""
        scratch = self.scratch(values)
        self.values.append(dict(values))
        self.records.append({"trial": len(self.records)} | record)
        if self.path:
            rows = zip(self.values, self.records, strict=True)
            trials = [{"values": v} | r for v, r in rows] + self.stored[len(self.records) :]
            write_json(self.path, {"search": self.about, "trials": trials})
            shutil.rmtree(scratch, ignore_errors=True)

    def best_so_far(self) -> str:
        """ "best validation RMSE 2.31 px", "" before the first completed trial."""
        scores = [r["validation_rmse"] for r in self.records if r["status"] == "completed"]
        return f"best validation RMSE {min(scores):.2f} px" if scores else ""


def _same(stored, values):
    """Equal hyperparameters; a proposed number may differ in its last digits between machines."""
    return stored.keys() == values.keys() and all(
        math.isclose(a, values[k], rel_tol=1e-6) if isinstance(a, float) else a == values[k]
        for k, a in stored.items()
    )


def best(records: list[dict]) -> dict:
    """The completed trial of the lowest validation RMSE.

    Raises:
        ValueError: no trial was completed.
    """
    completed = [record for record in records if record["status"] == "completed"]
    if not completed:
        errors = sorted({record["error"] for record in records})
        raise ValueError(f"none of {len(records)} trials was completed: {'; '.join(errors)}")
    return min(completed, key=lambda record: record["validation_rmse"])


def table(records: list[dict]) -> pd.DataFrame:
    """Trials as a DataFrame, one row each: lists as text, and numbers that sum them up.

    Columns: trial, status, validation_rmse (px), parameters, epochs, seconds, learning_rate,
    weight_decay if it was searched, the options by name (for convolutions also depth, mean_filters
    and mean_kernel), error.
    """
    columns = ("trial", "status", "validation_rmse", "parameters", "epochs", "seconds")
    rows = []
    for record in records:
        rates = [name for name in ("learning_rate", "weight_decay") if name in record]
        row = {name: record[name] for name in (*columns, *rates)}
        options = record["options"]
        if "filters" in options:
            row["depth"] = len(options["filters"])
            row["mean_filters"] = float(np.mean(options["filters"]))
            row["mean_kernel"] = float(np.mean(options["kernels"]))
        for name, value in options.items():
            row[name] = ", ".join(map(str, value)) if isinstance(value, list) else value
        rows.append(row | {"error": record["error"]})
    frame = pd.DataFrame(rows)
    return frame.astype({"parameters": "Int64", "validation_rmse": float})
