# SPDX-License-Identifier: Apache-2.0
"""Maps and projects of a batch with pixels: Cloud Optimized GeoTIFFs against the change maps in the store, read by GDAL;
the Item's place and time against grid and looks; the projects opened by QGIS where it is installed."""
import copy
import json
import re
import subprocess
import textwrap
import unittest
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
from osgeo import gdal

from harness import ArchiveTest, main, shuibao
import stac_schema

gdal.UseExceptions()

KINDS = {"无变化": 0, "植被变裸地": 1, "植被变建筑": 2, "裸地变建筑": 3, "裸露面变化": 4, "水面变裸地": 5, "未观测": 255}

OPEN_IN_QGIS = textwrap.dedent("""
    import json, os, sys
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from qgis.core import QgsApplication, QgsProject
    QgsApplication.setPrefixPath("/usr", True)
    app = QgsApplication([], False)
    app.initQgis()
    talk = []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: talk.append(text) if level else None)
    found = {}
    for path in sys.argv[1:]:
        project = QgsProject.instance()
        project.clear()
        ok = project.read(path)
        layers = {l.name(): {"valid": l.isValid(), "crs": l.crs().authid(), "renderer": type(l.renderer()).__name__,
                             "read_only": bool(getattr(l, "readOnly", lambda: False)()),
                             "labels": bool(getattr(l, "labelsEnabled", lambda: False)()),
                             "titles": [f.alias() for f in l.fields()][1:] if hasattr(l, "fields") else []}
                  for l in project.mapLayers().values()}
        found[os.path.basename(path)] = {"read": ok, "title": project.title(), "crs": project.crs().authid(), "layers": layers}
    print(json.dumps({"projects": found, "talk": talk}))
    app.exitQgis()
    """)


class Products(ArchiveTest):
    size, sites = 256, 6

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store, cls.output, _ = cls.run_all("run", "-j", 2)
        cls.export = cls.output / "export"

    def planes(self, *bands):
        """Bands of the whole area, evidence first, put together from the store's tiles."""
        whole = np.zeros((len(bands), self.size, self.size), np.uint16)
        whole[0] = 65535
        left, top = 680000, 3660000
        for path in (self.store / "batches" / "202405" / "changes").glob("*.tif"):
            d = gdal.Open(str(path))
            x, _, _, y, _, _ = d.GetGeoTransform()
            col, row = round((x - left) / 10), round((top - y) / 10)
            c0, r0, c1, r1 = max(col, 0), max(row, 0), min(col + d.RasterXSize, self.size), min(row + d.RasterYSize, self.size)
            if c0 >= c1 or r0 >= r1:
                continue
            for i, band in enumerate(bands):
                whole[i, r0:r1, c0:c1] = d.GetRasterBand(band).ReadAsArray(c0 - col, r0 - row, c1 - c0, r1 - r0)
        return whole

    def test_maps(self):
        evidence, confidence, kind = self.planes(1, 2, 6)
        self.assertGreater(np.count_nonzero(kind), 100)
        seen = evidence != 65535
        want = {"change": np.where(seen, np.where(evidence >= 32768, kind, 0), 255),
                "confidence": np.where(seen, (confidence + 50) // 100, 255)}
        for name, values in want.items():
            d = gdal.Open(str(self.export / f"{name}_202405.tif"))
            self.assertEqual("COG", d.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE"))
            self.assertEqual((680000, 10, 0, 3660000, 0, -10), d.GetGeoTransform())
            self.assertEqual("32649", d.GetSpatialRef().GetAuthorityCode(None))
            np.testing.assert_array_equal(values, d.ReadAsArray())
        data = gdal.Open(str(self.export / "change_202405.tif"))  # held: a band lives no longer than its file
        change = data.GetRasterBand(1)
        names = {int(n): text for n, text in (e.split() for e in data.GetMetadataItem("LEGEND").split("; "))}
        self.assertEqual(KINDS, {text: n for n, text in names.items()})
        colours = change.GetColorTable()
        self.assertEqual((215, 25, 28, 255), colours.GetColorEntry(1))
        # The style beside it says the same colours and names as the file.
        for entry in ET.parse(self.export / "change_202405.qml").getroot().iter("paletteEntry"):
            value = int(entry.get("value"))
            self.assertEqual(names[value], entry.get("label"))
            if value:
                self.assertEqual("#%02x%02x%02x" % colours.GetColorEntry(value)[:3], entry.get("color"))
            else:
                self.assertEqual("0", entry.get("alpha"))
        self.assertEqual((0, "变化类型"), (change.GetNoDataValue(), change.GetDescription()))
        data = gdal.Open(str(self.export / "confidence_202405.tif"))
        band = data.GetRasterBand(1)
        self.assertEqual((255, "变化置信度（%）"), (band.GetNoDataValue(), band.GetDescription()))

    def test_onsets(self):
        """The month of onset_to where the change map shows a kind, counted from the first look (May 2023), and the same words
        and colours in file and style."""
        evidence, days = self.planes(1, 5)
        months = (np.datetime64("1970-01-01") + days.astype("timedelta64[D]")).astype("datetime64[M]")
        code = (months - np.datetime64("2023-05")).astype(int) + 1
        want = np.where(evidence == 65535, 255, np.where((evidence >= 32768) & (days > 0), code, 0))
        self.assertEqual({13}, set(np.unique(want)) - {0, 255})  # May 2024 is the thirteenth month
        data = gdal.Open(str(self.export / "onset_202405.tif"))
        self.assertEqual("COG", data.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE"))
        self.assertEqual("2023-05", data.GetMetadataItem("MONTH_OF_1"))
        np.testing.assert_array_equal(want, data.ReadAsArray())
        band = data.GetRasterBand(1)
        self.assertEqual((0, "首次见到扰动的月份"), (band.GetNoDataValue(), band.GetDescription()))
        colours = band.GetColorTable()
        entries = {int(e.get("value")): e for e in ET.parse(self.export / "onset_202405.qml").getroot().iter("paletteEntry")}
        self.assertEqual([0, *range(1, 14), 255], sorted(entries))
        self.assertEqual(["2023-05", "2024-05", "未观测"], [entries[n].get("label") for n in (1, 13, 255)])
        for value in range(1, 14):
            self.assertEqual("#%02x%02x%02x" % colours.GetColorEntry(value)[:3], entries[value].get("color"))
        self.assertEqual(13, len({entries[n].get("color") for n in range(1, 14)}))

    def test_item(self):
        item = json.loads((self.export / "stac" / "shuibao_202405.json").read_text())
        properties = item["properties"]
        self.assertEqual([self.size, self.size], properties["proj:shape"])
        self.assertEqual([10, 0, 680000, 0, -10, 3660000], properties["proj:transform"])
        looks = sorted(p.name.split("_")[0] for p in self.store.glob("tiles/*/*.tif"))
        self.assertEqual([looks[0], looks[-1]], [properties[k][:10].replace("-", "") for k in ("start_datetime", "end_datetime")])
        self.assertLessEqual({"change_202405.tif", "confidence_202405.tif", "onset_202405.tif", "change_202405.qml",
                              "disturbances.gpkg", "RDTB_202405.zip"}, set(item["assets"]))
        # What GDAL reads in a file is what the Item says of it.
        for name in ("change", "confidence", "onset"):
            asset = item["assets"][f"{name}_202405.tif"]
            data = gdal.Open(str(self.export / "stac" / asset["href"]))
            band, = asset["raster:bands"]
            self.assertEqual([band["description"], band["nodata"], 10],
                             [data.GetRasterBand(1).GetDescription(), data.GetRasterBand(1).GetNoDataValue(), band["spatial_resolution"]])
            self.assertEqual("uint8", band["data_type"])
        # Every look that could have been used; nothing of where this machine has it.
        scenes = {s["id"] for s in json.loads((self.store / "scenes.json").read_text())["scenes"]}
        self.assertEqual(scenes, set(properties["shuibao:sources"]))
        self.assertEqual([], [l for l in item["links"] if l["rel"] == "derived_from"])
        self.assertNotIn(str(self.base), json.dumps(item))
        self.assertEqual(["shuibao"], list(properties["processing:software"]))
        self.assertTrue(properties["processing:lineage"])

    def test_item_is_derived_from_what_is_published(self):
        """Items that say by `self` where they are to be found are linked, as Items and in a collection of them; what else stands
        there is no link."""
        scenes = self.store / "scenes.json"
        kept = {scenes: scenes.read_bytes()}
        self.addCleanup(lambda: [path.write_bytes(data) for path, data in kept.items()])
        known = json.loads(kept[scenes])
        items = []
        for i, scene in enumerate(known["scenes"]):
            path = Path(scene["source"])
            kept[path] = path.read_bytes()
            item = json.loads(kept[path])
            item["links"].append({"rel": "self", "href": f"https://example.invalid/items/{scene['id']}"})
            if i == 0:
                item["links"] = [7, {"rel": "self"}, {"rel": "self", "href": "file:///etc/passwd"}]
            path.write_text(json.dumps(item))
            items.append(item)
        for together in (False, True):
            if together:
                collected = self.base / "collected.json"
                collected.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
                for scene in known["scenes"]:
                    scene["source"] = str(collected)
                scenes.write_text(json.dumps(known))
            output = self.base / f"linked{together}"
            output.mkdir()
            (output / "disturbances.gpkg").write_bytes((self.output / "disturbances.gpkg").read_bytes())
            shuibao("export", self.config, "-q", "-o", output, "--store", self.store, "--set", "export.formats=[stac]")
            linked = json.loads((output / "export/stac/shuibao_202405.json").read_text())
            self.assertEqual({s["id"]: f"https://example.invalid/items/{s['id']}" for s in known["scenes"][1:]},
                             {l["title"]: l["href"] for l in linked["links"] if l["rel"] == "derived_from"})

    def test_balloons_show_the_pictures(self):
        """Before and after lie in the KMZ as the evidence exporter cut them, small enough for a phone, and each balloon shows its own."""
        folder = self.export / "RDTB_202405"
        with zipfile.ZipFile(folder / "RDTB_202405.kmz") as z:
            names = z.namelist()
            document = ET.fromstring(z.read("doc.kml"))
            kml = "{http://www.opengis.net/kml/2.2}"
            seen = []
            for mark in document.iter(f"{kml}Placemark"):
                case = re.search(r"\d{6}-\d{5}", mark.find(f"{kml}name").text or "")
                pictures = re.findall(r'<img src="([^"]*)"', mark.find(f"{kml}description").text)
                if not case:
                    continue
                self.assertEqual([f"files/{case[0]}_before.jpg", f"files/{case[0]}_after.jpg"], pictures)
                seen += pictures
                for name in pictures:
                    data = z.read(name)
                    self.assertEqual((folder / "evidence" / name.split("/")[1]).read_bytes(), data)
                    self.assertLess(len(data), 60000)
                    gdal.FileFromMemBuffer("/vsimem/chip.jpg", data)
                    picture = gdal.Open("/vsimem/chip.jpg").ReadAsArray().astype(int)
                    gdal.Unlink("/vsimem/chip.jpg")
                    # The outline of the disturbance: yellow that no ground has.
                    yellow = (picture[0] > 200) & (picture[1] > 170) & (picture[2] < 90)
                    self.assertGreater(np.count_nonzero(yellow), 50, name)
            self.assertGreater(len(seen), 0)
            self.assertEqual(sorted(["doc.kml", "disc.png", *seen]), sorted(names))

    @unittest.skipIf(stac_schema.missing(), stac_schema.missing())
    def test_stac_is_valid_and_the_schemas_notice_what_is_not(self):
        """Item, Collection and projection fields against the schemas of tests/support/stac; each of these faults is one
        that the specification's tables forbid (stac-spec 1.0.0, projection 1.2.0)."""
        item, collection = (json.loads((self.export / "stac" / name).read_text()) for name in ("shuibao_202405.json", "collection.json"))
        for document in (item, collection):
            self.assertEqual([], stac_schema.problems(document))

        def broken(document, *path, to=None):
            wrong = copy.deepcopy(document)
            at = wrong
            for key in path[:-1]:
                at = at[key]
            if to is None:
                del at[path[-1]]
            else:
                at[path[-1]] = to
            return stac_schema.problems(wrong)

        for key in ("id", "geometry", "bbox", "links", "assets", "properties", "stac_version", "collection"):
            self.assertTrue(broken(item, key), key)
        for key in ("id", "description", "license", "extent", "links", "stac_version"):
            self.assertTrue(broken(collection, key), key)
        for key, value in (("datetime", None), ("start_datetime", None), ("end_datetime", "2024-05-25"), ("start_datetime", "2024-05-25T00:00:00+08:00"),
                           ("proj:epsg", "32649"), ("proj:code", 32649), ("proj:shape", [256.5, 256]), ("proj:transform", [10, 0, 1]), ("proj:srs", "x")):
            self.assertTrue(broken(item, "properties", key, to=value), key)
        self.assertIn("properties/proj:code", broken(item, "properties", "proj:code", to="32649")[0])
        self.assertTrue(broken(item, "bbox", to=item["bbox"][:3]))
        self.assertTrue(broken(item, "stac_extensions", to=[]))
        self.assertTrue(broken(item, "assets", "change_202405.tif", "href"))
        self.assertTrue(broken(item, "links", 0, "rel"))
        self.assertTrue(broken(collection, "license", to="all rights reserved"))
        self.assertTrue(broken(collection, "extent", "temporal", "interval", to=[["2024-05-25", None]]))
        self.assertTrue(broken(collection, "extent", "spatial", "bbox", to=[]))

    def test_qgis_opens_the_projects(self):
        paths = [self.export / "shuibao_202405.qgs", self.export / "RDTB_202405" / "RDTB_202405.qgs"]
        done = subprocess.run(["/usr/bin/python3", "-c", OPEN_IN_QGIS, *map(str, paths)], capture_output=True, text=True, timeout=120)
        if "No module named 'qgis'" in done.stderr:
            self.skipTest("python3-qgis is not installed: the projects were not opened")
        self.assertEqual(0, done.returncode, done.stderr)
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual([], result["talk"])
        batch, county = (result["projects"][p.name] for p in paths)
        around = {"防治责任范围", "县界"}
        self.assertEqual({"疑似图斑", "全部扰动图斑", "未观测区域", "变化类型", "首次见到扰动的月份", "变化置信度（%）",
                          *(f"{name} RDTB_202405" for name in around)}, set(batch["layers"]))
        self.assertEqual({"疑似图斑", "全部扰动图斑", *around}, set(county["layers"]))
        for name in around:
            self.assertTrue(county["layers"][name]["read_only"], name)
        self.assertFalse(county["layers"]["疑似图斑"]["read_only"])
        for project in (batch, county):
            self.assertIn("疑似图斑分布图", project["title"])
            self.assertNotIn("台账", project["title"])
        for project in (batch, county):
            self.assertTrue(project["read"])
            self.assertEqual("EPSG:32649", project["crs"])
            for name, layer in project["layers"].items():
                self.assertTrue(layer["valid"], name)
                self.assertEqual("EPSG:32649", layer["crs"])
            self.assertTrue(project["layers"]["疑似图斑"]["labels"])
            for name in ("疑似图斑", "全部扰动图斑"):
                self.assertEqual("QgsCategorizedSymbolRenderer", project["layers"][name]["renderer"])
                self.assertNotIn("", project["layers"][name]["titles"])
        for name in ("变化类型", "首次见到扰动的月份"):
            self.assertEqual("QgsPalettedRasterRenderer", batch["layers"][name]["renderer"])
        self.assertEqual("QgsSingleBandPseudoColorRenderer", batch["layers"]["变化置信度（%）"]["renderer"])

    def test_no_pixels_no_maps(self):
        """Polygons of another origin: the maps are not there, and nothing says that they are."""
        output = self.base / "foreign"
        output.mkdir()
        (output / "disturbances.gpkg").write_bytes((self.output / "disturbances.gpkg").read_bytes())
        shuibao("export", self.config, "-q", "-o", output, "--store", self.base / "empty", "--batch", "202405")
        self.assertEqual([], sorted(output.glob("export/*.tif")))
        item = json.loads((output / "export" / "stac" / "shuibao_202405.json").read_text())
        self.assertNotIn("proj:shape", item["properties"])
        self.assertEqual("2024-05-01T00:00:00Z", item["properties"]["start_datetime"])
        if not stac_schema.missing():
            self.assertEqual([], stac_schema.problems(item))


if __name__ == "__main__":
    main()
