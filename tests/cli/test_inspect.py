# SPDX-License-Identifier: Apache-2.0
"""`inspect` and `assess --inject` along a series, from outside. Oracles: the per-pixel state and the change map that
`detect` left in the store (the account of a pixel must be theirs), and the tiles' own pixels."""
import json
import re
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

import numpy
from osgeo import gdal

from harness import ArchiveTest, TILE, digests, main, shuibao

gdal.UseExceptions()
EVIDENCE_ZERO, EVIDENCE_UNIT, UNOBSERVED, STATISTIC_UNIT = 32768, 256, 65535, 256


class Inspect(ArchiveTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.base = Path(cls.folder.name)
        cls.archive = cls.base / "archive"
        shuibao("simulate", cls.archive, "--kind", "series", "--size", 160, "--sites", 12, "--old-sites", 2,
                "--from", "2022-01-01", "--to", "2023-12-31", "--revisit", 10, "--seed", 5, "-q")
        cls.config = cls.archive / "run.yaml"
        cls.options = ["-c", cls.config, "--set", "grid.tile_size=256"]
        shuibao("run", *cls.options, "-q")
        cls.store = cls.archive / "store"
        cls.batch = next((cls.store / "batches").iterdir()).name

    def inspect(self, where, *args, **more):
        return shuibao("inspect", where, *self.options, *args, **more)

    def planes(self, path):
        image = gdal.Open(str(path))
        return {image.GetRasterBand(b + 1).GetDescription(): image.GetRasterBand(b + 1).ReadAsArray().astype(int)
                for b in range(image.RasterCount)}

    def test_the_account_is_what_detection_left(self):
        """Statistic and onset bit for bit, at marked and at quiet pixels."""
        checked = marked = 0
        for path in sorted((self.store / "batches" / self.batch / "changes").glob("X*.tif")):
            change = self.planes(path)
            state = self.planes(self.store / "state" / "harmonic" / path.stem / f"{self.batch}.tif")
            evidence = change["evidence"]
            is_marked = (evidence != 0) & (evidence != UNOBSERVED)
            places = list(zip(*numpy.nonzero(is_marked)))[::40][:6] + list(zip(*numpy.nonzero(evidence == 0)))[::4000][:3]
            for row, col in places:
                j = json.loads(self.inspect(f"{path.stem}/{col},{row}", "--json").stdout)
                where = (path.stem, col, row)
                self.assertEqual((j["tile"], j["tile_col"], j["tile_row"]), where)
                series = j["series"]
                statistic = max(state["material"][row, col], state["persistence"][row, col]) / STATISTIC_UNIT
                self.assertAlmostEqual(series["statistic"], statistic, places=4, msg=where)
                self.assertEqual([look["statistic"] for look in j["looks"] if "statistic" in look][-1],
                                 series["statistic"])
                self.assertNotIn("note", j["decision"])
                checked += 1
                if is_marked[row, col]:
                    marked += 1
                    odds = (int(evidence[row, col]) - EVIDENCE_ZERO) / EVIDENCE_UNIT
                    self.assertAlmostEqual(series["log_odds"], odds, delta=0.5 / EVIDENCE_UNIT + 1e-4)
                    day = numpy.datetime64("1970-01-01") + int(change["onset_to"][row, col])
                    self.assertEqual(series["onset_to"], str(day))
                    self.assertEqual((series["onset_from"], series["onset_to"]),
                                     (j["decision"]["onset_from"], j["decision"]["onset_to"]))
                    self.assertEqual(series["changes"][-1]["to"], series["status"])
        self.assertGreaterEqual(checked, 6)
        self.assertGreaterEqual(marked, 3)

    def test_every_look_is_there_with_what_was_expected(self):
        j = json.loads(self.inspect("1", "--json").stdout)  # the first disturbance
        self.assertEqual(j["series"]["features"], ["NDVI", "BSI", "ln brightness"])
        watched = j["series"]["watched_from"]
        for look in j["looks"]:
            self.assertEqual(look["usable"], look["quality"] in ("clear", "water"), look)
            self.assertEqual("features" in look, look["usable"], look)
            self.assertEqual("expected" in look, look["date"] >= watched, look)
            if look["usable"]:
                v = look["values"]
                self.assertAlmostEqual(look["features"][0], (v["nir"] - v["red"]) / (v["nir"] + v["red"]), delta=2e-3)
        self.assertTrue(all(c["history"] == (c["date"] <= watched) for c in j["series"]["curve"]))
        dates = [c["date"] for c in j["series"]["curve"]]
        self.assertEqual(dates, sorted(dates))
        text = self.inspect("1").stdout
        for change in j["series"]["changes"]:
            self.assertIn(f"{change['date']}  {change['from']} → {change['to']}", text)
        self.assertIn("even_level 14", text)

    def test_figures(self):
        svg, png = self.base / "pixel.svg", self.base / "pixel.png"
        self.inspect("1", "--plot", svg)
        self.inspect("1", "--plot", png)
        root = xml.etree.ElementTree.parse(svg).getroot()
        space = "{http://www.w3.org/2000/svg}"
        texts = [t.text for t in root.iter(space + "text")]
        for words in ("植被指数 NDVI", "裸土指数 BSI", "累积对数似然比 S, cumulative log-likelihood ratio", "均等 even odds 14"):
            self.assertIn(words, texts)
        j = json.loads(self.inspect("1", "--json").stdout)
        filled = [c for c in root.iter(space + "circle") if c.get("fill") != "none"]
        usable = sum(look["usable"] for look in j["looks"])
        watched = sum(look["usable"] and "statistic" in look for look in j["looks"])
        self.assertGreaterEqual(len(filled), 3 * usable + watched)  # and the legend
        image = gdal.Open(str(png))
        self.assertEqual((image.RasterXSize, image.RasterYSize, image.RasterCount),
                         (int(root.get("width")), int(root.get("height")), 3))
        pixels = image.ReadAsArray()
        self.assertGreater((pixels.min(axis=0) > 250).mean(), 0.4)  # white paper
        self.assertGreater((pixels.max(axis=0) < 90).mean(), 0.004)  # ink on it
        first = png.read_bytes()
        self.inspect("1", "--plot", png)
        self.assertEqual(first, png.read_bytes())
        self.assertRegex(self.inspect("1", "--plot", self.base / "pixel.pdf", code=2).stderr, r"ends with \.svg or \.png")

    def test_nothing_is_written(self):
        before = digests(self.store)
        self.inspect("1", "--json")
        self.assertEqual(before, digests(self.store))

    def test_places_that_are_none(self):
        for where, words in (("no-such-case", "There is no disturbance 'no-such-case'"), ("X0033_Y0309/9999,0", "has no pixel 9999,0"),
                             ("1,2,3", "cannot be '1,2,3'")):
            self.assertIn(words, self.inspect(where, code=2).stderr)


if __name__ == "__main__":
    main()
