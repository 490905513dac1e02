"""Facts about models, as the command line shows them."""

import tempfile
from pathlib import Path


def model_facts(name: str, input_shape: tuple[int, int, int], n_points: int) -> dict:
    """Input, parameter count and saved size (float32, without optimizer state) of one model."""
    from fkp.models import build

    model = build(name, input_shape, n_points)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        size = file.stat().st_size
    return {
        "name": name,
        "input": "x".join(map(str, input_shape)),
        "parameters": model.count_params(),
        "file_mb": round(size / 1e6, 2),
    }
