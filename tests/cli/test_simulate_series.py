#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`simulate --kind series`: the same bytes for any number of threads, Items that `catalog` accepts with the offset of
their day, truth and approvals with the fields that evaluation needs, and refusals that say what to do."""
import csv
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from osgeo import gdal, ogr

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import stac_schema  # noqa: E402

gdal.UseExceptions()
SHUIBAO = os.environ["SHUIBAO"]
DATES = 26  # 2023-01-01 … 2023-05-06 every five days
OPTIONS = ["--kind", "series", "--size", "160", "--seed", "2", "--from", "2023-01-01", "--to", "2023-05-10",
           "--monitor-from", "2023-02-01", "--offset-from", "2023-03-01", "--sites", "8", "--old-sites", "2"]


def run(*args):
    return subprocess.run([SHUIBAO, *args], capture_output=True, text=True)


def digest(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}


class Series(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name) / "one"
        done = run("simulate", str(cls.folder), *OPTIONS, "-j2")
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_threads_do_not_matter(self):
        other = pathlib.Path(self.scratch.name) / "other"
        self.assertEqual(run("simulate", str(other), *OPTIONS, "-j1").returncode, 0)
        self.assertEqual(digest(self.folder), digest(other))

    def test_files(self):
        self.assertEqual(len(list((self.folder / "images").glob("series_????????.tif"))), DATES)
        image = gdal.Open(str(self.folder / "images" / "series_20230106.tif"))
        self.assertEqual((image.RasterXSize, image.RasterCount), (160, 6))
        self.assertEqual([image.GetRasterBand(b + 1).GetDescription() for b in range(6)],
                         ["blue", "green", "red", "nir", "swir16", "swir22"])
        self.assertEqual(image.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE")
        rows = list(csv.DictReader((self.folder / "scenes.csv").read_text().splitlines()))
        self.assertEqual([r["date"] for r in rows][:3], ["2023-01-01", "2023-01-06", "2023-01-11"])
        self.assertEqual(len(rows), DATES)
        for r in rows:
            mask = gdal.Open(str(self.folder / "images" / f"series_{r['date'].replace('-', '')}_SCL.tif"))
            codes = mask.ReadAsArray()
            data = (codes != 0).sum()
            clear = ((codes == 4) | (codes == 5) | (codes == 6)).sum()
            self.assertAlmostEqual(float(r["clear"]), clear / max(1, data), places=3)
            self.assertEqual(r["swath_edge"] == "1", bool((codes == 0).any()), r)

    def test_catalog_accepts_every_item(self):
        store = pathlib.Path(self.scratch.name) / "store"
        done = run("catalog", "-c", str(self.folder / "run.yaml"), "--store", str(store))
        self.assertEqual(done.returncode, 0, done.stderr)
        scenes = json.loads((store / "scenes.json").read_text())
        self.assertEqual(len(scenes["scenes"]), DATES)
        self.assertEqual(scenes["rejected"], [])
        for name, offset in (("20230225", 0), ("20230302", -0.1)):
            item = json.loads((self.folder / "catalog" / f"series_{name}.json").read_text())
            bands = item["assets"]["data"]["raster:bands"]
            self.assertEqual([b["offset"] for b in bands], [offset] * 6)
            self.assertEqual(item["stac_version"], "1.0.0")

    @unittest.skipIf(stac_schema.missing(), stac_schema.missing())
    def test_items_are_valid_stac(self):
        collection = json.loads((self.folder / "collection.json").read_text())
        self.assertEqual(stac_schema.problems(collection), [])
        linked = {(self.folder / l["href"]).name for l in collection["links"] if l["rel"] == "item"}
        items = sorted((self.folder / "catalog").glob("*.json"))
        self.assertEqual(linked, {p.name for p in items})
        self.assertEqual(len(items), DATES)
        for path in items:
            item = json.loads(path.read_text())
            self.assertEqual(stac_schema.problems(item), [], path.name)
            self.assertEqual(item["collection"], collection["id"])
            hrefs = [l["href"] for l in item["links"] if l["rel"] == "collection"]
            self.assertEqual([(path.parent / h).resolve() for h in hrefs], [(self.folder / "collection.json").resolve()])
            first, last = collection["extent"]["temporal"]["interval"][0]
            self.assertTrue(first <= item["properties"]["datetime"] <= last)

    def test_truth(self):
        source = ogr.Open(str(self.folder / "truth.gpkg"))
        self.assertEqual([source.GetLayer(i).GetName() for i in range(2)], ["truth", "lookalikes"])
        truth = source.GetLayer("truth")
        names = gdal.Open(str(self.folder / "cover.tif")).GetMetadata()
        classes = {name for key, name in names.items() if key.startswith("CLASS_")}
        self.assertGreaterEqual(truth.GetFeatureCount(), 5)
        seen = 0
        for f in truth:
            onset, complete = f.GetField("onset"), f.GetField("complete")
            self.assertTrue("2023/02/01" <= onset <= complete <= "2023/05/10", (onset, complete))
            self.assertGreaterEqual(f.GetField("area_m2"), 100)
            self.assertAlmostEqual(f.GetGeometryRef().GetArea(), f.GetField("area_m2"), places=3)
            self.assertIn(f.GetField("kind"), ("construction", "road", "quarry", "spoil"))
            self.assertIn(f.GetField("verdict"), ("unapproved", "unapproved_spoil", "compliant", "exceeds",
                                                  "before_approval", "pending"))
            self.assertIn(f.GetField("ground"), classes)
            self.assertTrue(0 <= f.GetField("soil_contrast") < 4)
            self.assertTrue(0 <= f.GetField("clear_looks") <= 20)
            if f.GetField("first_clear_m"):
                seen += 1
                self.assertGreater(f.GetField("clear_looks"), 0)
                self.assertGreater(f.GetField("first_clear_m"), onset)
        self.assertGreater(seen, 0)
        cover = gdal.Open(str(self.folder / "cover.tif"))
        self.assertEqual(cover.GetMetadataItem("CLASS_1"), "double_crop")
        self.assertEqual(cover.GetMetadataItem("CLASS_15"), "old_site")
        self.assertLessEqual(int(cover.ReadAsArray().max()), 15)
        self.assertGreaterEqual(int(cover.ReadAsArray().min()), 1)

    def test_approvals_are_gbk_and_one_is_schematic(self):
        self.assertIn("项目".encode("gbk"), (self.folder / "approvals.dbf").read_bytes())
        source = ogr.Open(str(self.folder / "approvals.shp"))  # the layer lives as long as this
        kinds = [f.GetField("VECTYPE") for f in source.GetLayer(0)]
        self.assertEqual(kinds.count("示意性范围"), 1)

    def test_four_bands(self):
        folder = pathlib.Path(self.scratch.name) / "bgrn"
        done = run("simulate", str(folder), "--kind", "series", "--bands", "bgrn", "--size", "128",
                   "--from", "2023-01-01", "--to", "2023-03-01", "--monitor-from", "2023-01-01")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(gdal.Open(str(folder / "images" / "series_20230101.tif")).RasterCount, 4)
        item = json.loads((folder / "catalog" / "series_20230101.json").read_text())
        self.assertEqual([b["common_name"] for b in item["assets"]["data"]["eo:bands"]],
                         ["blue", "green", "red", "nir"])

    def test_overwriting_leaves_nothing_of_the_old_archive(self):
        folder = pathlib.Path(self.scratch.name) / "again"
        short = ["simulate", str(folder), "--kind", "series", "--size", "128", "--to", "2021-03-01",
                 "--monitor-from", "2021-01-05", "--sites", "2", "--old-sites", "0"]
        self.assertEqual(run(*short, "--from", "2021-01-01").returncode, 0)
        (folder / "images" / "mine.txt").write_text("kept")
        self.assertEqual(run(*short, "--from", "2021-01-02", "--overwrite").returncode, 0)
        items = sorted(p.name for p in (folder / "catalog").iterdir())
        self.assertEqual(len(items), 12)
        self.assertNotIn("series_20210101.json", items)
        self.assertFalse((folder / "images" / "series_20210101_SCL.tif").exists())
        self.assertEqual((folder / "images" / "mine.txt").read_text(), "kept")

    def test_refusals(self):
        for args, words in ((["--from", "2023-13-01"], "Give a day as YYYY-MM-DD."),
                            (["--size", "5000"], "Give at most 4096 for simulate.size"),
                            (["--to", "2020-01-01"], "at least some weeks apart")):
            done = run("simulate", str(pathlib.Path(self.scratch.name) / "none"), "--kind", "series", *args)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)
        done = run("simulate", str(self.folder), *OPTIONS)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--overwrite", done.stderr)


if __name__ == "__main__":
    unittest.main()
