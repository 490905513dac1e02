"""The demo: a page that finds points in the browser, and a server for it on this machine.

The page is index.html with the modules beside it, plain JavaScript that needs no building; as in
`fkp.photo`, detect.js finds faces, finder.js their points. LiteRT.js runs the shipped files there.

places.json says where the page finds models, detector and runtime, the latter two pinned, with a
digest of each file. As it stands it is for a static host of this repository, where both come from a
public mirror of npm and of GitHub. `site` has everything come from this machine: the runtime is
fetched once.
"""

import base64
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from http.client import HTTPException
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from fkp.photo.detect import model_file
from fkp.record.files import whole

PAGE = Path(__file__).parent
WEIGHTS = PAGE.parents[1] / "models" / "weights"
_TYPES = {  # said outright: a system's own table may call scripts plain text
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".wasm": "application/wasm",
}


def cache() -> Path:
    """The folder that keeps the runtime: `$XDG_CACHE_HOME/fkp/demo`, by default in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fkp" / "demo"


def site(folder: Path) -> dict[str, Path]:
    """The demo's files by their place on its site.

    Args:
        folder: keeps the runtime, see `runtime`, and this site's places.json.

    Raises:
        OSError, ValueError: the runtime is neither there nor to be had; see `runtime`.
        ModuleNotFoundError: the package with the face detector is not installed.
    """
    places = json.loads((PAGE / "places.json").read_text(encoding="utf-8"))
    files = {file.name: file for file in PAGE.iterdir() if file.suffix in _TYPES}
    files |= {f"models/{name}.tflite": WEIGHTS / f"{name}.tflite" for name in ("small", "tiny")}
    files["detector.tflite"] = model_file()
    files |= {f"runtime/{n}": file for n, file in runtime(places["packages"], folder).items()}
    detector = places["detector"] | {"url": "detector.tflite"}
    places |= {"models": "models/", "detector": detector, "runtime": "runtime/"}
    with whole(folder / "places.json") as part:
        part.write_text(json.dumps(places), encoding="utf-8")
    return files | {"": files["index.html"], "places.json": folder / "places.json"}


def runtime(packages: Mapping[str, dict], folder: Path) -> dict[str, Path]:
    """The runtime's files, name@version/file -> path; those that are not in `folder` are fetched.

    Args:
        packages: of npm, name@version -> {tarball: URL, integrity, files: {file: integrity}}, an
            integrity being an algorithm and a digest in base 64, joined by a hyphen.
        folder: keeps them.

    Raises:
        OSError: they cannot be fetched; says what to do.
        ValueError: what came is not what was asked for.
    """
    files = {}
    for package, about in packages.items():
        kept = {name: folder / package / name for name in about["files"]}
        if not all(p.is_file() and _is(p.read_bytes(), about["files"][n]) for n, p in kept.items()):
            _fetch(about, kept)
        files |= {f"{package}/{name}": path for name, path in kept.items()}
    return files


def serve(files: Mapping[str, Path], port: int = 0) -> ThreadingHTTPServer:
    """A server of files on this machine alone, to be run by its `serve_forever`.

    Args:
        files: place on the site -> file.
        port: 0 takes a free one, see `server_port`.

    Raises:
        OSError: the port is taken.
    """

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = SimpleHTTPRequestHandler.extensions_map | _TYPES

        def translate_path(self, path):
            name = unquote(urlsplit(path).path).removeprefix("/")
            return str(files.get(name, ""))  # "" is no file: not found

        def end_headers(self):
            self.send_header("Cache-Control", "no-cache")
            super().end_headers()

        def log_message(self, *_):
            pass

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise OSError(f"--port {port}: {error.strerror}; 0 takes a free one") from None


def _fetch(about, kept):
    url = about["tarball"]
    try:
        with urlopen(url, timeout=30) as answer:
            packed = answer.read()
    except (OSError, HTTPException) as error:
        raise OSError(
            f"{url}: not to be had ({getattr(error, 'reason', error)}); the demo fetches its "
            "runtime once, 12 MB: connect to the network and call it again"
        ) from None
    if not _is(packed, about["integrity"]):
        raise ValueError(f"{url}: is not the file that fkp was made with; nothing was kept")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for name, path in kept.items():
            with whole(path) as part:
                part.write_bytes(archive.extractfile(f"package/{name}").read())


def _is(data, integrity):
    algorithm, _, digest = integrity.partition("-")
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode() == digest
