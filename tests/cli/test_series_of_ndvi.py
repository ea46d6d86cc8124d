# SPDX-License-Identifier: Apache-2.0
"""Archives that hold NDVI and nothing else: followed as a series by the default method, from dated images to a figure. A
drawn one with known truth; and real looks over woods and meadows in Slovenia (../shared/data/s2_eolearn_slovenia, its README),
skipped where they are not here."""
import datetime
import json
import struct
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
from osgeo import gdal, ogr, osr

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import SOURCE, main, shuibao

gdal.UseExceptions()
ogr.UseExceptions()
DATA = SOURCE.parent / "shared" / "data" / "s2_eolearn_slovenia"
SIDE, WEST, NORTH = 96, 600000, 3600000
CONFIG = ("imagery: {{catalog: images{more}}}\ngrid: {{crs: '{crs}', gsd: 10, tile_size: 64}}\n"
          "detect: {{monitor_from: '{watched}'}}\napprovals: {{path: none}}\nstore: store\noutput: output\n")


def save(path, values, kind):
    driver = gdal.GetDriverByName("GTiff")
    d = driver.Create(str(path), values.shape[1], values.shape[0], 1, kind)
    d.SetGeoTransform((WEST, 10, 0, NORTH, 0, -10))
    s = osr.SpatialReference()
    s.ImportFromEPSG(32649)
    d.SetProjection(s.ExportToWkt())
    d.GetRasterBand(1).WriteArray(values)


def disturbances(folder):
    """What was found, with its shape: copies, since a feature dies with its file."""
    source = ogr.Open(str(folder / "output" / "disturbances.gpkg"))
    return [(f.items(), f.GetGeometryRef().Clone()) for f in source.GetLayerByName("disturbances")]


def size_of(png):
    head = Path(png).read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:])


class Drawn(unittest.TestCase):
    """Three years of woods with a lake; a square of 4 hm² is cleared on a known day. Fractions, without a scale."""
    CLEARED = datetime.date(2022, 4, 10)

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.folder = Path(cls.temporary.name)
        (cls.folder / "images").mkdir()
        draws = numpy.random.default_rng(7)
        base = draws.normal(0.72, 0.03, (SIDE, SIDE))
        day = datetime.date(2020, 1, 4)
        while day < datetime.date(2023, 1, 1):
            season = 0.10 * numpy.cos(2 * numpy.pi * (day.timetuple().tm_yday - 200) / 365)
            ndvi = base + season + draws.normal(0, 0.02, (SIDE, SIDE))
            if day >= cls.CLEARED:
                ndvi[40:60, 30:50] = draws.normal(0.14, 0.02, (20, 20))
            ndvi[:, :8] = draws.normal(-0.30, 0.01, (SIDE, 8))
            cloud = numpy.zeros((SIDE, SIDE), numpy.uint8)
            if draws.random() < 0.4:
                top = int(draws.integers(0, SIDE // 2))
                cloud[top:top + SIDE // 2] = 1
            ndvi[cloud == 1] = 0.01
            save(cls.folder / "images" / f"{day:%Y%m%d}_ndvi.tif", ndvi.astype(numpy.float32), gdal.GDT_Float32)
            save(cls.folder / "images" / f"{day:%Y%m%d}_cloud.tif", cloud, gdal.GDT_Byte)
            day += datetime.timedelta(8)
        cls.config = cls.folder / "run.yaml"
        cls.config.write_text(CONFIG.format(more="", crs="EPSG:32649", watched="2022-01-01"))
        cls.said = shuibao("run", "-c", cls.config).stderr

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_the_clearing_is_found_and_dated(self):
        self.assertIn("harmonic: 137 looks", self.said)
        self.assertNotIn("normalised", self.said)  # an index has no light that differs between scenes
        (found, shape), = disturbances(self.folder)
        self.assertAlmostEqual(shape.GetArea(), 40000, delta=6000)
        onset = [datetime.datetime.strptime(found[k], "%Y/%m/%d").date() for k in ("onset_from", "onset_to")]
        self.assertTrue(onset[0] <= self.CLEARED <= onset[1], onset)
        self.assertGreater(found["confidence"], 0.8)

    def test_what_is_below_zero_stays(self):
        x, y = WEST + 35, NORTH - 500
        j = json.loads(shuibao("inspect", f"{x},{y}", "-c", self.config, "--set", "inspect.crs=EPSG:32649",
                               "--json").stdout)
        self.assertEqual(j["series"]["features"], ["NDVI"])
        seen = [look["values"]["ndvi"] for look in j["looks"] if look["usable"]]
        self.assertGreater(len(seen), 50)
        self.assertAlmostEqual(numpy.mean(seen), -0.30, delta=0.01)
        self.assertEqual(j["decision"]["state"], "no evidence")
        self.assertFalse(j["series"]["judged"])  # it never was green

    def test_a_figure_of_the_one_feature(self):
        for kind in ("png", "svg"):
            plot = self.folder / f"cleared.{kind}"
            said = shuibao("inspect", f"{WEST + 405},{NORTH - 505}", "-c", self.config, "--set",
                           "inspect.crs=EPSG:32649", "--plot", plot).stdout
            self.assertIn("confirmed", said)
        self.assertGreater(min(size_of(self.folder / "cleared.png")), 500)
        drawn = (self.folder / "cleared.svg").read_text()
        self.assertIn("NDVI", drawn)
        self.assertNotIn("BSI", drawn)

    def test_the_published_methods_for_one_index(self):
        shuibao("run", "-c", self.config, "-q", "--set", "detect.method=mosum")
        self.assertTrue(any(shape.GetArea() > 20000 for _, shape in disturbances(self.folder)))
        said = shuibao("detect", "-c", self.config, "-q", "--set", "detect.method=mosum", "--set",
                       "detect.mosum.index=1", code=3).stderr
        self.assertIn("NDVI alone", said)
        self.assertIn("detect.mosum.index: 0", said)
        shuibao("run", "-c", self.config, "-q")  # as it was

    def test_what_needs_light_is_refused(self):
        said = shuibao("detect", "-c", self.config, "-q", "--set", "detect.method=pair", code=4).stderr
        self.assertIn("The method 'pair' needs the band", said)

    def test_injected_sites_are_clearings(self):
        j = json.loads(shuibao("assess", "--inject", "12", "-c", self.config, "--json").stdout)
        self.assertGreater(j["all"]["sites"], 1)  # there is little room
        self.assertGreaterEqual(2 * j["all"]["found"], j["all"]["sites"])


class Read(unittest.TestCase):
    """How the index is recognised, and when it is not needed."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        self.addCleanup(self.temporary.cleanup)
        self.folder = Path(self.temporary.name)
        (self.folder / "images").mkdir()
        self.config = self.folder / "run.yaml"
        self.config.write_text(CONFIG.format(more="", crs="EPSG:32649", watched="2022-01-01"))

    def bands(self):
        shuibao("catalog", "-c", self.config, "-q")
        (scene,) = json.loads((self.folder / "store" / "scenes.json").read_text())["scenes"]
        return scene["reflectance"], {b["band"]: b for b in scene["bands"]}

    def item(self, *roles):
        """Of a collection whose sensor has a scale, which is not that of an index."""
        assets = {}
        for role in roles:
            save(self.folder / "images" / f"{role}.tif", numpy.full((32, 32), 1234, numpy.int16), gdal.GDT_Int16)
            assets[role] = {"href": f"./{role}.tif", "roles": ["data"], "eo:bands": [{"name": role, "common_name": role}]}
        (self.folder / "images" / "a.json").write_text(json.dumps({
            "type": "Feature", "stac_version": "1.0.0", "id": "a", "collection": "sentinel-2-l2a", "links": [],
            "bbox": [112, 32, 113, 33], "geometry": None, "assets": assets,
            "properties": {"datetime": "2022-04-01T03:00:00Z", "platform": "sentinel-2a"}}))

    def test_beside_its_own_bands_it_is_left_out(self):
        self.item("red", "nir", "ndvi")
        reflectance, bands = self.bands()
        self.assertTrue(reflectance)
        self.assertEqual(list(bands), ["red", "nir"])

    def test_numbers_without_a_scale_are_no_index(self):
        self.item("ndvi")
        reflectance, bands = self.bands()
        self.assertFalse(reflectance)
        self.assertEqual(bands["ndvi"]["scale"], 1)

    def test_what_is_no_index_is_set_aside(self):
        save(self.folder / "images" / "20220401_ndvi.tif", numpy.full((32, 32), 7340, numpy.int16), gdal.GDT_Int16)
        said = shuibao("catalog", "-c", self.config, "--set", "imagery.scale=1", code=4).stderr
        self.assertIn("NDVI lies between -1 and 1", said)
        self.assertIn("reaches 7340", said)
        self.assertIn("imagery.scale", said)

    def test_no_data_of_the_file_is_no_value(self):
        self.item("ndvi")
        values = numpy.full((32, 32), 7340, numpy.int16)
        values[:16] = -32768
        save(self.folder / "images" / "ndvi.tif", values, gdal.GDT_Int16)
        d = gdal.Open(str(self.folder / "images" / "ndvi.tif"), gdal.GA_Update)
        d.GetRasterBand(1).SetNoDataValue(-32768)
        d.FlushCache()
        del d
        item = self.folder / "images" / "a.json"
        item.write_text(item.read_text().replace('"eo:bands"', '"raster:bands": [{"scale": 0.0001}], "eo:bands"'))
        reflectance, bands = self.bands()
        self.assertTrue(reflectance)
        self.assertEqual((bands["ndvi"].get("gain", 1), bands["ndvi"]["lift"], bands["ndvi"]["offset"]), (1, 10000, -1))

    def test_a_scale_of_its_own(self):
        save(self.folder / "images" / "20220401_NDVI.tif", numpy.full((32, 32), 25, numpy.uint8), gdal.GDT_Byte)
        with self.config.open("a") as f:
            f.write("tile: {bands: [ndvi]}\n")
        for scale, offset in ((0.004, -0.08), (0.01, -0.1)):  # the second time the tile is there already
            with self.subTest(scale=scale):
                shuibao("catalog", "-c", self.config, "-q", "--set", f"imagery.scale={scale}", "--set",
                        f"imagery.offset={offset}")
                shuibao("tile", "-c", self.config, "-q")
                (tile,) = (self.folder / "store" / "tiles").glob("*/20220401*.tif")
                d = gdal.Open(str(tile))
                band = d.GetRasterBand(1)
                self.assertEqual(band.GetDescription(), "ndvi")
                self.assertAlmostEqual(int(band.ReadAsArray().max()) * band.GetScale() + band.GetOffset(),
                                       25 * scale + offset, delta=1e-4)


@unittest.skipUnless(DATA.is_dir(), f"{DATA} is not here")
class Slovenia(unittest.TestCase):
    """A year and a half of history, one watched. No truth of change: what is found must be seen in the raw numbers."""

    def test_run_and_inspect(self):
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as name:
            folder = Path(name)
            (folder / "images").mkdir()
            ndvi, cloud = (gdal.Open(str(DATA / f)) for f in ("NDVI_x10000.tif", "cloudmask_CLM.tif"))
            days = [ndvi.GetRasterBand(b).GetDescription() for b in range(1, ndvi.RasterCount + 1)]
            for b, day in enumerate(days, 1):
                gdal.Translate(str(folder / "images" / f"{day}_ndvi.tif"), ndvi, bandList=[b])
                gdal.Translate(str(folder / "images" / f"{day}_cloud.tif"), cloud, bandList=[b])
            config = folder / "run.yaml"
            config.write_text(CONFIG.format(more=", scale: 0.0001, offset: 0", crs="EPSG:32633", watched="2017-01-01"))
            shuibao("run", "-c", config, "-q")

            values, masked = ndvi.ReadAsArray() / 1e4, cloud.ReadAsArray() != 0
            values[masked] = numpy.nan

            def summer(year):
                of = [i for i, day in enumerate(days) if f"{year}06" <= day[:6] <= f"{year}09"]
                return numpy.nanmean(values[of], axis=0)

            lost = summer(2016) - summer(2017)
            found = disturbances(folder)
            self.assertEqual(len(found), 1)  # as the READMEs say
            self.assertLess(sum(shape.GetArea() for _, shape in found), 50000)  # of a square kilometre
            place = ndvi.GetGeoTransform()
            for _, shape in found:
                inside = numpy.zeros(lost.shape, bool)
                for r, c in numpy.ndindex(lost.shape):
                    x, y = gdal.ApplyGeoTransform(place, c + 0.5, r + 0.5)
                    inside[r, c] = shape.Contains(ogr.CreateGeometryFromWkt(f"POINT ({x} {y})"))
                # A fifth of it lost more than nineteen of twenty pixels elsewhere.
                self.assertGreater(numpy.quantile(lost[inside], 0.8), numpy.nanquantile(lost[~inside], 0.95))
            point = found[0][1].PointOnSurface()
            x, y = point.GetX(), point.GetY()
            plot = folder / "place.png"
            said = shuibao("inspect", f"{x},{y}", "-c", config, "--set", "inspect.crs=EPSG:32633", "--plot", plot).stdout
            self.assertIn("features after the bar: NDVI,", said)
            self.assertGreater(min(size_of(plot)), 500)


if __name__ == "__main__":
    main()
