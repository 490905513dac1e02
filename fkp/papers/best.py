"""The small models' study: its ablation as a table."""

import pandas as pd


def ablation(runs: list[dict], base: str = "recipe") -> pd.DataFrame:
    """What each choice changes, on validation faces.

    Args:
        runs: metrics of 15-small, of one budget but for the change that names them.
        base: name of the runs that change nothing.

    Returns:
        DataFrame, the best first: run, validation NME (mean over seeds, %), seeds, `against` (% of
        the base's, mean of the seeds that both have), `low` and `high` (their range), parameters,
        minutes (of the first seed).
    """
    rows = pd.DataFrame(
        {
            "run": run["run"]["name"],
            "seed": run["run"]["parameters"]["seed"],
            "nme": run["validation"]["nme_ocular"]["value"],
            "parameters": run["model"]["parameters"],
            "minutes": run["run"]["seconds"] / 60,
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
        minutes=groups["minutes"].first(),
    )
    return table.sort_values("nme").reset_index()
