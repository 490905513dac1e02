"""The demo in headless Chromium: points as Python's, a camera, no request, faults in words."""

import base64
import io
import json
import re
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fkp
from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.photo import demo
from fkp.photo.predictions import Found, to_csv, to_json

playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
ROOT, WAIT = Path(__file__).parents[1], 120_000  # ms; on a busy machine
PLACES = json.loads((demo.PAGE / "places.json").read_text())
STATE = "import('./demo.js').then(async ({ ready, state }) => { await ready; return %s; })"


@pytest.fixture(scope="module")
def files():
    try:
        return demo.site(demo.cache())
    except OSError as error:
        pytest.skip(f"no runtime: {error}")


@contextmanager
def served(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server:
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def address(files):
    with served(demo.serve(files)) as address:
        yield address


@pytest.fixture(scope="module")
def player():
    with playwright.sync_playwright() as player:
        yield player


@contextmanager
def opened(player, address, *flags, route=None):
    """The page once it is loaded, cut off from the network; and what it asks for from then on."""
    browser, asked = player.chromium.launch(executable_path=CHROMIUM, args=flags), []
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    if route:
        page.route(re.compile("^https:"), route)
    page.goto(address)
    page.wait_for_selector("#file:enabled", state="attached")
    page.context.set_offline(True)
    page.on("request", lambda request: asked.append(request.url))
    yield page, asked
    browser.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Files of drawn faces: one by itself, and four on a larger canvas, one of them turned."""
    folder = tmp_path_factory.mktemp("pictures")
    faces = readers.read(n=4, size=160, channels=3, scheme=IBUG_68, seed=3)
    canvas = np.full((420, 610, 3), 128, np.uint8)
    turn = cv2.getRotationMatrix2D((79.5, 79.5), 25, 1)
    turned = cv2.warpAffine(faces.images[1], turn, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    images = [faces.images[0], turned, *faces.images[2:]]
    for (x, y), image in zip([(20, 30), (330, 40), (80, 230), (420, 240)], images, strict=True):
        canvas[y : y + 160, x : x + 160] = image
    Image.fromarray(np.pad(images[0], ((60, 60), (80, 80), (0, 0)), "edge")).save(
        folder / "one.png"
    )
    Image.fromarray(canvas).save(folder / "four.png")
    (folder / "words.png").write_text("no picture")
    Image.new("RGB", (300, 200), "gray").save(folder / "gray.png")
    Image.new("RGBA", (610, 420)).save(folder / "clear.png")
    return folder


@pytest.fixture(scope="module")
def page(player, address):
    with opened(player, address) as (page, asked):
        yield page
        assert not [url for url in asked if not url.startswith("blob:")], (
            "asked after it was loaded"
        )


def status(page, text):
    playwright.expect(page.locator("#status")).to_contain_text(text, timeout=WAIT)


def show(page, file):
    page.evaluate("document.getElementById('status').textContent = ''")
    page.set_input_files("#file", file)
    status(page, f"found in {file.name}.")


@needs_chromium
@pytest.mark.parametrize("model", ["small", "tiny"])
@pytest.mark.parametrize("name", ["one.png", "four.png"])
def test_points_and_errors_are_pythons(page, pictures, model, name):
    page.select_option("#model", model)
    show(page, pictures / name)
    found, expected = page.evaluate(STATE % "state.faces"), fkp.load(model)(pictures / name)
    assert len(found) == len(expected) == (1 if name == "one.png" else 4)
    for face, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(face["points"], wanted.points, atol=0.5)
        np.testing.assert_allclose(face["box"], wanted.box, atol=0.05)
        assert face["score"] == pytest.approx(wanted.score, abs=1e-3)
        # The spread has 8 bits, so errors come in steps: most are the same, others one off.
        np.testing.assert_allclose(face["error"], wanted.error, rtol=0.45)
        assert np.median(np.abs(np.divide(face["error"], wanted.error) - 1)) < 0.1


@needs_chromium
def test_downloads_are_what_predict_saves(page, pictures, tmp_path):
    page.select_option("#model", "tiny")
    show(page, pictures / "four.png")
    faces = fkp.load("tiny")(pictures / "four.png")
    found = [Found(Path("four.png"), "four", 610, 420, faces)]
    saved = {}
    for kind in ("csv", "json"):
        with page.expect_download() as download:
            page.click(f"#{kind}")
        saved[kind] = tmp_path / f"page.{kind}"
        download.value.save_as(saved[kind])
        assert download.value.suggested_filename == f"predictions.{kind}"
    table, expected = pd.read_csv(saved["csv"]), pd.read_csv(to_csv(found, tmp_path))
    same = ["file", "face", "point"]
    assert list(table) == list(expected) and table[same].equals(expected[same])
    np.testing.assert_allclose(table[["x", "y"]], expected[["x", "y"]], atol=0.51)
    (facts,), (wanted,) = (
        json.loads(p.read_text()) for p in (saved["json"], to_json(found, tmp_path))
    )
    for face in wanted["faces"]:
        del face["pose"]  # the page measures none
    assert facts.keys() == wanted.keys() and facts["width"] == 610
    assert facts["faces"][0].keys() == wanted["faces"][0].keys()


@needs_chromium
def test_only_lips_and_irises_are_recoloured(page, pictures):
    show(page, pictures / "four.png")
    for box in ("#points", "#errors"):
        page.uncheck(box)
    url = page.evaluate("document.getElementById('canvas').toDataURL()")
    png = io.BytesIO(base64.b64decode(url.partition(",")[2]))
    after = np.asarray(Image.open(png).convert("RGB"))
    before = np.asarray(Image.open(pictures / "four.png"))
    inside = np.zeros(before.shape[:2], np.uint8)
    for face in page.evaluate(STATE % "state.faces"):
        for region in ("outer_lips", "right_eye", "left_eye"):
            corners = np.array(face["points"])[list(IBUG_68.regions[region])]
            cv2.fillPoly(inside, [corners.round().astype(np.int32)], 1)
    changed = (before != after).any(axis=2)
    assert changed[inside > 0].mean() > 0.3
    assert not changed[cv2.dilate(inside, np.ones((7, 7))) == 0].any()
    page.check("#points")


@needs_chromium
def test_a_transparent_picture_keeps_nothing_of_the_last(page, pictures):
    show(page, pictures / "four.png")
    show(page, pictures / "clear.png")
    alpha = "document.getElementById('canvas').getContext('2d').getImageData(0, 0, 610, 420)"
    assert page.evaluate(f"{alpha}.data.every((value) => !value)")


@needs_chromium
def test_two_tracks_are_one_face_from_the_overlap_that_python_takes(page):
    stays = """
      import("./track.js").then(({ Tracker }) => [0.2, 0.5].map((shift) => {
        const points = [[40, 40], [60, 60]], face = { box: [0, 0, 100, 100], points, error: [1] };
        const other = { face: { box: [100 * shift, 0, 100, 100] } };
        const tracker = Object.assign(new Tracker(null), { tracks: [other] });
        return tracker.stays(face, face, { width: 200, height: 200 });
      }))"""
    assert page.evaluate(stays) == [False, True]  # overlaps of 0.67 and 0.33


@needs_chromium
def test_faults_are_said(page, pictures):
    page.set_input_files("#file", pictures / "words.png")
    status(page, "words.png is no picture that this browser can open")
    show(page, pictures / "gray.png")
    status(page, "No faces found in gray.png. Faces should look at the camera")
    assert page.is_disabled("#csv")
    page.click("#camera")  # headless Chromium has none, or refuses it
    status(page, "No camera: ")
    page.click("#drawn")
    status(page, "3 faces found in drawn.jpg.")


@needs_chromium
def test_the_page_knows_the_scheme_and_names_its_controls(page):
    regions = page.evaluate(STATE % "state.regions")
    assert {name: tuple(span) for name, span in regions.items()} == IBUG_68.regions
    nameless = "[...document.querySelectorAll('input, select, button, canvas, img')].filter((e) =>"
    nameless += " !(e.labels?.length || e.ariaLabel || e.alt || e.textContent.trim())).length"
    assert page.evaluate(nameless) == 0


@needs_chromium
def test_a_hundred_pictures_of_a_camera_take_no_more_memory(player, address, tmp_path):
    film = tmp_path / "camera.mjpeg"
    face = readers.read(n=1, size=160, channels=3, scheme=IBUG_68, seed=3).images[0]
    with film.open("wb") as stream:
        for shift in (*range(0, 30, 3), *range(30, 0, -3)):
            picture = np.full((240, 320, 3), 128, np.uint8)
            picture[40:200, 40 + shift : 200 + shift] = face[..., ::-1]
            stream.write(cv2.imencode(".jpg", picture)[1].tobytes())
    camera = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    with opened(player, address, *camera) as (page, asked):
        page.select_option("#model", "tiny")
        used = page.context.new_cdp_session(page)

        def memory_after(frames):
            """MB of objects, of buffers, of wasm, with the camera off again."""
            page.click("#camera")
            while page.evaluate(STATE % "state.frames") < frames:
                page.wait_for_timeout(100)
            assert len(page.evaluate(STATE % "state.faces")) == 1
            page.click("#camera")
            status(page, "The camera is off")
            used.send("HeapProfiler.collectGarbage")
            heap = used.send("Runtime.getHeapUsage")
            wasm = page.evaluate(STATE % "state.runtime.getGlobalLiteRt().liteRtWasm.HEAPU8.length")
            return np.array([heap["usedSize"], heap.get("backingStorageSize", 0), wasm]) / 1e6

        grown = -memory_after(20) + memory_after(100)
        assert page.inner_text("#time").endswith(" ms")
        streams = """(async () => {
          const { mediaDevices } = navigator, ask = mediaDevices.getUserMedia.bind(mediaDevices);
          window.opened = [];
          mediaDevices.getUserMedia = async (what) => {
            window.opened.push(await ask(what));
            return window.opened.at(-1);
          };
          const button = document.getElementById("camera");
          button.click();
          button.click();
        })()"""
        page.evaluate(streams)
        status(page, "The camera is on")
        assert page.evaluate("opened.length") == 1 and page.is_enabled("#camera")
        page.evaluate("opened[0].getTracks()[0].dispatchEvent(new Event('ended'))")
        status(page, "The camera is off")
        assert not asked
    assert (grown < 1).all(), grown


@needs_chromium
def test_the_published_page_takes_pinned_files_from_a_mirror(player, files):
    def mirror(route):
        url = route.request.url
        runtime = f"runtime/{url.removeprefix(PLACES['runtime'])}"
        name = "detector.tflite" if url == PLACES["detector"]["url"] else runtime
        route.fulfill(path=files[name], headers={"Access-Control-Allow-Origin": "*"})

    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    host = ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=ROOT))
    with (
        served(host) as address,
        opened(player, f"{address}reports/published/demo/", route=mirror) as (page, _),
    ):
        page.click("#drawn")
        status(page, "3 faces found in drawn.jpg.")
        assert "cdn.jsdelivr.net" in page.inner_text("footer")


def test_without_network_the_command_says_what_to_do(tmp_path):
    gone = {
        "tarball": "http://127.0.0.1:9/x.tgz",
        "integrity": "sha512-",
        "files": {"x": "sha384-"},
    }
    with pytest.raises(OSError, match=r"fetches its runtime once, 12 MB: connect to the network"):
        demo.runtime({"x@1": gone}, tmp_path)
    other = tmp_path / "other.tgz"
    other.write_bytes(b"other")
    with (
        served(demo.serve({"x.tgz": other})) as address,
        pytest.raises(ValueError, match="is not the file that fkp was made with"),
    ):
        demo.runtime({"x@1": gone | {"tarball": f"{address}x.tgz"}}, tmp_path)
    assert list(tmp_path.iterdir()) == [other]


def test_only_the_files_named_are_served(tmp_path):
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "secret").write_text("2")
    with served(demo.serve({"": tmp_path / "a.js", "x/a.js": tmp_path / "a.js"})) as address:
        for place in ("", "x/a.js?again"):
            with urlopen(address + place) as answer:
                assert answer.read() == b"1" and answer.headers["Cache-Control"] == "no-cache"
                assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        for place in ("secret", "x", "x/", "../secret", "x/../secret", str(tmp_path / "secret")):
            with pytest.raises(HTTPError, match="404"):
                urlopen(address + place)


def test_a_port_that_is_taken_is_named():
    with demo.serve({}) as first, pytest.raises(OSError, match=r"--port .*; 0 takes a free one"):
        demo.serve({}, first.server_port)
