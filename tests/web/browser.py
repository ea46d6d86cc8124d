# SPDX-License-Identifier: Apache-2.0
"""A real browser on a real report: Debian's chromium, driven by python3-selenium. No network is needed or wanted."""
import json
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1] / "bench" / "make_screen.py"


def missing():
    """What keeps this machine from having a browser, or nothing."""
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        return "chromium and chromium-driver are not installed"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    return ""


def open_browser(width, height, phone=False):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    if phone:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True})
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    return driver


def finger(driver, x, y, up):
    """One finger laid on the page and drawn up by so many pixels."""
    import time

    def touch(kind, *points):
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for step in range(1, 11):
        touch("touchMove", {"x": x, "y": y - up * step / 10})
        time.sleep(0.02)
    touch("touchEnd")
    time.sleep(0.4)


def pages_on_paper(driver):
    """How many sheets the page takes."""
    import base64
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})["data"])
    told = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return int(told.split("Pages:")[1].split()[0])


def drawn(driver):
    """Waits until the outlines on the map are those of the last event: they are drawn a slice a frame."""
    driver.set_script_timeout(60)
    driver.execute_async_script("""const done = arguments[0], c = document.querySelector("canvas.leaflet-layer");
        const wait = () => c.dataset.busy ? requestAnimationFrame(wait) : done(); wait();""")


def requests(driver):
    """Addresses that the page asked for since the last call, but for files and data in it."""
    urls = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
    return [u for u in urls if not u.startswith(("file:", "data:", "blob:", "about:", "chrome:"))]


def many_suspects(program, folder, disturbances):
    """A batch of so many disturbances without images, ranked; gives the folder of its export, without a report yet."""
    folder = Path(folder)
    subprocess.run(["/usr/bin/python3", str(BENCH), str(folder), str(disturbances)], check=True, stdout=sys.stderr)
    where = ["--batch", "202409", "--store", folder / "store", "-o", folder / "output", "-q"]
    zones = (folder / "bench.json").read_text()
    for verb, words in (("screen", ["--disturbances", folder / "disturbances.gpkg", "--approvals", folder / "approvals.gpkg",
                                    "--set", f"zones.layers={zones}"]), ("rank", [])):
        subprocess.run([str(w) for w in (program, verb, *words, *where)], check=True, stdout=sys.stderr)
    return where
