#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a report of many suspects answers, in a real browser.

  report_speed.py SHUIBAO [--disturbances 7000]

Prints Markdown: time from an event (a filter, a letter of the search, a step of the divider, a step of the map, a scroll of
the list, a click on a row) to the next frame after it, the median and the worst of its repetitions, in milliseconds; and
until the map, which is drawn in slices, is whole.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "web"))
import browser  # noqa: E402

p = argparse.ArgumentParser()
p.add_argument("shuibao")
p.add_argument("--disturbances", type=int, default=7000)
o = p.parse_args()
if browser.missing():
    sys.exit(browser.missing())

MEASURE = """
const [times, whole, done] = [[], [], arguments[arguments.length - 1]];
const act = new Function("i", arguments[0]);
const canvas = document.querySelector("canvas.leaflet-layer");
const rest = (start, i) => {
  if (canvas.dataset.busy) return requestAnimationFrame(() => rest(start, i));
  whole.push(performance.now() - start);
  step(i + 1);
};
const step = i => {
  if (i === 20) return done([times, whole]);
  requestAnimationFrame(() => {
    const start = performance.now();
    act(i);
    document.body.offsetHeight;
    const channel = new MessageChannel();
    requestAnimationFrame(() => { channel.port1.onmessage = () => { times.push(performance.now() - start); rest(start, i); }; channel.port2.postMessage(0); });
  });
};
step(0);
"""
EVENTS = {
    "filter by tier": "document.querySelector('#tiers input').click()",
    "letter of the search": "const s = document.getElementById('search'); s.value = ['', '项', '项目', '项目1', '20', '202409-0'][i % 6]; s.dispatchEvent(new Event('input'))",
    "step of the divider": "const s = document.getElementById('swipe'); s.value = i * 5; s.dispatchEvent(new Event('input'))",
    "step of the map": "document.getElementById('map').dispatchEvent(new KeyboardEvent('keydown', {keyCode: i % 2 ? 37 : 39, bubbles: true}))",
    "zoom of the map": "document.querySelector(i % 2 ? '.leaflet-control-zoom-out' : '.leaflet-control-zoom-in').click()",
    "scroll of the list": "document.getElementById('rows').scrollTop = i * 9000",
    "click on a row": "document.querySelectorAll('#rows .row')[i % 5].click()",
    "language": "document.getElementById('language').click()",
}
with tempfile.TemporaryDirectory() as folder:
    where = browser.many_suspects(o.shuibao, folder, o.disturbances)
    start = time.monotonic()
    subprocess.run([str(w) for w in (o.shuibao, "export", "--set", "export.formats=[report]", *where)], check=True)
    made = time.monotonic() - start
    report = next((pathlib.Path(folder) / "output/export").glob("report_*.html"))
    driver = browser.open_browser(1440, 1000)
    try:
        driver.set_script_timeout(120)
        start = time.monotonic()
        driver.get(report.as_uri())
        opened = time.monotonic() - start
        n = driver.execute_script("return JSON.parse(document.getElementById('data').textContent).suspects.length")
        print(f"{n} suspects: written in {made:.1f} s, {report.stat().st_size / 1e6:.1f} MB, opened in {opened:.1f} s\n")
        print("| event | median ms | worst ms | map whole, median ms | worst ms |\n|---|---:|---:|---:|---:|")
        for name, code in EVENTS.items():
            browser.drawn(driver)
            lists = [sorted(times) for times in driver.execute_async_script(MEASURE, code)]
            print(f"| {name} | " + " | ".join(f"{t[len(t) // 2]:.0f} | {t[-1]:.0f}" for t in lists) + " |")
        wrong = [e for e in driver.get_log("browser") if e["level"] == "SEVERE"]
        asked = browser.requests(driver)
        if wrong or asked:
            sys.exit(f"errors {wrong}, requests {asked}")
    finally:
        driver.quit()
