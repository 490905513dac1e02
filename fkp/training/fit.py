"""Training: faces and a fresh model in, the best model and its history out.

A training with a folder is resumable: after every epoch the model with its optimizer (last.keras),
the best model so far (best.keras) and the history (progress.json) are on disk, each file whole or
absent.
"""

import json
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from fkp.measure import errors
from fkp.models import save
from fkp.models.contract import start_at
from fkp.models.predict import predict
from fkp.record.files import write_json
from fkp.training.losses import MaskedMSE


def learning_rate_schedule(learning_rate, steps, kind="cosine"):
    """Learning rate over `steps` updates, "constant" or "cosine" (warm-up, down to a tenth)."""
    if kind == "constant":
        return learning_rate
    if kind != "cosine":
        raise ValueError(f"schedule: expected constant or cosine, got {kind!r}")
    warmup = max(1, steps // 20)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / 10,
        decay_steps=max(1, steps - warmup),
        alpha=0.1,
        warmup_target=learning_rate,
        warmup_steps=warmup,
    )


def batches(faces, epoch, *, epoch_size, batch_size, seed, augment=None):
    """The batches of one epoch, a function of (seed, epoch) alone.

    Epochs walk through consecutive shuffles of all rows, so an `epoch_size` below or above the
    number of rows still visits every row equally often.

    Yields:
        (images uint8 (b, h, w, c), points float32 (b, k, 2)).
    """
    n = len(faces)
    first = epoch * epoch_size
    shuffles = [
        np.random.default_rng([seed, lap]).permutation(n)
        for lap in range(first // n, (first + epoch_size - 1) // n + 1)
    ]
    start = first % n
    rows = np.concatenate(shuffles)[start : start + epoch_size]
    for batch in range(0, epoch_size, batch_size):
        chosen = rows[batch : batch + batch_size]
        images, points = faces.images[chosen], faces.points[chosen]
        if augment is not None:
            images, points = augment(images, points, np.random.default_rng([seed, epoch, batch]))
        yield images, points


class _Log:
    """The history of a training, its best epoch, and the files that keep both."""

    def __init__(self, folder):
        self.folder = Path(folder) if folder is not None else None
        self.history, self.best, self.best_weights = [], None, None

    def resume(self, model, steps_per_epoch):
        """Take up what an earlier training left; returns its model, or the given one."""
        if self.folder is None:
            return model
        self.folder.mkdir(parents=True, exist_ok=True)
        last, progress = self.folder / "last.keras", self.folder / "progress.json"
        if last.exists() and progress.exists():
            model = keras.saving.load_model(last)
            epochs = int(model.optimizer.iterations) // steps_per_epoch
            self.history = json.loads(progress.read_text())[:epochs]
            self.best = min(self.history, key=lambda row: row["validation_rmse"], default=None)
        return model

    def add(self, model, row):
        """Append an epoch; `last.keras` comes last, as it decides where to go on."""
        self.history.append(row)
        improved = self.best is None or row["validation_rmse"] < self.best["validation_rmse"]
        if improved:
            self.best, self.best_weights = row, model.get_weights()
        if self.folder is not None:
            if improved:
                save(model, self.folder / "best.keras")
            write_json(self.folder / "progress.json", self.history)
            save(model, self.folder / "last.keras")

    def stale(self, patience):
        """Whether the last `patience` epochs have brought nothing better."""
        if self.best is None or patience is None:
            return False
        return self.history[-1]["epoch"] - self.best["epoch"] >= patience

    def best_model(self, model):
        """The model as it was after its best epoch."""
        if self.best_weights is None:
            return keras.saving.load_model(self.folder / "best.keras")
        model.set_weights(self.best_weights)
        return model


def _compile(model, rate, weight_decay):
    optimizer = keras.optimizers.Adam(rate)
    if weight_decay:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=weight_decay)
    model.compile(optimizer, MaskedMSE(), jit_compile=False)


def _train_epoch(model, stream, bar):
    """One pass over the batches; returns the mean loss in px^2."""
    model.reset_metrics()
    for images, points in stream:
        loss = float(model.train_on_batch(images, points))
        bar.update()
    if not np.isfinite(loss):
        raise ValueError(f"the loss is {loss}; a lower learning_rate may help")
    return loss


def fit(
    model,
    train,
    validation,
    *,
    epochs=30,
    epoch_size=None,
    batch_size=64,
    learning_rate=1e-3,
    schedule="cosine",
    weight_decay=0.0,
    patience=None,
    seed=0,
    augment=None,
    folder=None,
    progress=True,
):
    """Train with Adam on (masked) MSE in px^2, keep the epoch of the lowest validation RMSE.

    Args:
        model: pixels -> points, as `fkp.models.build` makes it.
        train: Faces; NaN points are skipped by the loss.
        validation: Faces with original labels.
        epochs: number of epochs at most.
        epoch_size: images per epoch; None = one pass over the rows. A fixed number makes
            treatments with different numbers of rows equal in computation.
        batch_size: images per update.
        learning_rate: peak learning rate.
        schedule: "cosine" or "constant".
        weight_decay: decoupled (AdamW) if above zero.
        patience: stop after so many epochs without a better validation RMSE; None = never.
        seed: order of the rows and the augmentation.
        augment: callable (images, points, rng) -> (images, points), applied to each batch.
        folder: where checkpoints live; an interrupted training found there goes on.
        progress: show a progress bar.

    Returns:
        (the best model, history): a list with one dict per epoch: epoch, loss (px^2), train_rmse,
        validation_rmse (px), learning_rate, seconds.

    Raises:
        ValueError: no rows, or a loss that is not finite.
    """
    if not len(train) or not len(validation):
        raise ValueError(f"cannot train on {len(train)} rows with {len(validation)} to validate")
    epoch_size = epoch_size or len(train)
    steps = -(-epoch_size // batch_size)
    log = _Log(folder)
    model = log.resume(model, steps)
    if not log.history:
        start_at(model, np.nanmean(train.points, axis=0))
        rate = learning_rate_schedule(learning_rate, epochs * steps, schedule)
        _compile(model, rate, weight_decay)
    stream = partial(
        batches, train, epoch_size=epoch_size, batch_size=batch_size, seed=seed, augment=augment
    )
    done = len(log.history)
    options = {"unit": "batch", "mininterval": 1, "disable": not progress}
    with tqdm(total=epochs * steps, initial=done * steps, **options) as bar:
        for epoch in range(done, epochs):
            if log.stale(patience):
                break
            began = time.perf_counter()
            loss = _train_epoch(model, stream(epoch), bar)
            score = errors.rmse(validation.points, predict(model, validation.images))
            row = {
                "epoch": epoch,
                "loss": loss,
                "train_rmse": loss**0.5,
                "validation_rmse": score,
                "learning_rate": float(model.optimizer.learning_rate),
                "seconds": time.perf_counter() - began,
            }
            log.add(model, row)
            bar.set_postfix(train=row["train_rmse"], validation=score)
    return log.best_model(model), log.history
