"""Training: faces and a fresh model in, the best model and its history out.

A training with a folder is resumable: after every epoch the model with its optimizer (last.keras),
the best model so far (best.keras) and the history (progress.json) are on disk, each file whole or
absent.
"""

import json
import time
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from fkp import evaluate
from fkp.losses import MaskedMSE
from fkp.models import save
from fkp.models.contract import start_at
from fkp.predict import predict
from fkp.provenance import write_json


def learning_rate_schedule(learning_rate, steps, kind="cosine"):
    """Learning rate over `steps` updates: "constant", or "cosine" (5 % warm-up, decay to 1 %)."""
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


def _resume(model, folder, steps_per_epoch):
    """The stored model and history, or the given model and an empty history."""
    last, progress = folder / "last.keras", folder / "progress.json"
    if not (last.exists() and progress.exists()):
        return model, []
    model = keras.saving.load_model(last)
    epochs = int(model.optimizer.iterations) // steps_per_epoch
    return model, json.loads(progress.read_text())[:epochs]


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
    folder = Path(folder) if folder is not None else None
    history = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        model, history = _resume(model, folder, steps)
    if not history:
        start_at(model, np.nanmean(train.points, axis=0))
        rate = learning_rate_schedule(learning_rate, epochs * steps, schedule)
        optimizer = keras.optimizers.AdamW if weight_decay else keras.optimizers.Adam
        decay = {"weight_decay": weight_decay} if weight_decay else {}
        model.compile(optimizer(rate, **decay), MaskedMSE(), jit_compile=False)
    best = min(history, key=lambda row: row["validation_rmse"], default=None)
    best_weights = None

    bar = tqdm(
        total=epochs * steps,
        initial=len(history) * steps,
        unit="batch",
        disable=not progress,
        mininterval=1,
    )
    for epoch in range(len(history), epochs):
        if best and patience is not None and epoch - 1 - best["epoch"] >= patience:
            break
        began = time.perf_counter()
        model.reset_metrics()
        for images, points in batches(
            train,
            epoch,
            epoch_size=epoch_size,
            batch_size=batch_size,
            seed=seed,
            augment=augment,
        ):
            loss = float(model.train_on_batch(images, points))
            bar.update()
        if not np.isfinite(loss):
            raise ValueError(f"epoch {epoch}: the loss is {loss}; a lower learning_rate may help")
        row = {
            "epoch": epoch,
            "loss": loss,
            "train_rmse": loss**0.5,
            "validation_rmse": evaluate.rmse(validation.points, predict(model, validation.images)),
            "learning_rate": float(model.optimizer.learning_rate),
            "seconds": time.perf_counter() - began,
        }
        history.append(row)
        improved = best is None or row["validation_rmse"] < best["validation_rmse"]
        if improved:
            best, best_weights = row, model.get_weights()
        bar.set_postfix(train=row["train_rmse"], validation=row["validation_rmse"])
        if folder is not None:
            if improved:
                save(model, folder / "best.keras")
            write_json(folder / "progress.json", history)
            save(model, folder / "last.keras")
    bar.close()
    if best_weights is not None:
        model.set_weights(best_weights)
    elif folder is not None:
        model = keras.saving.load_model(folder / "best.keras")
    return model, history
