#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The series detector on tiles on disk, against one GDAL read of the files that it needs, in the same run: a first pass
over three years, then a quarter of new looks. The quarter needs its own looks and the state; it writes a state and a change
map too, which the read does not. Once a year, in the first quarter of a watched year, the model is learnt anew from the
looks before: that quarter costs a first pass.

  series_speed.py SHUIBAO FOLDER [--size 2000] [--runs 3] [--jobs 2] [--memory 1G]

FOLDER gets a simulated series when it holds none. Read and run take turns; the medians are printed as Markdown.
"""
import argparse
import pathlib
import shutil
import statistics
import subprocess

from measure import measured

HISTORY, QUARTER = "2023-12-31", "2024-03-31"

p = argparse.ArgumentParser()
p.add_argument("shuibao")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--size", default="2000")
p.add_argument("--runs", type=int, default=3)
p.add_argument("--jobs", default="2")
p.add_argument("--memory", default="1G")
o = p.parse_args()
config, store = o.folder / "run.yaml", o.folder / "store"
if not config.exists():
    subprocess.run([o.shuibao, "simulate", o.folder, "--kind", "series", "--size", o.size, "--to", QUARTER, "--monitor-from",
                    "2023-10-01", "-q"], check=True)


def stage(name, to):
    return measured(o.shuibao, name, "-c", config, "-j", o.jobs, "--memory", o.memory, "-q", "--set", f"imagery.to={to}",
                    "--set", "grid.tile_size=512",  # enough tiles for all threads on a small area
                    "--set", "detect.method=harmonic", "--set", "detect.monitor_from=2023-10-01",
                    fine=(0, 3))[:3]  # a scene of haze may be set aside


def read(files):
    for f in files:
        f.read_bytes()  # both find the files in the page cache
    return float(measured("/usr/bin/python3", pathlib.Path(__file__).with_name("gdal_read.py"), o.jobs, *files)[3])


def forget_detection():
    for made in [store / "state", store / "batches", *(store / "manifest").glob("detect*")]:
        shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)


def take_in(to):
    stage("catalog", to)
    stage("tile", to)


take_in(QUARTER)
looks = sorted(store.glob("tiles/*/2*.tif"))
old = [f for f in looks if f.name[:8] <= HISTORY.replace("-", "")]
new = [f for f in looks if f not in old]
rows = {"first pass": [], "a quarter": []}
for _ in range(o.runs):
    forget_detection()
    take_in(HISTORY)
    rows["first pass"].append((read(old), *stage("detect", HISTORY)))
    state = sorted(store.glob("state/harmonic/*/*.tif"))
    take_in(QUARTER)
    rows["a quarter"].append((read(new + state), *stage("detect", QUARTER)))
dates = {"first pass": len({f.name[:8] for f in old}), "a quarter": len({f.name[:8] for f in new})}
print("| detect | looks | one GDAL read, s | wall s | CPU s | × read | peak MiB |\n|---|---:|---:|---:|---:|---:|---:|")
for name, runs in rows.items():
    reads, walls, cpus, peaks = zip(*runs)
    ratios = [w / r for w, r in zip(walls, reads)]
    print(f"| {name} | {dates[name]} | {statistics.median(reads):.2f} | {statistics.median(walls):.2f} "
          f"| {statistics.median(cpus):.2f} | **{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f}) "
          f"| {max(peaks):.0f} |")
