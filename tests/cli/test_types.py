# SPDX-License-Identifier: Apache-2.0
"""What polygons are taken for: every decision can be made again from what stands beside it, other rules give other types,
and no verdict hangs on them."""
import json
import re
import unittest

import numpy
import yaml
from osgeo import gdal, ogr

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
