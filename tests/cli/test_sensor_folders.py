#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Images as agencies deliver them, without a STAC Item: Sentinel-2 SAFE, Landsat Collection 2, GF with RPC, images with a
date in their names. Items are made of them (contract 3); what is in them is what the same images with Items give."""
import json
import shutil
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy
from osgeo import gdal, ogr

import delivered
from harness import SOURCE, ArchiveTest, digests, main, shuibao
import stac_schema

DAYS = ("20230506", "20230521", "20240510", "20240525")


class SensorFolders(ArchiveTest):
    size, sites, seed = 256, 8, 2

    def image(self, day, suffix=""):
        return self.archive / "images" / f"demo_{day}{suffix}.tif"

    def new(self, name):
        folder = self.base / name
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def catalog(self, folder, *args, code=0):
        """scenes.json of a catalog made of `folder`, and what the command said."""
        store = self.base / (str(folder.name) + ".store")
        self.addCleanup(shutil.rmtree, store, True)
        done = shuibao("catalog", "--catalog", folder, "--store", store, "-q", *args, code=code)
        return json.loads((store / "scenes.json").read_text()) if (store / "scenes.json").exists() else None, done.stderr

    def roles(self, scene):
        return {b["band"]: b for b in scene["bands"]}

    def polygons(self, output):
        data = ogr.Open(str(output / "disturbances.gpkg"))  # its layers live no longer
        layer = data.GetLayerByName("disturbances")
        return sorted((f["confidence"], f["onset_from"], f["onset_to"], f.GetGeometryRef().ExportToWkt()) for f in layer)

    def reference_of_items(self):
        output = self.base / "items" / "output"
        if not output.exists():
            self.run_all("items")
        return output

    def same_as_items(self, folder, name, *args):
        store, output, _ = self.run_all(name, "--set", f"imagery.catalog={folder}", *args)
        self.assertEqual(self.polygons(output), self.polygons(self.reference_of_items()))
        self.assertGreater(len(self.polygons(output)), 3)
        return store, output

    # --- Sentinel-2

    def test_safe(self):
        folder = self.new("safe")
        for day in DAYS:
            delivered.safe(folder, day, self.image(day), self.image(day, "_SCL"))
        store, _ = self.same_as_items(folder, "of_safe")
        scene = json.loads((store / "scenes.json").read_text())["scenes"][0]
        self.assertEqual((scene["platform"], scene["orbit"], scene["mask"], scene["surface"], scene["reflectance"]),
                         ("sentinel-2a", "R032", "scl", True, True))
        bands = self.roles(scene)
        self.assertEqual(sorted(bands), ["blue", "green", "nir", "red", "swir16", "swir22"])
        self.assertEqual((bands["red"]["scale"], bands["red"]["offset"], bands["red"]["nodata"]), (1e-4, -0.1, 0))
        self.assertTrue(bands["red"]["href"].endswith("_B04_10m.jp2"), "the finest rendition")
        item = json.loads((store / "items" / f"{scene['id']}.json").read_text())
        self.assertEqual((item["type"], item["stac_version"], item["properties"]["eo:cloud_cover"]), ("Feature", "1.0.0", 12.5))
        self.assertEqual(item["geometry"]["coordinates"][0][0], item["geometry"]["coordinates"][0][-1])
        if not stac_schema.missing():
            self.assertEqual(stac_schema.problems(item), [])
        # What was made is an Item like any other.
        again, _ = self.catalog(store / "items")
        self.assertEqual([(s["id"], s["fingerprint"]) for s in again["scenes"]],
                         [(s["id"], s["fingerprint"]) for s in json.loads((store / "scenes.json").read_text())["scenes"]])

    def test_safe_in_a_zip(self):
        folder = self.new("zipped")
        product = delivered.safe(folder, DAYS[0], self.image(DAYS[0]), self.image(DAYS[0], "_SCL"))
        plain, _ = self.catalog(product)
        with zipfile.ZipFile(folder / (product.stem + ".zip"), "w", zipfile.ZIP_STORED) as packed:
            for path in sorted(product.rglob("*")):
                packed.write(path, path.relative_to(folder))
        shutil.rmtree(product)
        inside, _ = self.catalog(folder)
        self.assertEqual([s["id"] for s in inside["scenes"]], [s["id"] for s in plain["scenes"]])
        self.assertEqual(inside["scenes"][0]["clear"], plain["scenes"][0]["clear"])
        alone, _ = self.catalog(folder / (product.stem + ".zip"))
        self.assertEqual(alone["scenes"], inside["scenes"])

    def test_level_1c(self):
        folder = self.new("l1c")
        delivered.safe(folder, DAYS[0], self.image(DAYS[0]), self.image(DAYS[0], "_SCL"), level="1C")
        (scene,) = self.catalog(folder)[0]["scenes"]
        self.assertEqual((scene["surface"], scene["mask"], scene["collection"]), (False, "masked_is_1", "sentinel-2-l1c"))
        self.assertLess(scene["clear"], 1)
        self.assertEqual(self.roles(scene)["nir"]["offset"], -0.1)

    def test_before_baseline_4(self):
        folder = self.new("old")
        delivered.safe(folder, DAYS[0], self.image(DAYS[0]), self.image(DAYS[0], "_SCL"), offset=0)
        (scene,) = self.catalog(folder)[0]["scenes"]
        self.assertEqual(self.roles(scene)["nir"]["offset"], 0)

    def test_damaged_safe(self):
        """Each is set aside with its reason; the one that is whole is used."""
        folder = self.new("damaged")
        products = [delivered.safe(folder, day, self.image(day), self.image(day, "_SCL")) for day in DAYS]
        (products[1] / "MTD_MSIL2A.xml").unlink()
        metadata = products[2] / "MTD_MSIL2A.xml"
        metadata.write_text(metadata.read_text()[:900])
        metadata = products[3] / "MTD_MSIL2A.xml"
        metadata.write_text(metadata.read_text().replace("GRANULE/L2A", "../../GRANULE/L2A", 1))
        scenes, words = self.catalog(folder, code=3)
        self.assertEqual([s["date"] for s in scenes["scenes"]], ["2023-05-06"])
        self.assertEqual(sorted(r["code"] for r in scenes["rejected"]), ["incomplete", "leaves_folder", "not_xml"])
        self.assertRegex(words, r"has no MTD_MSIL1C\.xml or MTD_MSIL2A\.xml: it was not unpacked or downloaded whole")
        self.assertIn("is not inside the product", words)
        next(products[0].rglob("*_B04_10m.jp2")).unlink()
        _, words = self.catalog(folder, code=4)
        self.assertRegex(words, r"The asset \S+_B04_10m\.jp2 does not exist")

    # --- Landsat

    def test_landsat(self):
        folder = self.new("landsat")
        delivered.landsat(folder, DAYS[0], self.image(DAYS[0]))
        delivered.landsat(folder, DAYS[2], self.image(DAYS[2]), form="xml")
        delivered.landsat(folder, DAYS[3], self.image(DAYS[3]), sensor="TM", platform="LANDSAT_5")
        scenes, _ = self.catalog(folder)
        self.assertEqual([s["platform"] for s in scenes["scenes"]], ["landsat-8", "landsat-8", "landsat-5"])
        self.assertEqual(scenes["rejected"], [], "the bundle's own STAC files lead to the network and are not looked at")
        for scene in scenes["scenes"]:
            bands = self.roles(scene)
            self.assertEqual(sorted(bands), ["blue", "green", "nir", "red", "swir16", "swir22"])
            self.assertEqual((bands["red"]["scale"], bands["red"]["offset"]), (2.75e-05, -0.2))
            self.assertEqual((scene["mask"], scene["surface"]), ("qa_pixel", True))
            self.assertLess(scene["clear"], 1)
        self.assertTrue(self.roles(scenes["scenes"][2])["red"]["href"].endswith("_SR_B3.TIF"))
        self.assertTrue(self.roles(scenes["scenes"][0])["red"]["href"].endswith("_SR_B4.TIF"))

    def test_other_landsat(self):
        folder = self.new("other")
        delivered.landsat(folder, DAYS[0], self.image(DAYS[0]))
        delivered.landsat(folder, DAYS[1], self.image(DAYS[1]), level="L1TP")
        delivered.landsat(folder, DAYS[2], self.image(DAYS[2]), collection="01")
        scenes, words = self.catalog(folder, code=3)
        self.assertEqual(len(scenes["scenes"]), 1)
        self.assertEqual(sorted(r["code"] for r in scenes["rejected"]), ["collection", "level"])
        self.assertIn("get its Level-2", words)

    # --- GF

    def test_gaofen_with_rpc(self):
        folder = self.new("gf")
        for i, day in enumerate(DAYS):
            delivered.gaofen(folder, f"GF1_PMS1_E112.9_N33.0_{day}_L1A000{i}", self.image(day))
        scenes, _ = self.catalog(folder)
        self.assertEqual([(s["date"], s["platform"], s["reflectance"]) for s in scenes["scenes"]],
                         [(f"{d[:4]}-{d[4:6]}-{d[6:]}", "gf-1", False) for d in DAYS])
        scene = scenes["scenes"][0]
        self.assertEqual(sorted(self.roles(scene)), ["blue", "green", "nir", "red"])
        self.assertEqual(scene["crs"], "EPSG:32649")
        self.assertEqual(self.roles(scene)["red"]["gsd"], 10)
        view = gdal.Open(self.roles(scene)["red"]["href"])
        left, _, _, top, _, _ = view.GetGeoTransform()
        self.assertEqual((left % 10, top % 10), (0, 0), "all such images share one lattice")
        # The image lies where its RPC says: within a pixel of the true place of the simulated one.
        true, transform, _ = delivered.read(self.image(DAYS[0]))
        col, row = round((transform[0] - left) / 10), round((top - transform[3]) / 10)
        seen = view.GetRasterBand(3).ReadAsArray()[row:row + 256, col:col + 256].astype(float)
        inner = (slice(8, -8), slice(8, -8))
        self.assertGreater(numpy.corrcoef(seen[inner].ravel(), true[2][inner].astype(float).ravel())[0, 1], .95)

    def test_gaofen_moves_and_changes(self):
        """What an image holds counts, not where it lies: a moved archive is the same, an altered image is not."""
        folder = self.new("gf_one")
        path = delivered.gaofen(folder, f"GF1_PMS1_E112.9_N33.0_{DAYS[0]}_L1A0001", self.image(DAYS[0]))
        before = self.catalog(folder)[0]["scenes"][0]["fingerprint"]
        moved = self.new("gf_moved")
        shutil.copytree(path.parent, moved / path.parent.name)
        self.assertEqual(self.catalog(moved)[0]["scenes"][0]["fingerprint"], before)
        image = gdal.Open(str(moved / path.parent.name / path.name), gdal.GA_Update)
        image.GetRasterBand(1).WriteArray(numpy.full((4, 4), 77, "uint16"), 100, 100)
        image = None
        self.assertNotEqual(self.catalog(moved)[0]["scenes"][0]["fingerprint"], before)

    def test_gaofen_with_heights(self):
        """Heights count with what they hold: another DEM under the same name is another image."""
        folder = self.new("gf_dem")
        delivered.gaofen(folder, f"GF1_PMS1_E112.9_N33.0_{DAYS[0]}_L1A0001", self.image(DAYS[0]))
        _, transform, projection = delivered.read(self.image(DAYS[0]))
        dem = self.base / "heights & more.tif"
        place = (transform[0] - 5000, 100, 0, transform[3] + 5000, 0, -100)
        prints = []
        for height in (55, 900):
            delivered.write(dem, numpy.full((130, 130), height, "int16"), place, projection)
            (scene,) = self.catalog(folder, "--set", f"imagery.dem={dem}")[0]["scenes"]
            prints.append(scene["fingerprint"])
        self.assertNotEqual(*prints)
        (scene,) = self.catalog(folder)[0]["scenes"]  # a shorter view under the same name, in the same store
        self.assertNotIn(scene["fingerprint"], prints)
        _, words = self.catalog(folder, "--set", f"imagery.dem={dem}.none", code=4)
        self.assertIn("cannot be laid on the ground by its RPC", words)

    def test_check_leaves_nothing(self):
        folder = self.new("gf_check")
        delivered.gaofen(folder, f"GF1_PMS1_E112.9_N33.0_{DAYS[0]}_L1A0001", self.image(DAYS[0]))
        for i, day in enumerate(DAYS[1:], 2):
            delivered.gaofen(folder, f"GF1_PMS1_E112.9_N33.0_{day}_L1A000{i}", self.image(day))
        before = digests(folder)
        done = shuibao("check", "-c", self.config, "--set", f"imagery.catalog={folder}", "--store", self.base / "none",
                       "-o", self.base / "none_either")
        self.assertIn("4 scenes described, 4 usable", done.stdout)
        self.assertFalse((self.base / "none").exists())
        self.assertEqual(digests(folder), before)

    # --- images with a date in their names

    def tiles(self, name):
        """Pixels by tile and day: names tell the satellite as well."""
        return {(t.parent.name, t.name[:8]): gdal.Open(str(t)).ReadAsArray().tobytes()
                for t in (self.base / name / "store" / "tiles").rglob("*.tif")}

    def same_tiles_as_items(self, folder, name, *args):
        self.run_all(name, "--set", f"imagery.catalog={folder}", *args)
        self.reference_of_items()
        ours, theirs = self.tiles(name), self.tiles("items")
        self.assertEqual(sorted(ours), sorted(theirs))
        self.assertEqual([k for k in ours if ours[k] != theirs[k]], [])

    def test_plain_images(self):
        self.same_tiles_as_items(self.archive / "images", "of_images")

    def test_one_file_a_band(self):
        folder = self.new("bands")
        for day in DAYS:
            pixels, transform, projection = delivered.read(self.image(day))
            for plane, name in zip(pixels, ("B02", "B03", "B04", "B08", "B11", "B12")):
                delivered.write(folder / day[:4] / f"S2A_L2A_{day[:4]}-{day[4:6]}-{day[6:]}_{name}.tif", plane, transform, projection)
            shutil.copy(self.image(day, "_SCL"), folder / day[:4] / f"S2A_L2A_{day[:4]}-{day[4:6]}-{day[6:]}_SCL.tif")
        self.same_tiles_as_items(folder, "of_bands", "--set", "imagery.offset=-0.1", "--set", "imagery.scale=0.0001")

    def test_fractions(self):
        """Reflectance as floating-point numbers: fractions of one would all become 0 or 1 as integers."""
        folder = self.new("fractions")
        for day in DAYS:
            pixels, transform, projection = delivered.read(self.image(day))
            reflectance = numpy.where(pixels == 0, numpy.nan, pixels * 1e-4 - .1).astype("float32")
            delivered.write(folder / f"{day}.tif", reflectance, transform, projection)
            shutil.copy(self.image(day, "_SCL"), folder / f"{day}_SCL.tif")
        bands = ["--set", "imagery.bands=[blue, green, red, nir, swir16, swir22]"]
        store, output, _ = self.run_all("of_fractions", "--set", f"imagery.catalog={folder}", "--set", "imagery.scale=1", *bands)
        self.reference_of_items()
        tile = [sorted((self.base / name / "store" / "tiles").rglob("20240510_*.tif"))[5] for name in ("of_fractions", "items")]
        ours, theirs = (gdal.Open(str(t)).ReadAsArray().astype(int) for t in tile)
        dark = theirs[:6] < 1000  # below zero there is no step to hold it
        self.assertLessEqual(numpy.abs(ours[:6] - theirs[:6])[~dark].max(), 1)
        # Not said to be reflectance, they are numbers to be laid on each other, not zeros and ones.
        scenes, _ = self.catalog(folder, *bands)
        self.assertEqual((scenes["scenes"][0]["reflectance"], scenes["scenes"][0]["bands"][0]["gain"]), (False, 10000))

    def test_negative_no_data(self):
        """-9999 does not fit into 16 bits without a sign: it is no dark ground (HLS, FORCE)."""
        folder = self.new("signed")
        pixels, transform, projection = delivered.read(self.image(DAYS[0]))
        values = pixels.astype("int16") - 1000
        values[:, :, :128] = -9999
        path = folder / f"{DAYS[0]}.tif"
        delivered.write(path, values, transform, projection)
        image = gdal.Open(str(path), gdal.GA_Update)
        for i in range(1, 7):
            image.GetRasterBand(i).SetNoDataValue(-9999)
        image = None
        shutil.copy(self.image(DAYS[2]), folder / f"{DAYS[2]}.tif")
        store = self.base / "signed.store"
        self.addCleanup(shutil.rmtree, store)
        args = ["--set", f"imagery.catalog={folder}", "--store", store, "--set", "imagery.scale=0.0001", "-q",
                "--set", "imagery.bands=[blue, green, red, nir, swir16, swir22]"]
        shuibao("catalog", *args)
        shuibao("tile", *args)
        (tile,) = (store / "tiles").rglob(f"{DAYS[0]}_*.tif")
        quality = gdal.Open(str(tile)).ReadAsArray()[6]
        self.assertEqual(int((quality > 0).sum()), 128 * 256)

    def test_names(self):
        """What a name says: the first day in it, the satellite, masks and bands by its last words."""
        folder = self.new("names")
        pixels, transform, projection = delivered.read(self.image(DAYS[0]))
        expected = {"20240131": ("2024-01-31", "unknown"), "GF2_PMS2_E1_20240131112310_x": ("2024-01-31", "gf-2"),
                    "zy302a_mux_1_20190520112310_2": ("2019-05-20", "zy-3"), "LC09_L2SP_125037_20230405_20230501": ("2023-04-05", "landsat-9"),
                    "S2B_L1C_2023-04-06": ("2023-04-06", "sentinel-2b"), "a 2023_04_07": ("2023-04-07", "unknown"),
                    "no20240132": None, "12345678": None, "v202401311": None, "2023-04.07": None}
        for i, name in enumerate(expected):
            values = pixels[:1] + i  # twins would be duplicates
            delivered.write(folder / f"{name}.tif", values, transform, projection)
        (folder / "GF1_WFV1_20240131.tar.gz").write_bytes(b"")
        scenes, words = self.catalog(folder, "--set", "imagery.bands=red", code=3)
        self.assertEqual({s["id"]: (s["date"], s["platform"]) for s in scenes["scenes"]},
                         {name: told for name, told in expected.items() if told})
        self.assertEqual(sorted(r["code"] for r in scenes["rejected"]), ["no_date"] * 4 + ["packed"])
        self.assertIn("GF1_WFV1_20240131.tar.gz is compressed as a whole: unpack it", words)

    def test_a_mask_beside_an_image(self):
        folder = self.new("masks")
        pixels, transform, projection = delivered.read(self.image(DAYS[0]))
        cloud = numpy.zeros((256, 256), "uint8")
        cloud[:64] = 1
        for day, suffix, mask in ((DAYS[0], "cloud", cloud), (DAYS[1], "valid", 1 - cloud), (DAYS[2], "QA_PIXEL", None)):
            delivered.write(folder / f"{day}.tif", pixels[:4] + int(day[-1]), transform, projection)
            values = numpy.where(cloud == 1, 22280, 21824).astype("uint16") if mask is None else mask
            delivered.write(folder / f"{day}_{suffix}.tif", values, transform, projection)
        scenes, _ = self.catalog(folder, "--set", "imagery.bands=[blue,green,red,nir]")
        self.assertEqual([(s["mask"], round(s["clear"], 2)) for s in scenes["scenes"]],
                         [("masked_is_1", .75), ("valid_is_1", .75), ("qa_pixel", .75)])

    def test_what_is_not_said(self):
        folder = self.new("vague")
        pixels, transform, projection = delivered.read(self.image(DAYS[0]))
        delivered.write(folder / f"plain_{DAYS[0]}.tif", pixels[:4], transform, projection)
        delivered.write(folder / "plain.tif", pixels[:4], transform, projection)
        _, words = self.catalog(folder, code=4)
        self.assertIn("does not say what its 4 bands are: name them in the file, or in imagery.bands", words)
        self.assertIn("holds no date", words)
        scenes, _ = self.catalog(folder, "--set", "imagery.bands=[blue, green, red, nir]", code=3)
        self.assertEqual(sorted(self.roles(scenes["scenes"][0])), ["blue", "green", "nir", "red"])
        _, words = self.catalog(folder, "--set", "imagery.bands=[blue, green, rot, nir]", code=2)
        self.assertIn("there is no band 'rot'", words)
        _, words = self.catalog(folder, "--set", "imagery.bands=[blue, green]", code=4)
        self.assertIn("has 4 bands, imagery.bands names 2", words)

    def test_images_beside_items_are_theirs(self):
        scenes, _ = self.catalog(self.archive)
        self.assertEqual(len(scenes["scenes"]), 4)
        self.assertEqual(scenes["rejected"], [])

    # --- a catalogue inside an archive

    def test_items_in_a_zip(self):
        packed = self.new("packed") / "archive.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as z:
            for path in sorted([*(self.archive / "catalog").iterdir(), *(self.archive / "images").iterdir()]):
                z.write(path, path.relative_to(self.archive))
        self.same_as_items(f"/vsizip/{packed}/catalog", "of_zip")


SHARED = SOURCE.parent / "shared" / "data" / "oscd_beihai"


@unittest.skipUnless((SHARED / "catalog").is_dir(), "real images are not here: ../shared/data/oscd_beihai")
class RealImages(unittest.TestCase):
    def test_without_items_as_with_them(self):
        """Sentinel-2 of Beihai, three files a date (10, 20, 60 m), bands by their descriptions: the Items that come with
        the images are the oracle."""
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as name:
            base = Path(name)
            (base / "images").mkdir()
            for image in SHARED.glob("2*_S2_L1C_*.tif"):
                (base / "images" / image.name).symlink_to(image)
            found = []
            for which, catalogue in (("without", base / "images"), ("with", SHARED / "catalog")):
                shuibao("run", "--store", base / which / "store", "-o", base / which / "output", "-q", "--set",
                        f"imagery.catalog={catalogue}", "--set", f"approvals.path={SHARED / 'approvals.shp'}")
                data = ogr.Open(str(base / which / "output" / "disturbances.gpkg"))
                found.append(sorted((f["verdict"], f["confidence"], f.GetGeometryRef().ExportToWkt())
                                    for f in data.GetLayerByName("disturbances")))
            self.assertGreater(len(found[0]), 100)
            self.assertEqual(*found)


if __name__ == "__main__":
    main()
