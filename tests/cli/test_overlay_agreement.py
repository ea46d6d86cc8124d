# SPDX-License-Identifier: Apache-2.0
"""Areas and verdicts against another computation: random polygons and ranges, overlaid here with GEOS in a local
equal-area projection (Lambert azimuthal on GRS80) instead of the map's CRS, and measured there on the plane instead of by
geodesics. Every area agrees within 1e-6 of itself, or within FLOOR where it is smaller; the verdict follows from them by
rules §2 and §3 as written here."""
import json
import math
import os
import random
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr, osr

from harness import main, shuibao
from layers import reference, write_layer

COUNT = int(os.environ.get("SHUIBAO_TEST_CONFIGURATIONS", "1500"))
ROW = 10  # configurations side by side; a block of rows shares a projection
APART, BLOCK = 900.0, 10
# m². Where two outlines nearly meet, a sliver is as wide as coordinates are rounded (1e-9 m of 1e6 m) and the projections
# differ by 1e-8 of a length: along 1 km of outline no more than this, whatever is left of the area.
FLOOR = 1e-3


def star(r, x, y, radius, vertices):
    waves = [(r.randint(2, 7), r.uniform(-0.12, 0.12), r.uniform(0, 6.28)) for _ in range(3)]
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for i in range(vertices + 1):
        a = 2 * math.pi * (i % vertices) / vertices
        d = radius * (1 + sum(h * math.sin(f * a + p) for f, h, p in waves))
        ring.AddPoint_2D(x + d * math.cos(a), y + d * math.sin(a))
    polygon = ogr.Geometry(ogr.wkbPolygon)
    polygon.AddGeometry(ring)
    return polygon


def parts(shape):
    if shape.GetGeometryType() == ogr.wkbPolygon:
        return [shape] if shape.GetArea() > 0 else []
    return [p for i in range(shape.GetGeometryCount()) for p in parts(shape.GetGeometryRef(i))]


class Configuration:
    def __init__(self, i):
        r = random.Random(i)
        x, y = 500000 + (i % ROW - ROW / 2) * APART, 3400000 + i // ROW * APART
        self.shape = star(r, x, y, r.uniform(12, 110), r.randint(5, 40))
        self.ranges = []  # (project, shape)
        for k in range(r.choice([0, 1, 1, 1, 2, 3])):
            away = r.choice([0, 0, r.uniform(0, 60), r.uniform(30, 250)])
            turn = r.uniform(0, 6.28)
            self.ranges.append((f"P{i}_{k}", star(r, x + away * math.cos(turn), y + away * math.sin(turn),
                                                  r.uniform(20, 150), r.randint(4, 30))))
        self.sample = r.choice([0.8, 2.0, 10.0, 10.0, 16.0, 30.0])


def reliable(c):
    """Rules §2, for polygons whose layer states a ground sample."""
    core = c.shape.Buffer(-c.sample / 2, 16).GetArea()
    return core / c.sample ** 2 >= 8 and core / c.shape.GetArea() >= 0.4


def overlay(c, move):
    """(area, outside, outside beyond tolerance or None where a part is on the brink) in m²."""
    shape = c.shape.Clone()
    shape.Transform(move)
    delta = max(2.0, c.sample)
    outside = beyond = shape
    for _, given in c.ranges:
        one = given.Clone()
        one.Transform(move)
        outside = outside.Difference(one)
        beyond = beyond.Difference(one.Buffer(delta, 16))
    tolerant = 0.0
    for p in parts(beyond):
        some, none = p.Buffer(-1.03 * delta).GetArea() > 0, p.Buffer(-0.97 * delta).GetArea() <= 0
        if not some and not none:
            return shape.GetArea(), outside.GetArea(), None
        tolerant += p.GetArea() if some else 0.0
    return shape.GetArea(), outside.GetArea(), tolerant


class Agreement(unittest.TestCase):
    def test_random_configurations(self):
        crs = reference(4546)
        given = [Configuration(i) for i in range(COUNT)]
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as folder:
            base = Path(folder)
            write_layer(base / "drawn.gpkg", 4546, {"ground_sample": ogr.OFTReal, "number": ogr.OFTReal},
                        [(c.shape, {"ground_sample": c.sample, "number": i}) for i, c in enumerate(given)])
            write_layer(base / "ranges.gpkg", 4546, {"PRID": ogr.OFTString},
                        [(s, {"PRID": key}) for c in given for key, s in c.ranges])
            shuibao("screen", "--disturbances", base / "drawn.gpkg", "--approvals", base / "ranges.gpkg", "--batch", "202406",
                    "--store", base / "store", "-o", base / "output", "-q")
            data = ogr.Open(str(base / "store/batches/202406/screened.gpkg"))
            got = {}
            for f in data.GetLayer(0):
                got.setdefault(int(f["case_id"][7:].split("-")[0]) - 1, []).append((f["verdict"], json.loads(f["facts"]), f["flags"] or ""))
        self.assertEqual(len(got), COUNT)
        verdicts, tried, brinks = {}, 0, 0
        for i, c in enumerate(given):
            if i % (ROW * BLOCK) == 0:  # the projection of this block, in its middle
                centre = ogr.Geometry(ogr.wkbPoint)
                centre.AddPoint_2D(500000, 3400000 + (i // ROW + BLOCK / 2) * APART)
                centre.Transform(osr.CoordinateTransformation(crs, reference(4490)))
                plane = reference(f"+proj=laea +lat_0={centre.GetY():.9f} +lon_0={centre.GetX():.9f} +ellps=GRS80 +units=m")
                move = osr.CoordinateTransformation(crs, plane)
            area, outside, tolerant = overlay(c, move)
            rows = got[i]
            what = f"configuration {i}"

            def agree(got, wanted):
                self.assertLess(abs(got - wanted), max(1e-6 * wanted, FLOOR), what)

            agree(sum(f["area_m2"] for _, f, _ in rows), area)
            agree(sum(f["outside_m2"] for _, f, _ in rows), outside)
            if len(rows) > 1:
                continue  # split along its ranges: the pieces add up
            if tolerant is None:
                brinks += 1
                continue
            verdict, facts, flags = rows[0]
            agree(facts["outside_tolerant_m2"], tolerant)
            tried += 1
            if area < 1000 or not reliable(c):
                expected = "pending"
            elif 1 - outside / area < 0.01:
                expected = "unapproved"
            else:
                expected = "exceeds" if tolerant > 1000 else "compliant"
            self.assertEqual(verdict, expected, what)
            verdicts[expected] = verdicts.get(expected, 0) + 1
        print(f"{tried} areas and verdicts agree, {brinks} on the brink of the circle left out: {verdicts}")
        self.assertGreater(tried, COUNT * 0.8)
        for verdict in ("pending", "unapproved", "exceeds", "compliant"):
            self.assertGreater(verdicts.get(verdict, 0), COUNT * 0.05, verdict)


if __name__ == "__main__":
    main()
