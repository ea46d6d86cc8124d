#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`export` of N suspects in several counties, each format by itself and all together.

  export_speed.py SHUIBAO FOLDER [--suspects 5000] [--memory 1G] [--jobs 2] [--formats a,b,...]

The ranked layers come from `screen` and `rank` on the inputs of make_screen.py, and are cut to N suspects by
rank.capacity. Prints Markdown: wall, CPU, peak memory and bytes of each.
"""
import argparse, json, os, pathlib, shutil, subprocess, sys, tempfile, time

from osgeo import ogr

p = argparse.ArgumentParser()
p.add_argument("shuibao")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--suspects", type=int, default=5000)
p.add_argument("--memory", default="1G")
p.add_argument("--jobs", default="2")
p.add_argument("--formats", default="shapefile,csv,gpkg,geojson,flatgeobuf,change_map,xlsx,kmz,gpx,qgis,stac,package")
o = p.parse_args()
ogr.UseExceptions()


def measured(*words):
    start = time.monotonic()
    child = subprocess.Popen([o.shuibao, *map(str, words), "-j", o.jobs, "--memory", o.memory, "-q"])
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        sys.exit(f"{' '.join(map(str, words))} failed")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


n = 2 * o.suspects
data = o.folder / f"world{n}"
if not (data / "bench.json").exists():
    subprocess.run(["/usr/bin/python3", pathlib.Path(__file__).with_name("make_screen.py"), data, str(n)], check=True)
# Thirteen counties, as a city has: strips of the area.
counties = data / "counties.gpkg"
if not counties.exists():
    source = ogr.Open(str(data / "disturbances.gpkg"))
    layer = source.GetLayer(0)
    west, east, south, north = layer.GetExtent()
    out = ogr.GetDriverByName("GPKG").CreateDataSource(str(counties))
    strips = out.CreateLayer("counties", layer.GetSpatialRef(), ogr.wkbPolygon)
    strips.CreateField(ogr.FieldDefn("NAME", ogr.OFTString))
    for k in range(13):
        a, b = (west + (east - west) * i / 13 for i in (k, k + 1))
        f = ogr.Feature(strips.GetLayerDefn())
        f["NAME"] = f"第{k + 1}县"
        f.SetGeometry(ogr.CreateGeometryFromWkt(f"POLYGON(({a} {south},{b} {south},{b} {north},{a} {north},{a} {south}))"))
        strips.CreateFeature(f)
    out = None
work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=o.folder))
try:
    common = ["--batch", "202409", "--store", work / "store"]
    zones = json.dumps({**json.loads((data / "bench.json").read_text()), "county": str(counties.resolve())})
    measured("screen", *common, "--output", work / "ranked", "--disturbances", data / "disturbances.gpkg", "--approvals",
             data / "approvals.gpkg", "--set", f"zones.layers={zones}")
    measured("rank", *common, "--output", work / "ranked", "--capacity", o.suspects)
    source = ogr.Open(str(work / "ranked" / "disturbances.gpkg"))
    found, ranked = (source.GetLayerByName(name).GetFeatureCount() for name in ("disturbances", "suspects"))
    source = None
    print(f"{found} disturbances, {ranked} suspects, {o.jobs} threads, --memory {o.memory}\n")
    print("| format | wall s | CPU s | peak MiB | MB |\n|---|---:|---:|---:|---:|")
    names = o.formats.split(",")
    for name in [*names, "all of these"]:
        output = work / name.replace(" ", "_")
        output.mkdir()
        shutil.copy(work / "ranked" / "disturbances.gpkg", output)
        chosen = names if name == "all of these" else [name]
        wall, cpu, peak = measured("export", *common, "--output", output, "--set", f"export.formats=[{','.join(chosen)}]")
        size = sum(f.stat().st_size for f in (output / "export").rglob("*") if f.is_file()) if (output / "export").exists() else 0
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {size / 1e6:.1f} |", flush=True)
finally:
    shutil.rmtree(work)
