#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Disturbances, approved projects and zone layers in any number, for the speed of `screen` and `rank`.

  make_screen.py FOLDER N     N disturbances, N/5 projects of up to four parts, 10 zone layers

The density is that of a busy province (one disturbance per 0.4 km²), whatever N: the area grows with it. Two thirds of the
disturbances lie in or across a range; projects have corridors, yards and schematic ranges among them; zones are basins
of thousands of vertices, as offices draw them.
"""
import json, math, pathlib, random, sys

from osgeo import ogr, osr

ogr.UseExceptions()
folder, n = pathlib.Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
r = random.Random(n)
side = math.sqrt(n * 0.4e6)
X0, Y0 = 500000 - side / 2, 3650000 - side / 2
crs = osr.SpatialReference()
crs.ImportFromEPSG(4546)
crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)


def blob(x, y, radius, vertices, roughness=0.25):
    """A star-shaped ring: valid whatever the numbers."""
    k = [(r.randint(2, 9), r.uniform(-roughness, roughness) / 3, r.uniform(0, 6.28)) for _ in range(3)]
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for i in range(vertices + 1):
        a = 2 * math.pi * (i % vertices) / vertices
        d = radius * (1 + sum(h * math.sin(f * a + p) for f, h, p in k))
        ring.AddPoint_2D(round(x + d * math.cos(a), 3), round(y + d * math.sin(a), 3))
    polygon = ogr.Geometry(ogr.wkbPolygon)
    polygon.AddGeometry(ring)
    return polygon


def corridor(x, y, length, width):
    line, angle = ogr.Geometry(ogr.wkbLineString), r.uniform(0, 6.28)
    for _ in range(12):
        line.AddPoint_2D(x, y)
        angle += r.uniform(-0.3, 0.3)
        x, y = x + length / 12 * math.cos(angle), y + length / 12 * math.sin(angle)
    return line.Buffer(width / 2, 4)


def layer(name, fields):
    path = folder / f"{name}.gpkg"
    path.unlink(missing_ok=True)
    d = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    d.StartTransaction()
    out = d.CreateLayer(name, crs, ogr.wkbPolygon)
    for field, kind in fields.items():
        out.CreateField(ogr.FieldDefn(field, kind))

    def add(shape, **values):
        f = ogr.Feature(out.GetLayerDefn())
        for k, v in values.items():
            f[k] = v
        f.SetGeometry(shape)
        out.CreateFeature(f)

    return d, add


def day(first, last):
    return f"{r.randint(first, last)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"


types = ["公路工程", "露天非金属矿", "房地产工程", "工业园区工程", "输变电工程", "油气管道工程", "水利枢纽工程"]
S, D, F = ogr.OFTString, ogr.OFTDate, ogr.OFTReal
d, add = layer("approvals", {"PRID": S, "PRNM": S, "DPOZ": S, "PRTYPE": S, "SADT": D, "DAREA": F, "PAPT": S, "vectype": S, "JSZT": S, "CREDIT": S})
centres = []
for i in range(n // 5):
    x, y, kind, date, credit = X0 + r.random() * side, Y0 + r.random() * side, r.choice(types), day(2012, 2024), r.choice("AABCD")
    state, owner = r.choice(["施工", "施工", "未开工", "已验收"]), f"建设单位{r.randrange(n // 10 + 1)}"
    shapes = [("主体工程区", corridor(x, y, r.uniform(1500, 9000), r.uniform(30, 80)) if kind == "公路工程" else blob(x, y, 40 * math.exp(r.random() * 1.8), r.randint(12, 60)))]
    if r.random() < 0.3:
        shapes.append(("弃渣场", blob(x + 600, y, 70, 16)))
    schematic = r.random() < 0.08
    for part, shape in shapes:
        add(shape, PRID=f"P{i:06}", PRNM=f"项目{i}", DPOZ=owner, PRTYPE=kind, SADT=date, PAPT=part, JSZT=state, CREDIT=credit,
            DAREA=sum(s.Area() for _, s in shapes) / 1e4, vectype="示意性范围" if schematic else "防治责任范围")
    centres.append((x, y))
d.CommitTransaction()
d = None

d, add = layer("disturbances", {"id": ogr.OFTInteger64, "onset_from": D, "onset_to": D, "confidence": F, "ground_sample": F,
                                "full_pixels": ogr.OFTInteger64, "core_share": F, "QTYPE": S})
for i in range(n):
    if r.random() < 0.66:
        x, y = r.choice(centres)
        x, y = x + r.gauss(0, 60), y + r.gauss(0, 60)
    else:
        x, y = X0 + r.random() * side, Y0 + r.random() * side
    radius, year = 15 * math.exp(r.random() * 2.5), r.randint(2019, 2024)
    add(blob(x, y, radius, r.randint(10, 60)), id=i, onset_from=f"{year - 1}-0{r.randint(1, 9)}-11", onset_to=f"{year}-0{r.randint(1, 9)}-21",
        confidence=round(0.3 + 0.7 * r.random(), 3), ground_sample=10.0, full_pixels=int(3.14 * radius * radius / 130), core_share=round(0.3 + 0.7 * r.random(), 2),
        QTYPE=r.choice(["其他扰动"] * 8 + ["弃渣场", "取土场"]))
d.CommitTransaction()
d = None

zones = {}
kinds = ["key_prevention", "key_treatment", "steep", "water_source", "river", "hazard", "fragile", "scope", "hill", "settlement"]
for kind in kinds:
    d, add = layer(f"zone_{kind}", {"NAME": S})
    for k in range(20):
        add(blob(X0 + r.random() * side, Y0 + r.random() * side, side * 0.06 * (0.5 + r.random()), 4000, 0.4), NAME=f"{kind} {k}")
    d.CommitTransaction()
    d = None
    zones[kind] = str((folder / f"zone_{kind}.gpkg").resolve())
(folder / "bench.json").write_text(json.dumps(zones))
