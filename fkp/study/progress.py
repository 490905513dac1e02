"""Progress of a study on the terminal: one bar, one line per finished run."""

import contextlib
import json
import time
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from fkp.study.manifest import metrics_of, run_folder
from fkp.study.wording import duration, headline


@contextlib.contextmanager
def watch(plan):
    """A watcher for `runner.run_study`: a live bar on a terminal, plain lines elsewhere."""
    console = Console(highlight=False, soft_wrap=True)
    watcher = _Watcher(plan, console)
    columns = BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), watcher
    live = {"disable": not console.is_terminal, "refresh_per_second": 1}
    with Progress(*columns, console=console, **live) as watcher.bar:
        watcher.task = watcher.bar.add_task("", total=len(plan.runs))
        yield watcher


class _Watcher(ProgressColumn):
    """A line when a run ends; until then a live bar names it or, without a terminal, a line."""

    def __init__(self, plan, console):
        super().__init__(Column(no_wrap=True))
        self.plan, self.console, self.running = plan, console, {}

    def computes_on(self, backend, device):
        self.console.print(f"Keras on {backend}, {escape(device or 'device unknown')}")

    def started(self, run, folder):
        self.running[run.label] = (folder, time.monotonic())
        if not self.console.is_terminal:
            self.console.print(f"… {escape(run.label)}")

    def ended(self, run, record):
        _, began = self.running.pop(run.label, (None, None))
        self.bar.advance(self.task)
        if record["status"] == "pending":
            return
        sign = {"finished": "[green]✓[/]", "skipped": "[dim]=[/]", "failed": "[red]✗[/]"}
        took = "already finished" * (record["status"] == "skipped")
        took = took if began is None else duration(time.monotonic() - began)
        about = record.get("error") or headline(metrics_of(run_folder(self.plan.reports, record)))
        parts = [escape(part) for part in (run.label, about, took) if part]
        self.console.print(f"{sign[record['status']]} {'  '.join(parts)}")

    def render(self, task):
        """The running notebooks and, in a training, the epoch."""
        epochs = {run.label: run.parameters.get("epochs") for run in self.plan.runs}
        running = list(self.running.items())
        texts = [label + _epoch(folder, epochs[label]) for label, (folder, _) in running]
        return Text(", ".join(texts))


def _epoch(folder, total):
    """ " (epoch 7, 2.31 px)" from a training's progress.json; "" if there is none yet."""
    try:
        epochs = json.loads((folder / "progress.json").read_text())
        last, pace = epochs[-1], median(epoch["seconds"] for epoch in epochs)
        text = f" (epoch {last['epoch'] + 1}, {last['validation_rmse']:.2f} px"
        left = (total or last["epoch"] + 1) - last["epoch"] - 1
        return text + (f", {duration(left * pace)} to go)" if left > 0 else ")")
    except (OSError, ValueError, LookupError, TypeError):
        return ""
