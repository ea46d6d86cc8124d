#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`export` of N suspects in thirteen counties, each format by itself and all together.

  export_speed.py SHUIBAO FOLDER [--suspects 5000] [--images 6400] [--series 0] [--memory 1G] [--jobs 2] [--formats a,b,...]

The suspects are those of a simulated pair of so many pixels a side, with its store of tiles, so that pages have pictures
and the area its maps; every second approved range is left out, so that there are enough of them. With --images 0 they are
the polygons of make_screen.py, without images. With --series PIXELS they are squares of 0.36 hm² on a lattice over a
simulated series of so many pixels a side and --looks looks, and every page has the history of its pixel. They are cut to
N by rank.capacity. FOLDER keeps what was made. Prints
Markdown: wall, CPU, peak memory, files and bytes of each.
"""
import argparse, datetime, json, math, pathlib, shutil, subprocess, tempfile

from osgeo import gdal, ogr

from measure import measured

p = argparse.ArgumentParser()
p.add_argument("shuibao")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--suspects", type=int, default=5000)
p.add_argument("--images", type=int, default=6400, help="pixels a side; 0: polygons without images")
p.add_argument("--series", type=int, default=0, help="pixels a side of a series; pages then have histories")
p.add_argument("--looks", type=int, default=219)
p.add_argument("--memory", default="1G")
p.add_argument("--jobs", default="2")
p.add_argument("--formats", default="", help="default: all that there are")
o = p.parse_args()
gdal.UseExceptions()
ogr.UseExceptions()


def run(*words):
    return measured(o.shuibao, *words, "-j", o.jobs, "--memory", o.memory, "-q", fine=(0, 3))[:3]


def with_images():
    """A pair from catalogue to polygons; gives the batch and the words of `screen`."""
    data = o.folder / f"pair{o.images}"
    found = data / "store/batches/202405/disturbances.gpkg"
    if not found.exists():
        shutil.rmtree(data, ignore_errors=True)
        sites = min(10000, o.images * o.images // 4096)
        subprocess.run([o.shuibao, "simulate", data, "--size", str(o.images), "--sites", str(sites), "-q"], check=True)
        for stage in ("catalog", "tile", "detect", "delineate"):
            run(stage, data / "run.yaml")
    half = data / "half.gpkg"
    if not half.exists():
        gdal.VectorTranslate(str(half), str(data / "approvals.shp"), format="GPKG", layerName="approvals", geometryType="PROMOTE_TO_MULTI",
                             SQLStatement="SELECT * FROM approvals WHERE FID % 2 = 1", SQLDialect="OGRSQL")
    return "202405", found, data / "store", half, {}


def with_series():
    """A series as tiles, and squares over it that nobody approved; detection is not asked where they are."""
    data = o.folder / f"series{o.series}_{o.looks}"
    found = data / f"squares{o.suspects}.gpkg"
    last = datetime.date(2019, 1, 1) + datetime.timedelta(days=5 * o.looks - 1)
    if not (data / "store/acquisitions.json").exists():
        shutil.rmtree(data, ignore_errors=True)
        subprocess.run([o.shuibao, "simulate", data, "--kind", "series", "--size", str(o.series), "--from", "2019-01-01", "--to", str(last),
                        "--monitor-from", str(last - datetime.timedelta(days=365)), "-q"], check=True)
        for stage in ("catalog", "tile"):
            run(stage, data / "run.yaml")
    if not found.exists():
        out = ogr.GetDriverByName("GPKG").CreateDataSource(str(found))
        area = gdal.Open(str(data / "cover.tif"))
        west, step, _, north, *_ = area.GetGeoTransform()
        east, south = west + step * area.RasterXSize, north - step * area.RasterYSize
        squares = out.CreateLayer("squares", area.GetSpatialRef(), ogr.wkbPolygon)
        for name in ("onset_from", "onset_to"):
            squares.CreateField(ogr.FieldDefn(name, ogr.OFTString))
        side = math.ceil(math.sqrt(o.suspects))
        for n in range(o.suspects):
            x, y = (a + (b - a) * (k + 0.5) / side for a, b, k in ((west, east, n % side), (south, north, n // side)))
            f = ogr.Feature(squares.GetLayerDefn())
            f["onset_from"], f["onset_to"] = (str(last - datetime.timedelta(days=d)) for d in (200, 190))
            f.SetGeometry(ogr.CreateGeometryFromWkt(f"POLYGON(({x-30} {y-30},{x+30} {y-30},{x+30} {y+30},{x-30} {y+30},{x-30} {y-30}))"))
            squares.CreateFeature(f)
    return last.strftime("%Y%m"), found, data / "store", data / "approvals.shp", {}


def without_images():
    n = 2 * o.suspects
    data = o.folder / f"world{n}"
    if not (data / "bench.json").exists():
        subprocess.run(["/usr/bin/python3", pathlib.Path(__file__).with_name("make_screen.py"), data, str(n)], check=True)
    return "202409", data / "disturbances.gpkg", None, data / "approvals.gpkg", json.loads((data / "bench.json").read_text())


def counties_of(path):
    """Thirteen strips of the area of a layer, as a city has counties."""
    out_path = path.parent / "counties13.gpkg"
    if not out_path.exists():
        source = ogr.Open(str(path))
        layer = source.GetLayer(0)
        west, east, south, north = layer.GetExtent()
        out = ogr.GetDriverByName("GPKG").CreateDataSource(str(out_path))
        strips = out.CreateLayer("counties", layer.GetSpatialRef(), ogr.wkbPolygon)
        strips.CreateField(ogr.FieldDefn("NAME", ogr.OFTString))
        for k in range(13):
            a, b = (west + (east - west) * i / 13 for i in (k, k + 1))
            f = ogr.Feature(strips.GetLayerDefn())
            f["NAME"] = f"第{k + 1}县"
            f.SetGeometry(ogr.CreateGeometryFromWkt(f"POLYGON(({a} {south},{b} {south},{b} {north},{a} {north},{a} {south}))"))
            strips.CreateFeature(f)
    return str(out_path.resolve())


o.folder.mkdir(parents=True, exist_ok=True)
batch, found, store, approvals, zones = with_series() if o.series else with_images() if o.images else without_images()
work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=o.folder))
try:
    common = ["--batch", batch, "--store", store or work / "store"]
    zones = json.dumps({**zones, "county": counties_of(found)})
    chosen = [] if o.images and not o.series else ["--disturbances", found]
    histories = ["--set", f"export.evidence.series={o.suspects}"] if o.series else []
    run("screen", *common, *chosen, "--output", work / "ranked", "--approvals", approvals, "--set", f"zones.layers={zones}")
    run("rank", *common, "--output", work / "ranked", "--capacity", o.suspects)
    source = ogr.Open(str(work / "ranked" / "disturbances.gpkg"))
    disturbances, ranked = (source.GetLayerByName(name).GetFeatureCount() for name in ("disturbances", "suspects"))
    source = None
    print(f"{disturbances} disturbances, {ranked} suspects, {o.jobs} threads, --memory {o.memory}\n")
    print("| format | wall s | CPU s | peak MiB | files | MB |\n|---|---:|---:|---:|---:|---:|", flush=True)
    known = json.loads(subprocess.run([o.shuibao, "export", "--list", "--json"], check=True, capture_output=True).stdout)
    names = o.formats.split(",") if o.formats else [f["name"] for f in known]
    for name in [*names, "all of these"]:
        output = work / name.replace(" ", "_")
        shutil.copytree(work / "ranked", output)
        formats = ",".join(names if name == "all of these" else [name])
        wall, cpu, peak = run("export", *common, "--output", output, "--set", f"approvals.path={approvals}", "--set", f"export.formats=[{formats}]", *histories)
        made = [f.stat().st_size for f in (output / "export").rglob("*") if f.is_file()]
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {len(made)} | {sum(made) / 1e6:.1f} |", flush=True)
        shutil.rmtree(output)
finally:
    shutil.rmtree(work)
