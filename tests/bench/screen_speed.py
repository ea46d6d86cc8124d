#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`screen` and `rank` on 1 000, 10 000 and 100 000 disturbances against a fifth as many projects and 10 zone layers.

  screen_speed.py SHUIBAO FOLDER [--sizes 1000,10000,100000] [--jobs 2]

Inputs are made by make_screen.py where they are missing. Prints Markdown: wall, CPU and peak memory of each process and
of both together, and CPU per n ln n of both, which must not grow: at 100 000 no more than at 10 000 (the fixed cost of a
process shows at 1 000).
"""
import argparse, math, pathlib, shutil, subprocess, tempfile

from measure import measured

p = argparse.ArgumentParser()
p.add_argument("shuibao")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--sizes", default="1000,10000,100000")
p.add_argument("--jobs", default="2")
o = p.parse_args()


def line(n, what, wall, cpu, peak):
    print(f"| {n} | {what} | {wall:.1f} | {cpu:.1f} | {cpu / n * 1e3:.2f} | {cpu / (n * math.log(n)) * 1e6:.1f} | {peak:.0f} |", flush=True)


print("| disturbances | stage | wall s | CPU s | CPU ms each | CPU µs / n ln n | peak MiB |\n|---:|---|---:|---:|---:|---:|---:|")
for n in map(int, o.sizes.split(",")):
    data = o.folder / str(n)
    if not (data / "bench.json").exists():
        subprocess.run(["/usr/bin/python3", pathlib.Path(__file__).with_name("make_screen.py"), data, str(n)], check=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=o.folder))
    try:
        where = ["--batch", "202409", "--store", work / "store", "--output", work / "output"]
        zones = (data / "bench.json").read_text()
        both = []
        for stage, words in (("screen", ["--disturbances", data / "disturbances.gpkg", "--approvals", data / "approvals.gpkg",
                                         "--set", f"zones.layers={zones}"]), ("rank", [])):
            both.append(measured(o.shuibao, stage, *words, *where, "-j", o.jobs, "-q")[:3])
            line(n, stage, *both[-1])
        walls, cpus, peaks = zip(*both)
        line(n, "both", sum(walls), sum(cpus), max(peaks))
    finally:
        shutil.rmtree(work)
