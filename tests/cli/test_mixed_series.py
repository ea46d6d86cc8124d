# SPDX-License-Identifier: Apache-2.0
"""One series by two satellites: every second look has blue, green, red and nir alone, other numbers and pixels of 30 m. What
six bands show of every date is the yardstick."""
import json
import unittest

from osgeo import gdal, ogr, osr

from harness import ArchiveTest, main, shuibao

gdal.UseExceptions()


class MixedSeries(ArchiveTest):
    size, sites, seed = 180, 10, 5
    kind = ("--kind", "series", "--old-sites", 2, "--from", "2021-01-01", "--to", "2023-12-31", "--monitor-from", "2023-01-01")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.base / "other"
        shuibao("simulate", cls.other, *cls.kind, "--size", cls.size, "--sites", cls.sites, "--seed", cls.seed, "--other-every", 2,
                "--other-gsd", 30, "-q")
        cls.pure, cls.mixed = cls.followed("pure", cls.archive), cls.followed("mixed", cls.other)

    @classmethod
    def followed(cls, name, archive):
        """Scores of a run over an archive."""
        places = cls.place(name)[2]
        shuibao("run", "-c", archive / "run.yaml", *places, "--set", "detect.method=harmonic", "--set",
                "detect.monitor_from=2023-01-01", "-q")
        scores = shuibao("assess", archive / "truth.gpkg", "-c", archive / "run.yaml", *places, "--json").stdout
        return json.loads(scores)["objects"]

    def test_sites_are_found_by_both(self):
        pure, mixed = self.pure, self.mixed
        self.assertGreaterEqual(pure["truth"], 6)
        self.assertGreaterEqual(pure["recall"], 0.4)
        # Half of the looks say less: two sites may go by, no more.
        self.assertGreaterEqual(mixed["recall"] * mixed["truth"], pure["recall"] * pure["truth"] - 2.01)
        self.assertGreaterEqual(mixed["recall"], 0.35)
        # Both satellites are in the store on one grid, each with its own bands.
        looks = json.loads((self.place("mixed")[0] / "acquisitions.json").read_text(encoding="utf8"))
        self.assertEqual({len(a["bands"]) for a in looks}, {4, 6})

    def test_an_account_of_a_pixel_says_what_a_look_does_not_tell(self):
        _, output, places = self.place("mixed")
        truth = ogr.Open(str(self.other / "truth.gpkg"))
        site = truth.GetLayerByName("truth").GetNextFeature()  # its geometry lives no longer
        middle = site.GetGeometryRef().PointOnSurface()
        degrees = osr.SpatialReference()
        degrees.ImportFromEPSG(4326)
        degrees.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        middle.TransformTo(degrees)
        at = f"{middle.GetX()},{middle.GetY()}"
        told = json.loads(shuibao("inspect", "-c", self.other / "run.yaml", *places, "--set", "detect.method=harmonic", "--set",
                                  "detect.monitor_from=2023-01-01", "--at", at, "--json").stdout)
        seen = [look for look in told["looks"] if "features" in look]
        lacking = [look for look in seen if look["features"][1] is None]
        self.assertGreater(len(lacking), 5)
        self.assertGreater(len(seen) - len(lacking), 5)
        for look in lacking:
            self.assertNotIn("swir16", look["values"])
            self.assertIsNotNone(look["features"][0])
        text = shuibao("inspect", "-c", self.other / "run.yaml", *places, "--set", "detect.method=harmonic", "--set",
                       "detect.monitor_from=2023-01-01", "--at", at, "--plot", output / "pixel.svg").stdout
        self.assertIn("–", text)
        self.assertNotIn("nan", (output / "pixel.svg").read_text(encoding="utf8"))

    def test_the_other_satellite_stores_the_same_light(self):
        """Of the looks that both archives have: 3 × 3 pixels in one, scaled as its Item says."""
        name = sorted(p.stem for p in (self.other / "catalog").iterdir())[1]
        fine, coarse = (gdal.Open(str(a / "images" / f"{name}.tif")) for a in (self.archive, self.other))
        self.assertEqual((fine.RasterCount, coarse.RasterCount), (6, 4))
        self.assertEqual((fine.RasterXSize, coarse.RasterXSize), (180, 60))
        item = json.loads((self.other / "catalog" / f"{name}.json").read_text())
        scale = item["assets"]["data"]["raster:bands"][2]
        want, got = fine.GetRasterBand(3).ReadAsArray(), coarse.GetRasterBand(3).ReadAsArray()
        offset = json.loads((self.archive / "catalog" / f"{name}.json").read_text())["assets"]["data"]["raster:bands"][2]["offset"]
        means = want.reshape(60, 3, 60, 3).mean(axis=(1, 3)) * 1e-4 + offset
        whole = (want > 0).reshape(60, 3, 60, 3).all(axis=(1, 3))
        light = got * scale["scale"] + scale["offset"]
        self.assertLess(abs(light - 1.03 * means)[whole].max(), 1e-4)  # red is 3 % brighter in this one


if __name__ == "__main__":
    main()
