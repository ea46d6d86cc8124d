# SPDX-License-Identifier: Apache-2.0
"""`inspect` and `assess --inject` along a series, from outside. Oracles: the per-pixel state and the change map that
`detect` left in the store (the account of a pixel must be theirs), and the tiles' own pixels."""
import json
import unittest
import xml.etree.ElementTree

import numpy
from osgeo import gdal

from harness import ArchiveTest, digests, main, shuibao

gdal.UseExceptions()
EVIDENCE_ZERO, EVIDENCE_UNIT, UNOBSERVED, STATISTIC_UNIT = 32768, 256, 65535, 256


class Inspect(ArchiveTest):
    size, sites, seed = 144, 10, 21
    kind = ("--kind", "series", "--old-sites", 2, "--from", "2022-01-01", "--to", "2023-12-31", "--revisit", 6)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
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
            strong = is_marked & (evidence >= EVIDENCE_ZERO)
            places = list(zip(*numpy.nonzero(is_marked)))[::40][:2] + list(zip(*numpy.nonzero(strong)))[::20][:2] + list(zip(*numpy.nonzero(evidence == 0)))[::4000][:2]
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
                    changes = series["changes"]
                    self.assertEqual(changes[-1]["to"] if changes else "stable", series["status"])
        self.assertGreaterEqual(checked, 5)
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
        self.assertIn("even_level 16", text)

    def test_figures(self):
        svg, png = self.base / "pixel.svg", self.base / "pixel.png"
        self.inspect("1", "--plot", svg)
        self.inspect("1", "--plot", png)
        root = xml.etree.ElementTree.parse(svg).getroot()
        space = "{http://www.w3.org/2000/svg}"
        texts = [t.text for t in root.iter(space + "text")]
        for words in ("植被指数 NDVI", "裸土指数 BSI", "累积对数似然比 S, cumulative log-likelihood ratio", "均等 even odds 16"):
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

    def inject(self, *args):
        return json.loads(shuibao("assess", "--inject", *self.options, "--json", "--sites", 40, *args).stdout)

    def test_injected_sites(self):
        """The same for any number of threads; the tallies are those of the list; delays count from clear looks."""
        before = digests(self.store)
        j = self.inject("-j", 1)
        self.assertEqual(j, self.inject("-j", 2))
        self.assertEqual(before, digests(self.store))
        placed = [s for s in j["list"] if s["placed"]]
        self.assertEqual(len(placed) + j["not_placed"], 40)
        self.assertGreater(len(placed), 10)
        for part in ("by_size", "by_land"):
            for key in ("sites", "found", "clearly_seen"):
                self.assertEqual(sum(t[key] for t in j[part].values()), j["all"][key], (part, key))
        self.assertEqual(sum(s["found"] for s in placed), j["all"]["found"])
        self.assertGreater(j["all"]["found"], 0)
        delays = []
        looks = {name[:8] for name in (p.stem for p in (self.store / "tiles").glob("X*/*.tif"))}
        for s in placed:
            self.assertTrue(j["onset_from"] <= s["onset"] <= j["onset_to"], s)
            if "first_clear" in s:
                self.assertGreaterEqual(s["first_clear"], s["onset"])
                self.assertIn(s["first_clear"].replace("-", ""), looks)
            if "first_found" in s:
                self.assertGreaterEqual(s["first_found"], s["first_clear"])
                if s["found"]:
                    delays.append((numpy.datetime64(s["first_found"]) - numpy.datetime64(s["first_clear"])).astype(int))
        self.assertEqual(sorted(delays)[len(delays) // 2], j["all"]["median_delay_days"])
        other = self.inject("--seed", 2)
        self.assertNotEqual([s["onset"] for s in other["list"]], [s["onset"] for s in j["list"]])
        text = shuibao("assess", "--inject", *self.options, "--sites", 40).stdout
        self.assertIn(f"{len(placed)} of 40 sites laid into unchanged places of batch {self.batch}", text)

    def test_what_could_have_been_seen(self):
        """The layer's shares are those of the tiles' own masks on the lattice of every fourth pixel."""
        from osgeo import ogr
        source = ogr.Open(str(self.archive / "output" / "observation.gpkg"))
        self.assertEqual({source.GetLayer(i).GetName() for i in range(source.GetLayerCount())},
                         {"unobserved", "smallest_detectable"})
        first_day = source.GetLayer("smallest_detectable").GetNextFeature()["first_day"].replace("/", "-")
        clear = {}
        for path in sorted((self.store / "tiles").glob("X*/*.tif")):
            if f"{path.stem[:4]}-{path.stem[4:6]}-{path.stem[6:8]}" < first_day:
                continue
            image = gdal.Open(str(path))
            gt = image.GetGeoTransform()
            quality = image.GetRasterBand(image.RasterCount).ReadAsArray()
            for row, col in zip(*numpy.nonzero((quality == 1) | (quality == 2))):
                x, y = gt[0] + (col + 0.5) * 10, gt[3] - (row + 0.5) * 10
                clear[x, y] = clear.get((x, y), 0) + 1
        blocks = undecided = 0
        for f in source.GetLayer("smallest_detectable"):
            blocks += 1
            x0, x1, y0, y1 = f.GetGeometryRef().GetEnvelope()
            counts = [clear.get((x0 + 5 + 40 * i, y1 - 5 - 40 * k), 0)
                      for i in range(round((x1 - x0) / 40)) for k in range(round((y1 - y0) / 40))]
            self.assertAlmostEqual(f["seen_share"], sum(n > 0 for n in counts) / len(counts), delta=1e-4)
            self.assertEqual(f["clear_looks"], sorted(counts)[len(counts) // 2])
            self.assertLessEqual(f["decided_share"], f["seen_share"])
            undecided += f["smallest_m2"] is None
            if f["decided_share"] >= 0.9:  # then the smallest square that the minimum area allows: (√10 + 1)² pixels
                self.assertAlmostEqual(f["smallest_m2"], (10 ** 0.5 + 1) ** 2 * 100, delta=1)
            if f["decided_share"] == 0:
                self.assertIsNone(f["smallest_m2"])
        self.assertGreater(blocks, 1)
        notes = [n["what"] for n in json.loads((self.archive / "output" / "run.json").read_text())["notes"]
                 if n["code"] == "smallest_detectable"]
        self.assertEqual(len(notes), 1)
        self.assertIn(f"{blocks} blocks" if undecided else f"median of {blocks} blocks", notes[0])

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
