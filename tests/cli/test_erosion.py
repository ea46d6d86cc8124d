# SPDX-License-Identifier: Apache-2.0
"""Erosion from end to end: planes of known slope under drawn polygons and under the simulated pair, against the equations
of domain.md 6.2 and 6.3 written here a second time, and what happens when a raster is missing, elsewhere, in degrees, in
another unit or full of holes."""
import html
import json
import math
import re
import tempfile
import unittest
from pathlib import Path

import numpy
from osgeo import gdal, ogr, osr

from harness import ArchiveTest, main, shuibao
import layers

gdal.UseExceptions()

X, Y, CELL = 500000, 3600000, 10  # EPSG:4546
NODATA = -9999
CODES = ["slight", "light", "moderate", "strong", "very_strong", "severe"]
WORDS = dict(zip(CODES, ["微度", "轻度", "中度", "强烈", "极强烈", "剧烈"]))
POINTS = dict(zip(CODES, [0, 2, 4, 6, 8, 10]))
LIMITS = [200, 2500, 5000, 8000, 15000]
SLOPES = [0.3, 6, 12, 20, 30, 40]  # of strips of 1 km, from west to east
R, K = 1500, 0.002


def write_raster(path, values, crs, left, top, cell, nodata=NODATA, unit=None, gdal_type=gdal.GDT_Float32):
    values = numpy.asarray(values)
    data = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, gdal_type)
    data.SetGeoTransform((left, cell, 0, top, 0, -cell))
    if crs:
        data.SetProjection(layers.reference(crs).ExportToWkt())
    band = data.GetRasterBand(1)
    band.SetNoDataValue(nodata)
    if unit:
        band.SetUnitType(unit)
    band.WriteArray(values)
    data = None
    return path


def staircase(slopes, width, cell):
    """Heights along a line that falls with each of these slopes (°) for `width` m."""
    heights = [0.0]
    for slope in slopes:
        heights += [heights[-1] - (i + 1) * cell * math.tan(math.radians(slope)) for i in range(round(width / cell))]
    return numpy.array(heights)


def sl773(slope, r=R, k=K):
    """domain.md 6.2 for ground turned over, on slopes longer than 100 m."""
    steepness = -1.5 + 17 / (1 + math.exp(2.3 - 6.1 * math.sin(math.radians(slope))))
    return 100 * r * 2.13 * k * math.sqrt(100 / 20) * steepness


def csle(slope, r=R, k=K):
    """domain.md 6.1, bare, on slopes longer than 300 m."""
    sine = math.sin(math.radians(slope))
    steepness = 10.8 * sine + 0.03 if slope < 5 else 16.8 * sine - 0.5 if slope < 10 else 21.9 * sine - 0.96
    m = 0.2 if slope <= 1 else 0.3 if slope <= 3 else 0.4 if slope <= 5 else 0.5
    return 100 * r * k * (300 / 22.13) ** m * steepness


def class_of(modulus, tolerable=200):
    return CODES[sum(modulus >= limit for limit in [tolerable] + LIMITS[1:])]


BARE_GRID = ["slight", "moderate", "moderate", "strong", "very_strong", "severe"]  # domain.md 6.3, cover < 30 %


def range_of(code, tolerable=200):
    limits = [tolerable] + LIMITS[1:]
    i = CODES.index(code)
    return f"<{limits[0]}" if i == 0 else f">{limits[4]}" if i == 5 else f"{limits[i - 1]}–{limits[i]}"


def rows_of(path, layer="disturbances"):
    data = ogr.Open(str(path))
    return {f["case_id"]: f.items() for f in data.GetLayerByName(layer)}


class Drawn(unittest.TestCase):
    """Polygons on planes that fall to the east: strip n has the slope n."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.base = b = Path(cls.folder.name)
        line = staircase(SLOPES, 1000, CELL) + 4000
        cls.dem = write_raster(b / "dem.tif", numpy.tile(line, (60, 1)), 4546, X - CELL / 2, Y + 600, CELL)
        # In the middle of each strip, 450 m from where it begins.
        boxes = [layers.box(X + i * 1000 + 450, Y + 200, X + i * 1000 + 650, Y + 350) for i in range(len(SLOPES))]
        cls.drawn = b / "drawn.gpkg"
        layers.write_layer(cls.drawn, 4546, {"QTYPE": ogr.OFTString, "onset_from": ogr.OFTString, "onset_to": ogr.OFTString},
                           [(box, {"QTYPE": ["其他扰动", "弃渣场", "取土场"][i % 3 if i in (4, 5) else 0],
                                   "onset_from": "2023-06-01", "onset_to": "2023-09-01"}) for i, box in enumerate(boxes)])
        cls.r, cls.k = cls.of_degrees("r.tif", R), cls.of_degrees("k.tif", K)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def of_degrees(cls, name, value, hole=None, move=0.0):
        """A coarse raster in degrees over all strips; `hole`: easting from which on it has no data."""
        to = osr.CoordinateTransformation(layers.reference(4546), layers.reference(4490))
        west, south, _ = to.TransformPoint(X - 2000, Y - 2000)
        values = numpy.full((20, 40), value, dtype=numpy.float32)
        if hole is not None:
            values[:, int((to.TransformPoint(hole, Y)[0] - west) / 0.003):] = NODATA
        return write_raster(cls.base / name, values, 4490, west + move, south + 20 * 0.003, 0.003)

    def screen(self, *options, code=0, name="work"):
        where = ["--batch", "202312", "--store", self.base / name / "store", "-o", self.base / name / "output", "-q"]
        self.where = where
        sets = [word for o in options for word in ("--set", o)]
        return shuibao("screen", "--disturbances", self.drawn, "--approvals", "none", *where, *sets, code=code)

    def classes(self, name="work"):
        rows = rows_of(self.base / name / "store/batches/202312/screened.gpkg", "screened")
        return [(r["erosion_class"], r["erosion_zh"], r["erosion_range"], r["erosion_method"])
                for _, r in sorted(rows.items())]

    def expected(self, codes, method, tolerable=200):
        return [(c, WORDS[c], range_of(c, tolerable), method) for c in codes]

    def test_sl773_by_hand_and_what_becomes_of_it(self):
        codes = [class_of(sl773(s)) for s in SLOPES]
        self.assertEqual(len(set(codes)), 5, codes)  # the slopes tell classes apart
        self.screen(f"erosion.dem={self.dem}", f"erosion.r={self.r}", f"erosion.k={self.k}")
        self.assertEqual(self.classes(), self.expected(codes, "sl773"))
        shuibao("rank", *self.where)
        rows = rows_of(self.base / "work/output/disturbances.gpkg")
        for i, code in enumerate(codes):
            row = rows[f"202312-{i + 1:05}"]
            self.assertEqual((row["erosion_class"], row["erosion_zh"], row["erosion_range"], row["erosion_method"]),
                             self.expected([code], "sl773")[0])
            self.assertAlmostEqual(row["slope_deg"], SLOPES[i], delta=0.05)
            items = [r for r in json.loads(row["reasons"]) if r["item"] == "土壤侵蚀强度"]
            j = json.loads(shuibao("explain", row["case_id"], "--json", *self.where).stdout)
            told = [p for p in j["risk"]["points"] if p["rule"] == f"points_erosion_{code}"]
            if code == "slight":
                self.assertEqual((items, told), ([], []))
                continue
            self.assertEqual([r["points"] for r in items], [POINTS[code]])
            self.assertEqual(items[0]["value"], f"{WORDS[code]}（{range_of(code)} t/(km²·a)）")
            self.assertRegex(items[0]["source"], r"^SL 773 测算（地表翻扰型）：R 1500，K 0\.0020，L·S [\d.]+，坡度 \d+°，按裸地计")
            self.assertEqual([(p["points"], p["source"]) for p in told], [(POINTS[code], items[0]["source"])])
            # From what is told anybody can find the class again: 100 · R · 2.13 K · L·S, bare.
            told = j["context"]["erosion"]
            self.assertAlmostEqual(told["length_slope"], sl773(SLOPES[i]) / (100 * R * 2.13 * K), delta=0.006 + told["length_slope"] * 0.005)
            self.assertEqual(told["form"], "turned_over")
            self.assertNotIn("cover", told)
            # A range is told and never the modulus.
            whole = json.dumps([row, j], ensure_ascii=False, default=str)
            digits = str(int(sl773(SLOPES[i])))
            others = r"\b[0-9a-f]{32}\b|\d{5}-\d{5}|20\d\d"  # the digits of a checksum may be any
            self.assertNotIn(digits[:4], re.sub(others, "", whole), "the modulus")
        summary = json.loads((self.base / "work/store/batches/202312/screened.json").read_text())
        self.assertEqual(summary["erosion"]["methods"], {"sl773": 6})
        self.assertEqual(summary["erosion"]["classes"], {c: codes.count(c) for c in sorted(set(codes))})

    def test_csle_regions_and_factors(self):
        rasters = [f"erosion.dem={self.dem}", f"erosion.r={self.r}", f"erosion.k={self.k}"]
        self.screen(*rasters, "erosion.method=csle")
        self.assertEqual(self.classes(), self.expected([class_of(csle(s)) for s in SLOPES], "csle"))
        self.assertNotEqual([class_of(csle(s)) for s in SLOPES], [class_of(sl773(s)) for s in SLOPES])
        self.screen(*rasters, "erosion.region=loess", "erosion.e=0.5", "erosion.t=0.4")
        codes = [class_of(sl773(s) * 0.2, 1000) for s in SLOPES]
        self.assertEqual(codes[0], "slight")
        self.assertEqual(self.classes(), self.expected(codes, "sl773", 1000))

    def test_without_soil_or_rain_slope_and_cover_serve(self):
        for given in ([f"zones.dem={self.dem}"], [f"erosion.dem={self.dem}", f"erosion.r={self.r}"],
                      [f"erosion.dem={self.dem}", f"erosion.k={self.k}"]):
            self.screen(*given)
            self.assertEqual(self.classes(), self.expected(BARE_GRID, "grid"))
        done = self.screen(f"erosion.r={self.r}", f"erosion.k={self.k}", code=3)
        self.assertIn("erosion.k is given, but no elevation model: there are no erosion classes.", done.stderr)
        self.assertEqual(self.classes(), [(None,) * 4] * 6)
        self.screen()
        self.assertEqual(self.classes(), [(None,) * 4] * 6)

    def test_two_models_each_for_its_own(self):
        """zones.dem tells slope and steep ground, erosion.dem erosion; one alone stands for both, but for steep ground."""
        flat = write_raster(self.base / "flat.tif", numpy.full((60, 610), 50), 4546, X - CELL / 2, Y + 600, CELL)
        for given, slopes, classes, steep in (
                ([f"zones.dem={flat}", f"erosion.dem={self.dem}"], [0] * 6, BARE_GRID, 0),
                ([f"zones.dem={self.dem}", f"erosion.dem={flat}"], SLOPES, ["slight"] * 6, 2),
                ([f"zones.dem={self.dem}"], SLOPES, BARE_GRID, 2),
                ([f"erosion.dem={self.dem}"], SLOPES, BARE_GRID, 0)):
            with self.subTest(given=given):
                self.screen(*given)
                self.assertEqual(self.classes(), self.expected(classes, "grid"))
                shuibao("rank", *self.where)
                rows = [r for _, r in sorted(rows_of(self.base / "work/output/disturbances.gpkg").items())]
                for row, slope in zip(rows, slopes):
                    self.assertAlmostEqual(row["slope_deg"], slope, delta=0.05)
                self.assertEqual(sum("points_zone_steep" in r["reasons"] for r in rows), steep)

    def test_holes_and_rasters_of_elsewhere(self):
        codes = [class_of(sl773(s)) for s in SLOPES]
        rest = [f"erosion.dem={self.dem}", f"erosion.k={self.k}"]
        holes = self.of_degrees("holes.tif", R, hole=X + 3000)  # strips 4 to 6 have no erosivity
        self.screen(*rest, f"erosion.r={holes}")
        self.assertEqual(self.classes(), self.expected(codes[:3], "sl773") + self.expected(BARE_GRID[3:], "grid"))
        record = json.loads((self.base / "work/store/batches/202312/screened.json").read_text())
        self.assertEqual([m["what"].split(": ", 1)[1] for m in record["missing"]],
                         [f"{holes} has no data under 3 of 6 disturbances: their class comes from slope and cover."])
        elsewhere = self.of_degrees("elsewhere.tif", R, move=5)
        for _ in range(2):  # the second time the verdicts are up to date, and it is told all the same
            done = self.screen(*rest, f"erosion.r={elsewhere}", code=3)
            self.assertIn(f"erosion.r: {elsewhere} has no data under 6 of 6 disturbances", done.stderr)
        self.assertEqual(self.classes(), self.expected(BARE_GRID, "grid"))
        flat = write_raster(self.base / "far.tif", numpy.zeros((10, 10)), 4546, X + 90000, Y, CELL)
        done = self.screen(f"erosion.dem={flat}", code=3)
        self.assertIn("they have no erosion class", done.stderr)
        self.assertEqual(self.classes(), [(None,) * 4] * 6)
        # Heights that are missing under the third strip only, whether the file says so (-9999) or not.
        for void in (NODATA, -32768):
            data = gdal.Open(str(self.dem)).ReadAsArray()
            data[:, 200:300] = void
            holey = write_raster(self.base / f"holey{void}.tif", data, 4546, X - CELL / 2, Y + 600, CELL)
            self.screen(f"erosion.dem={holey}", *rest[1:], f"erosion.r={self.r}")
            got, want = self.classes(), self.expected(codes, "sl773")
            self.assertEqual(got[2], (None,) * 4)
            self.assertEqual(got[:2] + got[3:], want[:2] + want[3:])

    def test_the_same_ground_in_degrees_and_in_integers(self):
        warped = self.base / "degrees.tif"
        gdal.Warp(str(warped), str(self.dem), dstSRS="EPSG:4490", resampleAlg="cubic", xRes=0.0001, yRes=0.0001)
        rest = [f"erosion.r={self.r}", f"erosion.k={self.k}"]
        self.screen(f"erosion.dem={warped}", *rest)
        codes = [class_of(sl773(s)) for s in SLOPES]
        self.assertEqual(self.classes(), self.expected(codes, "sl773"))
        # Scale and offset of a band are applied: K in units of 0.0001.
        whole = self.of_degrees("whole.tif", 20)
        data = gdal.Open(str(whole), gdal.GA_Update)
        data.GetRasterBand(1).SetScale(0.0001)
        data = None
        self.screen(f"erosion.dem={warped}", rest[0], f"erosion.k={whole}")
        self.assertEqual(self.classes(), self.expected(codes, "sl773"))

    def test_what_cannot_be_used_is_said_in_a_sentence(self):
        nowhere = self.base / "nowhere.tif"
        rest = [f"erosion.dem={self.dem}", f"erosion.r={self.r}"]
        feet = write_raster(self.base / "feet.tif", numpy.zeros((5, 5)), 4546, X, Y, CELL, unit="US survey foot")
        bare = write_raster(self.base / "nowhere_on_earth.tif", numpy.zeros((5, 5)), None, X, Y, CELL)
        fine = write_raster(self.base / "fine.tif", numpy.zeros((50, 50)), 4546, X + 500, Y + 300, 0.1)
        broken = self.base / "broken.tif"
        broken.write_bytes(self.dem.read_bytes()[:3000])
        for options, code, message in (
                ([f"erosion.dem={nowhere}"], 4, f"The elevation model (erosion.dem) {nowhere} does not exist."),
                ([*rest, f"erosion.k={nowhere}"], 4, f"The raster of erodibility (erosion.k) {nowhere} does not exist."),
                ([f"erosion.dem={feet}"], 4, "has heights in 'US survey foot'"),
                ([f"erosion.dem={bare}"], 4, "has no coordinate reference system"),
                ([f"erosion.dem={self.drawn}"], 4, "cannot be opened as a raster"),
                ([f"erosion.dem={broken}"], 3, "broken.tif"),
                ([f"erosion.dem={fine}", rest[1], f"erosion.k={self.k}"], 3,
                 "has pixels of 0.1 m: 100 m around a place are too many of them."),
                ([*rest, "erosion.method=rusle"], 2, "rusle"),
                ([*rest, "erosion.e=2"], 2, "erosion.e"),
                ([*rest, "erosion.pile={shape: 1}"], 2, "erosion.pile: 'a' is missing"),
                ([*rest, "erosion.face={silt: much, clay: 0.2, density: 1.4, slope: 45, length: 8}"], 2,
                 "erosion.face: silt = 'much' is no number from 0 to 1"),
                ([*rest, "erosion.face={sand: 1, silt: 0.2, clay: 0.2, density: 1.4, slope: 45, length: 8}"], 2,
                 "erosion.face: there is no 'sand'")):
            with self.subTest(options=options):
                self.assertIn(message, self.screen(*options, code=code).stderr)
        american = self.of_degrees("american.tif", 0.3)
        done = self.screen(*rest, f"erosion.k={american}", code=3)
        self.assertIn("it is not in SI units", done.stderr)
        self.assertIn("× 0.1317", done.stderr)
        self.assertEqual(self.classes(), self.expected(BARE_GRID, "grid"))

    def test_heaps_and_faces_by_their_own_equations(self):
        # Strip 5 is a spoil heap, strip 6 a borrow pit (domain.md 6.2; coefficients here are invented).
        rest = [f"erosion.dem={self.dem}", f"erosion.r={self.r}", f"erosion.k={self.k}"]
        self.screen(*rest, "erosion.pile={shape: 0.92, a: 0.06, b: -3.5, gravel: 0.4, d: 1.2, f: 0.6, slope: 25, length: 20}",
                    "erosion.face={silt: 0.4, clay: 0.2, density: 1.4, slope: 45, length: 10}")
        pile = 100 * 0.92 * R * 0.06 * math.exp(-3.5 * 0.4) * 4 ** 0.6
        face = 100 * R * 0.004 * math.exp(4.28 * 0.4 * 0.8 / 1.4) * 2 ** -0.57 * (0.8 * math.sin(math.pi / 4) + 0.38)
        got = self.classes()
        by_type = {"pile": class_of(pile), "face": class_of(face)}
        self.assertEqual(by_type, {"pile": "moderate", "face": "light"})
        rows = rows_of(self.base / "work/store/batches/202312/screened.gpkg", "screened")
        forms = [json.loads(r["context"])["erosion"]["form"] for _, r in sorted(rows.items())]
        self.assertEqual(forms, ["turned_over"] * 4 + ["pile", "face"])
        self.assertEqual([c for c, *_ in got][4:], ["moderate", "light"])


class UnderImages(ArchiveTest):
    """The simulated pair on a hillside: cover comes from its last clear look."""
    size, sites = 256, 8

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        image = gdal.Open(str(cls.archive / "images/demo_20240525.tif"))
        left, cell, _, top, _, _ = image.GetGeoTransform()
        cls.crs = image.GetProjection()
        # 700 m of gentle ground, then 850 m each of 6°, 18° and of 40°.
        line = staircase([6, 6, 18, 40, 40], 850, 10)[15:] + 3000
        dem = write_raster(cls.base / "dem.tif", numpy.tile(line, (400, 1)), None, left - 700, top + 700, 10)
        data = gdal.Open(str(dem), gdal.GA_Update)
        data.SetProjection(cls.crs)
        data = None
        cls.options = ["--set", f"erosion.dem={dem}"]
        _, cls.output, _ = cls.run_all("hills", *cls.options, "-j", 1)
        cls.left = left

    def slope_at(self, x):
        """Slope of the plane under an easting, nothing near its bends."""
        at = x - (self.left - 700) + 150
        for bend in (1700, 2550):
            if abs(at - bend) < 120:
                return None
        return 6 if at < 1700 else 18 if at < 2550 else 40

    def cover_of(self, shape):
        """Mean cover of the pixels of a polygon by image and mask of 2024-05-25, ndvi_bare 0.25, ndvi_full 0.80."""
        image = gdal.Open(str(self.archive / "images/demo_20240525.tif"))
        item = json.loads((self.archive / "catalog/demo_20240525.json").read_text())
        names = {b.get("common_name") or b.get("eo:common_name"): i
                 for a in item["assets"].values() for i, b in enumerate(a.get("eo:bands", a.get("bands", [])))}
        memory = ogr.GetDriverByName("Memory").CreateDataSource("")
        layer = memory.CreateLayer("", osr.SpatialReference(self.crs))
        feature = ogr.Feature(layer.GetLayerDefn())
        feature.SetGeometry(shape)
        layer.CreateFeature(feature)
        inside = gdal.GetDriverByName("MEM").Create("", image.RasterXSize, image.RasterYSize, 1)
        inside.SetGeoTransform(image.GetGeoTransform())
        inside.SetProjection(self.crs)
        gdal.RasterizeLayer(inside, [1], layer, burn_values=[1])
        values = image.ReadAsArray().astype(float)
        red, nir = (values[names[b]] / 10000 - 0.1 for b in ("red", "nir"))
        mask = inside.ReadAsArray() == 1
        cover = numpy.clip(((nir - red) / (nir + red) - 0.25) / 0.55, 0, 1)
        return cover[mask].mean()

    def test_classes_and_cover(self):
        data = ogr.Open(str(self.output / "disturbances.gpkg"))
        seen, checked = 0, set()
        for f in data.GetLayerByName("disturbances"):
            shape = f.GetGeometryRef()
            minimum, maximum, _, _ = shape.GetEnvelope()
            slopes = {self.slope_at(minimum), self.slope_at(maximum)}
            if None in slopes or len(slopes) > 1:
                continue
            slope = slopes.pop()
            checked.add(slope)
            want = {6: "moderate", 18: "strong", 40: "severe"}[slope]
            self.assertEqual((f["erosion_class"], f["erosion_method"]), (want, "grid"), f["case_id"])
            items = [r for r in json.loads(f["reasons"]) if r["item"] == "土壤侵蚀强度"]
            if f["verdict"] == "compliant":
                self.assertEqual(f["tier"], "无", "told, and no ground to go there")
            told = re.search(r"植被盖度 (\d+) %，影像 2024-05-25$", items[0]["source"])
            self.assertTrue(told, items[0]["source"])
            self.assertAlmostEqual(int(told[1]) / 100, self.cover_of(shape), delta=0.02)
            seen += 1
        self.assertGreaterEqual(seen, 3)
        self.assertEqual(len(checked), 3, "a site on each plane")

    def test_check_says_what_it_will_be_found_by(self):
        for options, line in ((self.options, "erosion: table of slope and cover (SL 190); cover: last clear look"),
                              ([*self.options, "--set", "erosion.cover=bare"],
                               "erosion: table of slope and cover (SL 190); cover: none, bare ground")):
            self.assertIn(line, shuibao("check", self.config, *options).stdout.splitlines())
        self.assertNotIn("erosion", shuibao("check", self.config).stdout)

    def test_pages_say_it(self):
        pages = sorted((self.output / "export").rglob("evidence/*.html")) or sorted((self.output / "export").rglob("*.html"))
        texts = [html.unescape(p.read_text(encoding="utf8")) for p in pages]
        told = [t for t in texts if "erosion intensity" in t]
        self.assertGreaterEqual(len(told), 3, [p.name for p in pages])
        for text in told:
            self.assertRegex(text, "(中度|强烈|剧烈)（[0-9–>]+ t/")
            self.assertRegex(text, "(moderate|strong|severe), SL 190 table of slope and cover")
            self.assertIn("项目默认值; SL 190-2007", text)  # basis in the score table

    def test_threads_and_tiles_do_not_matter(self):
        for name, options in (("two threads", ["-j", 2]), ("small blocks", ["-j", 2, "--set", "grid.tile_size=32"])):
            _, output, _ = self.run_all(name.replace(" ", "_"), *self.options, *options)
            got, want = rows_of(output / "disturbances.gpkg"), rows_of(self.output / "disturbances.gpkg")
            for row in (*got.values(), *want.values()):
                self.assertIsNotNone(row["erosion_class"])
            self.assertEqual(got, want, name)

    def test_looks_before_the_ground_was_opened_do_not_count(self):
        """A polygon first seen open after all looks has no cover; bare ground is taken, and said."""
        drawn = self.base / "late.gpkg"
        data = ogr.Open(str(self.output / "disturbances.gpkg"))
        feature = data.GetLayerByName("disturbances").GetNextFeature()
        shape = feature.GetGeometryRef().Clone()
        store, output, where = self.place("hills")
        layers.write_layer(drawn, self.crs, {"onset_from": ogr.OFTString, "onset_to": ogr.OFTString},
                           [(shape, {"onset_from": "2024-05-26", "onset_to": "2024-06-10"}),
                            (shape, {"onset_from": "2023-05-21", "onset_to": "2024-05-10"})], kind=ogr.wkbUnknown)
        shuibao("screen", "--disturbances", drawn, "--approvals", "none", *where, *self.options, "--batch", "202406", "-q",
                code=3)  # one outline twice is a problem
        rows = rows_of(store / "batches/202406/screened.gpkg", "screened")
        told = [json.loads(r["context"])["erosion"] for _, r in sorted(rows.items())]
        self.assertNotIn("cover", told[0])
        self.assertEqual(told[1]["cover"]["to"], "2024-05-25")


if __name__ == "__main__":
    main()
