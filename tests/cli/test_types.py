# SPDX-License-Identifier: Apache-2.0
"""What polygons are taken for: every decision can be made again from what stands beside it, other rules give other types,
and no verdict hangs on them."""
import json
import re
import unittest

import numpy
import yaml
from osgeo import gdal, ogr, osr

from harness import SOURCE, ArchiveTest, main, shuibao

gdal.UseExceptions()
RULES = SOURCE / "configs/objects/types.yaml"
BATCH = "202309"


def rows(path, layer="disturbances"):
    data = ogr.Open(str(path))
    return [f.items() for f in data.GetLayerByName(layer)]


def holds(inputs, name, bounds):
    value = inputs.get(name)
    return value is not None and bounds.get("at_least", value) <= value <= bounds.get("at_most", value)


class Types(ArchiveTest):
    size, sites, seed = 160, 8, 3
    kind = ("--kind", "series", "--old-sites", 2, "--from", "2021-01-01", "--to", "2023-09-30", "--monitor-from", "2022-06-01",
            "--revisit", 8)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A slope of 20° to the east under all of it.
        scene = gdal.Open(str(next((cls.archive / "images").glob("series_????????.tif"))))
        cls.dem = cls.base / "dem.tif"
        image = gdal.GetDriverByName("GTiff").Create(str(cls.dem), 200, 200, 1, gdal.GDT_Float32)
        left, _, _, top, _, _ = scene.GetGeoTransform()
        image.SetGeoTransform((left - 200, 10, 0, top + 200, 0, -10))
        image.SetProjection(scene.GetProjection())
        image.GetRasterBand(1).WriteArray(numpy.tile(200 + numpy.arange(200) * 10 * numpy.tan(numpy.radians(20)), (200, 1)))
        del image
        # More objects than would be told, fields among them.
        cls.objects = cls.base / "objects.yaml"
        model = (SOURCE / "configs/objects/series.yaml").read_text(encoding="utf8")
        cls.objects.write_text(re.sub(r"(?m)^least: \S+", "least: -3", model), encoding="utf8")
        shuibao("run", *cls.options(), "-q")
        cls.stored = rows(cls.base / "a/store/batches" / BATCH / "disturbances.gpkg")
        cls.ranked = rows(cls.base / "a/output/disturbances.gpkg")

    @classmethod
    def options(cls):
        return ["-c", cls.config, *cls.place("a")[2], "--set", "detect.monitor_from=2022-06-01", "--set", f"zones.dem={cls.dem}",
                "--set", f"delineate.objects={cls.objects}"]

    def test_every_decision_can_be_made_again(self):
        book = yaml.safe_load(RULES.read_text(encoding="utf8"))
        self.assertGreater(len(self.stored), 3)
        for row in self.stored:
            told = json.loads(row["type_evidence"])
            inputs = told["inputs"]
            rule = next((r for r in book["rules"] if all(holds(inputs, *c) for c in r["when"].items())), None)
            with self.subTest(id=row["id"], rule=rule):
                self.assertEqual(row["image_type"], rule["type"] if rule else book["otherwise"])
                self.assertEqual(row["image_type_zh"], book["types"][row["image_type"]])
                self.assertEqual(told.get("because"), rule["because"] if rule else None)
                before = book["rules"].index(rule) if rule else len(book["rules"])
                self.assertEqual([r["type"] for r in book["rules"][:before]], [a["type"] for a in told.get("against", [])])
                for against, tried in zip(told.get("against", []), book["rules"]):
                    self.assertFalse(holds(inputs, against["input"], tried["when"][against["input"]]))
                self.assertLessEqual(row["confidence"], (rule or {}).get("most_confidence", 1))

    def test_what_was_measured_is_what_it_says(self):
        for row in self.stored:
            inputs = json.loads(row["type_evidence"])["inputs"]
            self.assertAlmostEqual(inputs["area_m2"], row["area_m2"], delta=1e-3)
            self.assertAlmostEqual(inputs["elongation"], inputs["length_m"] / inputs["width_m"], delta=1e-3)
            self.assertAlmostEqual(inputs["slope_deg"], 20, delta=0.1)
            self.assertAlmostEqual(inputs["synchrony"], row["synchrony"], delta=1e-4)
            self.assertTrue(0 <= inputs["synchrony"] <= 1 and 0 < inputs["fill"] <= 1 and 0 < inputs["convexity"] <= 1)
            self.assertTrue(0 <= row["bare_share"] <= 1)

    def test_types_reach_people_and_explain_says_why(self):
        self.assertEqual(sorted(r["image_type"] for r in self.stored), sorted(r["image_type"] for r in self.ranked))
        case = self.ranked[0]["case_id"]
        told = json.loads(shuibao("explain", case, *self.options(), "--json").stdout)["image_type"]
        self.assertEqual((told["type"], told["text"]), (self.ranked[0]["image_type"], self.ranked[0]["image_type_zh"]))
        text = shuibao("explain", case, *self.options()).stdout
        self.assertIn(f"looks like {told['text']} ({told['type']}), which decides nothing in law", text)
        for against in told.get("against", []):
            self.assertIn(f"not {against['type']}: {against['input']}", text)

    def test_what_burnt_when_it_turned_bare_is_no_suspect(self):
        """algorithms.md §2.7: a hotspot tells a fire from a site, on ground that nobody tills."""
        inputs = {r["id"]: json.loads(r["type_evidence"])["inputs"] for r in self.stored}
        shapes, burnt = {}, max(self.stored, key=lambda r: r["confidence"])
        data = ogr.Open(str(self.base / "a/store/batches" / BATCH / "disturbances.gpkg"))
        for f in data.GetLayerByName("disturbances"):
            shapes[f["id"]] = f.GetGeometryRef().PointOnSurface()
        reference = data.GetLayerByName("disturbances").GetSpatialRef()
        late = max(self.stored, key=lambda r: shapes[r["id"]].Distance(shapes[burnt["id"]]))
        self.assertGreater(burnt["confidence"], 0.4)
        self.assertGreater(inputs[burnt["id"]]["tilled"], 0.2)
        fires = self.base / "fires.gpkg"
        data = ogr.GetDriverByName("GPKG").CreateDataSource(str(fires))
        layer = data.CreateLayer("fires", reference, ogr.wkbPoint)
        layer.CreateField(ogr.FieldDefn("ACQ_DATE", ogr.OFTString))
        for row, day in ((burnt, burnt["onset_to"]), (late, "2023-12-31"), (late, "")):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature["ACQ_DATE"] = day.replace("/", "-")
            feature.SetGeometry(shapes[row["id"]])
            layer.CreateFeature(feature)
        del layer, data
        anywhere = self.base / "anywhere.yaml"  # fields too; those of this archive are tilled
        anywhere.write_text(RULES.read_text(encoding="utf8").replace("at_least: 1}, tilled: {at_most: 0.2}", "at_least: 1}"))

        def delineated(*more, code=0):
            told = shuibao("delineate", *self.options(), *more, "-q", code=code).stderr
            found = rows(self.base / "a/store/batches" / BATCH / "disturbances.gpkg")
            return told, {r["id"]: r for r in found}

        told, own = delineated("--set", f"delineate.hotspots={fires}", code=3)
        self.assertIn("fires.gpkg:3", told)
        self.assertIn("has no day that can be read in any of ACQ_DATE", told)
        for row in self.stored:  # fields burn every year: nothing but the count has changed
            again = json.loads(own[row["id"]]["type_evidence"])["inputs"]
            self.assertEqual(row["image_type"], own[row["id"]]["image_type"])
            self.assertEqual(inputs[row["id"]], {k: v for k, v in again.items() if k != "hotspots"})
        self.assertEqual(1, json.loads(own[burnt["id"]]["type_evidence"])["inputs"]["hotspots"])
        self.assertEqual(0, json.loads(own[late["id"]]["type_evidence"])["inputs"]["hotspots"])
        # The same fires as FIRMS gives its tables: degrees of WGS 84 in two columns, no shapes.
        table = self.base / "fires.csv"
        degrees = osr.SpatialReference()
        degrees.ImportFromEPSG(4326)
        degrees.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        lines = ["latitude,longitude,bright_ti4,acq_date,acq_time"]
        for row, day in ((burnt, burnt["onset_to"]), (late, "2023-12-31")):
            place = shapes[row["id"]].Clone()
            place.Transform(osr.CoordinateTransformation(reference, degrees))
            lines.append(f"{place.GetY():.5f},{place.GetX():.5f},330.1,{day.replace('/', '-')},0512")
        table.write_text("\n".join([*lines, f",,330.1,{burnt['onset_to'].replace('/', '-')},0512"]) + "\n")
        told, tabled = delineated("--set", f"delineate.hotspots={table}", code=3)
        self.assertIn("fires.csv:4", told)
        self.assertIn("has no place on the map", told)
        self.assertEqual({k: r["type_evidence"] for k, r in own.items()}, {k: r["type_evidence"] for k, r in tabled.items()})
        found = delineated("--set", f"delineate.hotspots={fires}", "--set", f"delineate.types={anywhere}", code=3)[1][burnt["id"]]
        self.assertEqual((found["image_type"], found["image_type_zh"]), ("burnt", "火烧迹地（期间有火点）"))
        self.assertEqual(0.35, found["confidence"])  # below 0.4: waits for the next batch (rules §6)
        ahead = shuibao("check", *self.options(), "--set", f"delineate.hotspots={fires}", code=3)
        self.assertIn("hotspots: 2", ahead.stdout.splitlines())
        self.assertIn("fires.gpkg:3", ahead.stderr)
        # It is read before any work begins, and by `check`.
        for verb in ("delineate", "check"):
            junk = self.base / "junk.gpkg"
            junk.write_text("no layer")
            wrong = shuibao(verb, *self.options(), "--set", f"delineate.hotspots={junk}", "-q", code=4)
            self.assertIn("junk.gpkg", wrong.stderr)
            self.assertNotIn(BATCH, wrong.stderr, "no unit has failed")
        # Polygons drawn by hand are looked at too.
        drawn = self.base / "a/store/batches" / BATCH / "disturbances.gpkg"
        ahead = shuibao("check", *self.options(), "--set", f"screen.disturbances={drawn}").stdout
        self.assertIn(f"disturbances: {len(self.stored)} in {drawn}", ahead.splitlines())
        wrong = shuibao("check", *self.options(), "--set", f"screen.disturbances={junk}", code=4)
        self.assertIn("junk.gpkg", wrong.stderr)
        wrong = shuibao("delineate", *self.options(), "--set", "delineate.hotspots=nowhere.shp", "-q", code=4)
        self.assertIn("nowhere.shp does not exist", wrong.stderr)
        self.assertEqual([(r["id"], r["image_type"], r["confidence"]) for r in self.stored],
                         [(r["id"], r["image_type"], r["confidence"]) for r in delineated()[1].values()])

    def test_other_rules_give_other_types_and_the_same_verdicts(self):
        own = self.base / "own.yaml"
        own.write_text("types: {ground: 地面, none: 无}\notherwise: none\nrules:\n"
                       "- {type: ground, because: all of it, when: {area_m2: {at_least: 0}}, most_confidence: 0.2}\n")
        _, output, places = self.place("own")
        shuibao("run", "-c", self.config, *places, "--set", "detect.monitor_from=2022-06-01", "--set", f"zones.dem={self.dem}",
                "--set", f"delineate.objects={self.objects}",
                "--set", f"delineate.types={own}", "-q")
        got = rows(output / "disturbances.gpkg")
        self.assertEqual({"ground"}, {r["image_type"] for r in got})
        self.assertTrue(all(r["confidence"] <= 0.2 and r["tier"] in ("低", "无") for r in got))
        self.assertEqual(sorted((r["spot"], r["verdict"], r["severity"]) for r in self.ranked),
                         sorted((r["spot"], r["verdict"], r["severity"]) for r in got))


if __name__ == "__main__":
    main()
