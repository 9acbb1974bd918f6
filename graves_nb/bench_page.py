"""How many steps a second the network takes in a page: headless Chromium, one thread."""

import os
import shutil
import statistics
from pathlib import Path

STATIC = Path(__file__).parent / "static"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

MEASURE = """async ({plain, steps, runs}) => {
  const { Network, readWeights } = await import("/engine.js");
  const file = readWeights(await (await fetch("/weights.safetensors")).arrayBuffer());
  const network = new Network(file, { plain });
  const codes = Array.from({ length: 30 }, (_, u) => 1 + u % 26);
  const run = () => {
    network.reset();
    const start = performance.now();
    for (let t = 0; t < steps; t++) network.step([0.2, 0.1, 0], codes);
    return 1000 * steps / (performance.now() - start);
  };
  run();
  return { kernel: network.kernel, speeds: Array.from({ length: runs }, run) };
}"""


def serve_files(page, files: dict[str, Path]) -> None:
    """Answer the page's requests to http://page.test/NAME from `files`, else from static/."""

    def answer(route):
        name = route.request.url.removeprefix("http://page.test/").split("?")[0]
        path = files.get(name, STATIC / name)
        route.fulfill(path=path) if name else route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route("http://page.test/**", answer)
    page.goto("http://page.test/")


def in_page_steps_per_second(weights_path, steps: int = 400, runs: int = 7) -> dict:
    """Return steps a second of a pen, `wasm` and `plain` (JavaScript alone): medians of `runs`.

    Needs playwright and a Chromium: the one that CHROMIUM names, or the first on the path.
    """
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise RuntimeError("There is no Chromium: install it (apt install chromium) or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        serve_files(page, {"weights.safetensors": Path(weights_path)})
        wasm, plain = (page.evaluate(MEASURE, dict(plain=plain, steps=steps, runs=runs)) for plain in (False, True))
        result = dict(wasm=round(statistics.median(wasm["speeds"])), plain=round(statistics.median(plain["speeds"])),
                      wasm_runs=[round(speed) for speed in wasm["speeds"]], kernel=wasm["kernel"],
                      steps=steps, runs=runs, browser=browser.version)
        browser.close()
    return result
