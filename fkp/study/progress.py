"""Progress of a study on the terminal: one bar, one line per finished run."""

import contextlib
import json
import threading
import time
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fkp.study.manifest import metrics_of, run_folder
from fkp.study.wording import duration, headline


@contextlib.contextmanager
def watch(plan):
    """A watcher for `runner.run_study`: a live bar on a terminal, plain lines elsewhere."""
    console = Console(highlight=False, soft_wrap=True)
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        watcher = _Watcher(plan, console, bar)
        try:
            yield watcher
        finally:
            watcher.closed.set()


class _Watcher:
    """A line when a run ends; until then a live bar names it or, without a terminal, a line."""

    def __init__(self, plan, console, bar):
        self.plan, self.console, self.running = plan, console, {}
        self.bar, self.task = bar, bar.add_task("", total=len(plan.runs))
        self.closed = threading.Event()
        if console.is_terminal:
            threading.Thread(target=self.follow, daemon=True).start()

    def computes_on(self, backend, device):
        self.console.print(f"Keras on {backend}, {escape(device or 'device unknown')}")

    def started(self, run, folder):
        self.running[run.label] = (folder, time.monotonic())
        if self.console.is_terminal:
            self.describe()
        else:
            self.console.print(f"… {escape(run.label)}")

    def ended(self, run, record):
        _, began = self.running.pop(run.label, (None, None))
        self.bar.advance(self.task)
        self.describe()
        if record["status"] == "pending":
            return
        sign = {"finished": "[green]✓[/]", "skipped": "[dim]=[/]", "failed": "[red]✗[/]"}
        took = (
            ("already finished" if record["status"] == "skipped" else "")
            if began is None
            else duration(time.monotonic() - began)
        )
        about = record.get("error") or headline(metrics_of(run_folder(self.plan.reports, record)))
        parts = [escape(part) for part in (run.label, about, took) if part]
        self.console.print(f"{sign[record['status']]} {'  '.join(parts)}")

    def follow(self):
        while not self.closed.wait(2):
            self.describe()

    def describe(self):
        """Name the running notebooks in the bar and, in a training, the epoch."""
        epochs = {run.label: run.parameters.get("epochs") for run in self.plan.runs}
        running = list(self.running.items())
        texts = [label + _epoch(folder, epochs[label]) for label, (folder, _) in running]
        self.bar.update(self.task, description=escape(", ".join(texts)))


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
