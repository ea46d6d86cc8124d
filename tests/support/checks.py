# SPDX-License-Identifier: Apache-2.0
"""Field results for the tests that drive the program from outside: yards in two counties, the rows that a team sends (fields:
domain.md 2.3 and 2.5), and the verbs that take them in."""
import csv
import json
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr, osr

from harness import shuibao
from layers import box, reference
from story import BATCHES, X, Y, write_batch


class Site:
    """Shows the given shapes, one list for each batch."""
    start = 0

    def __init__(self, n, *shapes):
        self.n, self.shapes = n, shapes

    def shows(self, t):
        return [("", shape, None) for shape in self.shapes[min(t, len(self.shapes) - 1)]]


def yard(n, width=100.0, height=100.0, at=0.0):
    x, y = X + 500 * (n % 40), Y + 500 * (n // 40)
    return box(x + at, y, x + at + width, y + height)


def position(n):
    """Longitude and latitude of the middle of yard n."""
    move = osr.CoordinateTransformation(reference(4546), reference(4490))
    return move.TransformPoint(X + 500 * (n % 40) + 50, Y + 500 * (n // 40) + 50)[:2]


def write_csv(path, rows, encoding="utf-8"):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding=encoding) as out:
        table = csv.DictWriter(out, names, restval="")
        table.writeheader()
        table.writerows(rows)


def write_ogr(path, driver, rows, shapes=None, options=()):
    data = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = data.CreateLayer(Path(path).stem, reference(4546) if shapes else None, ogr.wkbPolygon if shapes else ogr.wkbNone,
                             list(options))
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        field = ogr.FieldDefn(name, ogr.OFTString)
        field.SetWidth(120)
        layer.CreateField(field)
    for i, row in enumerate(rows):
        f = ogr.Feature(layer.GetLayerDefn())
        for name, value in row.items():
            f[name] = str(value)
        if shapes:
            f.SetGeometry(shapes[i])
        layer.CreateFeature(f)


def row(case, verdict, day="2024-05-01", by="王五", **more):
    return {"QDNM": case, "BYD": verdict, "RST": "1", "XCFHR": by, "DATE": day, **more}


class FieldTest(unittest.TestCase):
    """Nothing but a range far away: every yard is 疑似未批先建."""
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)
        write_ogr(self.base / "ranges.gpkg", "GPKG", [{"PRID": "far", "PRNM": "远处项目"}],
                  [box(X - 90000, Y, X - 89000, Y + 1000)])
        write_ogr(self.base / "county.gpkg", "GPKG", [{"NAME": "甲县"}, {"NAME": "乙县"}],
                  [box(X - 100, Y - 100, X + 950, Y + 90000), box(X + 950, Y - 100, X + 90000, Y + 90000)])

    def where(self, t):
        return ["--batch", BATCHES[t], "--store", self.base / "store", "-o", self.base / BATCHES[t], "-q"]

    def screen(self, t, sites, more=(), **how):
        path = self.base / f"{BATCHES[t]}.gpkg"
        path.unlink(missing_ok=True)
        parts = write_batch(path, sites, t, **how)
        shuibao("screen", "--disturbances", path, "--approvals", self.base / "ranges.gpkg", "--set",
                f"zones.layers={{county: {self.base}/county.gpkg}}", *more, *self.where(t))
        return parts

    def rank(self, t, code=0):
        return shuibao("rank", *self.where(t), code=code)

    def result(self, t):
        data = ogr.Open(str(self.base / BATCHES[t] / "disturbances.gpkg"))
        return {f["case_id"]: f.items() for f in data.GetLayerByName("disturbances")}

    def feedback(self, *args, code=0):
        done = shuibao("feedback", *args, "--store", self.base / "store", "--json", "-q", code=code)
        return json.loads(done.stdout), done.stderr

    def records(self):
        path = self.base / "store" / "feedback.json"
        return json.loads(path.read_text())["records"] if path.exists() else []

    def ledger(self, layer):
        data = ogr.Open(str(self.base / "store" / "ledger.gpkg"))
        return [f.items() for f in data.GetLayerByName(layer)]
