"""Size, height and first paint of the published pages: python -m benchmarks.pages [FOLDER]

First paint is the median of three visits in the system's chromium or google-chrome; what else the
machine does counts too.
"""

import argparse
import shutil
import statistics
from pathlib import Path

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def visit(browser, page, width):
    """First contentful paint, ms (None if nothing was painted), and height of a page, px."""
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(page.as_uri())
    tab.wait_for_timeout(400)
    seen = tab.evaluate(PAINT), tab.evaluate("document.documentElement.scrollHeight")
    tab.close()
    return seen


def main():
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=PUBLISHED)
    folder = parser.parse_args().folder.resolve()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    print("| page | kB | first paint, ms | height at 1280 px | at 390 px |")
    print("| --- | --- | --- | --- | --- |")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for page in sorted(folder.rglob("index.html")):
            visits = [visit(browser, page, 1280) for _ in range(3)]
            paints = [paint for paint, _ in visits if paint is not None]
            paint = f"{statistics.median(paints):.0f}" if paints else "none"
            name, kb = page.relative_to(folder), page.stat().st_size / 1000
            print(
                f"| {name} | {kb:.0f} | {paint} | {visits[0][1]} | {visit(browser, page, 390)[1]} |"
            )


if __name__ == "__main__":
    main()
