#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From catalogue to polygons on a pair of full tiles, against one GDAL read of the same files in the same run.

  pair_speed.py SHUIBAO FOLDER [--runs 3] [--jobs 2] [--memory 1G]

FOLDER holds what make_pair.py made, or two Sentinel-2 products (.SAFE), of which the files that are needed are read: the
finest of blue, green, red, near and both short-wave infrareds, and the classes. Read and run take turns, so that a machine that slows down slows both; the
medians are printed as Markdown. Peak memory is the largest of the stages' processes.
"""
import argparse, pathlib, re, shutil, statistics, tempfile

from measure import measured

STAGES = ("catalog", "tile", "detect", "delineate")

p = argparse.ArgumentParser()
p.add_argument("shuibao")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--runs", type=int, default=3)
p.add_argument("--jobs", default="2")
p.add_argument("--memory", default="1G")
o = p.parse_args()
needed = re.compile(r"_(B02_10m|B03_10m|B04_10m|B08_10m|B11_20m|B12_20m|SCL_20m)\.jp2$")
products = sorted(str(f) for f in o.folder.rglob("*.jp2") if needed.search(f.name))
images = products or sorted(map(str, o.folder.glob("*.tif")))
reader = pathlib.Path(__file__).with_name("gdal_read.py")
work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=o.folder))
config = o.folder / "bench.yaml"
config.write_text(f"imagery:\n  catalog: {o.folder.resolve()}{'' if products else '/catalog'}\napprovals:\n  path: none\n"
                  f"store: {work.resolve()}/store\noutput: {work.resolve()}/output\n")
reads, rows = [], {s: [] for s in STAGES}
try:
    for path in images:
        pathlib.Path(path).read_bytes()  # both find the files in the page cache
    for _ in range(o.runs):
        reads.append(float(measured("/usr/bin/python3", reader, o.jobs, *images)[3]))
        shutil.rmtree(work / "store", ignore_errors=True)
        for stage in STAGES:
            rows[stage].append(measured(o.shuibao, stage, "-c", config, "-j", o.jobs, "--memory", o.memory, "-q")[:3])
finally:
    shutil.rmtree(work)
read = statistics.median(reads)
totals = [sum(rows[s][i][0] for s in STAGES) for i in range(o.runs)]
ratios = [t / r for t, r in zip(totals, reads)]
print(f"| | wall s | CPU s | × read | peak MiB |\n|---|---:|---:|---:|---:|\n| one GDAL read, {o.jobs} threads | {read:.2f} | | 1.00 | |")
for s in STAGES:
    wall, cpu = (statistics.median(r[k] for r in rows[s]) for k in (0, 1))
    print(f"| {s} | {wall:.2f} | {cpu:.2f} | {wall / read:.2f} | {max(r[2] for r in rows[s]):.0f} |")
print(f"| **catalogue to polygons** | **{statistics.median(totals):.2f}** | | **{statistics.median(ratios):.2f}** "
      f"| **{max(r[2] for v in rows.values() for r in v):.0f}** |")
print(f"\n{o.runs} runs in turn; ratio from {min(ratios):.2f} to {max(ratios):.2f}.")
