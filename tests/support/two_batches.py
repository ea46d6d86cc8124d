# SPDX-License-Identifier: Apache-2.0
"""A small city with images and a past: a simulated pair in three counties, a batch of the spring before whose polygons
people drew, field results of that batch, and the batch that the images give. What a report can show is in it."""
import csv
import subprocess
from pathlib import Path

from osgeo import gdal, ogr

gdal.UseExceptions()
BEFORE, NOW = "202309", "202405"
COUNTIES = ["清河县", "石桥县", "云岭区"]
# What the field said of the first polygons of the batch before, in turn.
FINDINGS = ["未批先建", "未批先建", "合规", "超出防治责任范围", "非生产建设项目"]


def write(path, layer, crs, fields, rows):
    data = gdal.GetDriverByName("GPKG").Create(str(path), 0, 0, 0, gdal.GDT_Unknown)
    out = data.CreateLayer(layer, crs, ogr.wkbMultiPolygon)
    for name in fields:
        out.CreateField(ogr.FieldDefn(name, ogr.OFTString))
    for shape, values in rows:
        f = ogr.Feature(out.GetLayerDefn())
        for name, value in values.items():
            f[name] = value
        f.SetGeometry(ogr.ForceToMultiPolygon(shape.Clone()))
        out.CreateFeature(f)


def box(west, south, east, north):
    return ogr.CreateGeometryFromWkt(f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))")


def counties(west, south, east, north, n=3):
    """Bent strips that share their borders."""
    width, shapes = (east - west) / n, []
    edge = [[(west + width * k + (width * 0.12 * (-1) ** j if 0 < k < n else 0), south + (north - south) * j / 4) for j in range(5)]
            for k in range(n + 1)]
    for k in range(n):
        ring = edge[k] + edge[k + 1][::-1] + edge[k][:1]
        shapes.append(ogr.CreateGeometryFromWkt("POLYGON((" + ",".join(f"{x} {y}" for x, y in ring) + "))"))
    return shapes


def make(program, folder, size=600, sites=30, seed=5, options=()):
    """Writes and runs all of it in `folder`; gives <folder>/output, with everything that `export` makes of NOW."""
    folder = Path(folder)
    config = folder / "run.yaml"

    def do(verb, *words):
        done = subprocess.run([str(w) for w in (program, verb, *words, "-q")], capture_output=True, text=True)
        if done.returncode not in (0, 3):
            raise AssertionError(f"shuibao {verb} ended with {done.returncode}\n{done.stderr}")

    do("simulate", folder, "--kind", "pair", "--size", size, "--sites", sites, "--seed", seed)
    west, north = 680000, 3660000  # of every simulated pair; pixels of 10 m
    truth = ogr.Open(str(folder / "truth.gpkg"))
    crs = truth.GetLayer(0).GetSpatialRef()
    shapes = counties(west - 500, north - 10 * size - 500, west + 10 * size + 500, north + 500)
    write(folder / "counties.gpkg", "counties", crs, ["NAME"], [(s, {"NAME": n}) for s, n in zip(shapes, COUNTIES)])
    config.write_text(config.read_text().rstrip("\n") + "\nzones: {layers: {county: counties.gpkg}}\n", encoding="utf-8")
    for stage in ("catalog", "tile", "detect", "delineate"):
        do(stage, config, "--batch", NOW)

    # The batch before: every second site, some smaller than they became; and two that this year's images do not show.
    found = ogr.Open(str(folder / "store/batches" / NOW / "disturbances.gpkg"))
    drawn = []
    for i, f in enumerate(found.GetLayer(0)):
        if i % 2 == 0:
            shape = f.GetGeometryRef().Clone()
            drawn.append((shape.Buffer(-18) if i % 4 == 0 and shape.Buffer(-18).GetArea() > 3000 else shape,
                          {"onset_from": "2023-01-10", "onset_to": "2023-04-20"}))
    for k in (0.12, 0.9):
        x, y = west + 10 * size * k, north - 10 * size * 0.5
        drawn.append((box(x, y, x + 160, y + 120), {"onset_from": "2023-01-10", "onset_to": "2023-04-20"}))
    write(folder / "before.gpkg", "before", crs, ["onset_from", "onset_to"], drawn)
    before = ["--batch", BEFORE, "-o", folder / "output_before"]
    do("screen", config, *before, "--disturbances", folder / "before.gpkg")
    do("rank", config, *before)
    listed = ogr.Open(str(folder / "output_before/disturbances.gpkg"))
    with open(folder / "checked.csv", "w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["QDNM", "BYD", "RST", "XCFHR", "DATE"])
        for i, f in enumerate(listed.GetLayerByName("suspects")):
            if i < 2 * len(FINDINGS):
                table.writerow([f["case_id"], FINDINGS[i % len(FINDINGS)], "1", "示范复核员", "2023-10-12"])
    do("feedback", "-c", config, "--batch", BEFORE, "-o", folder / "output_before", folder / "checked.csv")
    for stage in ("screen", "rank", "export"):
        do(stage, config, "--batch", NOW, *options)
    return folder / "output"
