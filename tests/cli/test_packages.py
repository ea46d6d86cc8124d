# SPDX-License-Identifier: Apache-2.0
"""What counties receive, read back by other programs: GDAL's Python for vectors, openpyxl for the ledger, XML and zip
parsers for the rest. Field tables and value lists: domain.md 2.1–2.5; zones: EPSG 4546 (111° E) and 4547 (114° E)."""
import csv
import datetime
import hashlib
import html
import html.parser
import io
import json
import os
import re
import signal
import subprocess
import time
import unittest
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from osgeo import gdal, ogr, osr

from harness import SOURCE, command, digests, environment, files, main, shuibao, temporaries
import stac_schema
from package_world import COUNTIES, HOSTILE, make, plain, rows

QTYPES = {"弃渣场", "其他扰动", "弃土（渣）场", "取土（石）场", "非生产建设项目"}
STATES = {None, "施工", "停工", "完工", "未开工", "已验收"}
CHANGES = {None, "新增", "续建（范围扩大）", "续建（范围缩小）", "续建（范围不变）", "完工", "停工"}
SUSPECTED = {"合规", "疑似未批先建", "疑似超出防治责任范围", "疑似建设地点变更", "疑似未批先弃", "疑似先建后批", "待核"}
PROJECT_TYPES = {None, "公路工程", "露天非金属矿", "房地产工程"}  # of the 36, those that the approvals name
# 现场复核 (domain.md 2.3), for the field team to fill; 现场情况 (XCQK) is ours.
RECORD = ["XXDZ", "PFQK", "XCQK", "ZPBH", "XMLXR", "LXFS", "CZ", "XCFHR", "DATE", "LXFS_1"]
CASE = re.compile(r"^(\d+ )?(\d{6}-\d{5}) ")  # turn and number before the verdict
PALETTE = {tier: colours[0] for tier, colours in
           yaml.safe_load((SOURCE / "configs" / "dictionaries" / "deliverables.yaml").read_text())["colours"].items()}
KML = "{http://www.opengis.net/kml/2.2}"
GPX = "{http://www.topografix.com/GPX/1/1}"


class Text(html.parser.HTMLParser):
    """The words of a balloon, and the tags in it."""
    def __init__(self, source):
        super().__init__()
        self.words, self.tags = [], set()
        self.feed(source)

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.tags.update(f"{tag}.{name}" for name, _ in attrs)


class Packages(unittest.TestCase):
    maxDiff = 3000

    @classmethod
    def setUpClass(cls):
        cls.folder = TemporaryDirectory(prefix="shuibao_test_")
        cls.base = Path(cls.folder.name) / "world"
        cls.config = make(cls.base)
        cls.export = cls.base / "output" / "export"
        cls.talk = shuibao("export", cls.config, "-q").stderr
        cls.disturbances = [v for v, _ in rows(cls.base / "output" / "disturbances.gpkg", "disturbances")]
        cls.suspects = [v for v, _ in rows(cls.base / "output" / "disturbances.gpkg", "suspects")]
        cls.by_case = {v["case_id"]: v for v in cls.suspects}
        # Stem of each county's files, told by what is in them: the third has a name that no file may have.
        cls.stems = {rows(p, "disturbances")[0][0]["county"]: p.stem for p in sorted(cls.export.glob("*/*.gpkg"))}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def of_county(self, what, county):
        return [v for v in what if v["county"] == county]

    def visited(self, county):
        """Suspects that somebody goes to: 低 gets a letter (rules.md §6)."""
        return [v for v in self.of_county(self.suspects, county) if v["tier"] in ("高", "中")]

    def test_world(self):
        """The world is what the other tests take it for."""
        self.assertEqual("", self.talk)
        self.assertEqual(set(COUNTIES), {v["county"] for v in self.disturbances})
        self.assertEqual(24, len(self.disturbances))
        self.assertGreaterEqual(len(self.suspects), 20)
        self.assertEqual({"高", "中", "低"}, {v["tier"] for v in self.suspects})
        letters = [len(self.of_county(self.suspects, county)) - len(self.visited(county)) for county in COUNTIES]
        self.assertTrue(any(letters) and all(self.visited(county) for county in COUNTIES))
        self.assertEqual(set(HOSTILE), {v["approval_name"] for v in self.suspects} - {None})
        self.assertEqual({"RDTB_西峡县_202405", "RDTB_跨带县_202405"}, {self.stems["西峡县"], self.stems["跨带县"]})
        self.assertRegex(self.stems["=1+1/../<b>县"], r"^RDTB_=1\+1_\.\.__b_县_[0-9a-f]{8}_202405$")

    def test_list(self):
        formats = {f["name"]: f for f in json.loads(shuibao("export", "--list", "--json").stdout)}
        self.assertLessEqual({"shapefile", "gpkg", "kmz", "gpx", "xlsx", "package", "csv", "geojson", "flatgeobuf", "change_map",
                              "stac", "qgis"}, set(formats))
        self.assertEqual(["export.shapefile.encoding", "export.shapefile.layer"], formats["shapefile"]["options"])
        self.assertEqual("county", formats["kmz"]["per"])
        for f in formats.values():
            self.assertTrue(f["summary"] and f["purpose"])
        text = shuibao("export", "--list").stdout
        self.assertIn("export.shapefile.encoding: Encoding of the texts", text)

    def test_chosen_formats_only(self):
        output = self.base / "chosen"
        output.mkdir()
        (output / "disturbances.gpkg").write_bytes((self.base / "output" / "disturbances.gpkg").read_bytes())
        shuibao("export", self.config, "-q", "-o", output, "--set", "export.formats=[gpx, package]")
        names = files(output / "export")
        self.assertEqual({".gpx", ".zip"}, {Path(n).suffix for n in names})
        with zipfile.ZipFile(output / "export" / "RDTB_西峡县_202405.zip") as z:
            self.assertEqual(["RDTB_西峡县_202405/RDTB_西峡县_202405.gpx", "RDTB_西峡县_202405/说明.txt"], sorted(z.namelist()))

    def shapefiles(self, folder, county):
        return sorted((folder / self.stems[county]).glob("*.shp"))

    def test_shapefiles_in_both_encodings(self):
        warnings = []
        gdal.PushErrorHandler(lambda level, code, text: warnings.append(text))
        self.addCleanup(gdal.PopErrorHandler)
        gbk = self.base / "gbk"
        gbk.mkdir(exist_ok=True)
        (gbk / "disturbances.gpkg").write_bytes((self.base / "output" / "disturbances.gpkg").read_bytes())
        shuibao("export", self.config, "-q", "-o", gbk, "--set", "export.shapefile.encoding=GBK", "--set", "export.formats=shapefile",
                "--store", self.base / "gbk_store")
        for encoding, folder in (("UTF-8", self.export), ("GBK", gbk / "export")):
            found = []
            for county in COUNTIES:
                meridians = []
                orders = []
                for shp in (self.shapefiles(self.export, county) if encoding == "UTF-8" else self.shapefiles(folder, county)):
                    meridian = int(shp.stem[-3:])
                    meridians.append(meridian)
                    for values, shape in self.check_shapefile(shp, encoding, meridian):
                        found.append(values["QDNM"])
                        self.assertEqual(county, self.by_case.get(values["QDNM"], {"county": county})["county"])
                        if values["LXSX"] is not None:
                            orders.append(values["LXSX"])
                self.assertEqual({"西峡县": [111], "跨带县": [111, 114]}.get(county, [114]), meridians)
                self.assertEqual(list(range(1, len(self.visited(county)) + 1)), sorted(orders))
            self.assertEqual(sorted(v["case_id"] for v in self.disturbances), sorted(found))
        self.assertEqual([], warnings)

    def check_shapefile(self, shp, encoding, meridian):
        self.assertEqual(encoding, shp.with_suffix(".cpg").read_text().strip())
        self.assertIn('attr="FXDJ"', shp.with_suffix(".qml").read_text())
        reference = osr.SpatialReference(shp.with_suffix(".prj").read_text())
        self.assertEqual(meridian, reference.GetProjParm("central_meridian"))
        self.assertIn({111: "4546", 114: "4547"}[meridian],
                      [match.GetAuthorityCode(None) for match, sure in reference.FindMatches() if sure >= 70])
        originals = {v["case_id"]: v for v in self.disturbances}
        back = osr.SpatialReference()
        back.ImportFromEPSG(4490)
        back.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        result = rows(shp)
        for values, shape in result:
            original = originals[values["QDNM"]]
            for field, known in (("QTYPE", QTYPES), ("QDCS", STATES), ("QDTYPE", CHANGES), ("BYD", SUSPECTED), ("PRTYPE", PROJECT_TYPES)):
                self.assertIn(values[field], known)
            for field in ("QDNM", "QTYPE", "QAREA", "EAREA", "BYD", "RST", "FXDJ", "PXH", "QSX", "HSX", "JD", "WD"):
                self.assertIsNotNone(values[field], field)
            for field in RECORD:
                self.assertIsNone(values[field], field)
            self.assertEqual((original["state"], original["due"]), (values["BLZT"], values["BLQX"]))
            self.assertEqual({"spoil": "弃渣场", "取土场": "取土（石）场"}.get(original["qtype"], "其他扰动"), values["QTYPE"])
            implied = {"新增": "施工", "续建（范围扩大）": "施工"}.get(original["change_type"])
            self.assertEqual(original["construction"] or implied, values["QDCS"])
            self.assertEqual(original["verdict_zh"], values["BYD"])
            for short, long, width in (("PRNM", "approval_name", 254), ("DPOZ", "owner", 120)):
                want = original[long] and plain(original[long])
                if want is not None:
                    if encoding == "GBK":
                        want = "".join(c if c.encode("gbk", "ignore") else "?" for c in want)
                    while len(want.encode(encoding)) > width:
                        want = want[:-1]
                self.assertEqual(want, values[short])
            self.assertAlmostEqual(original["area_m2"] / 1e4, values["QAREA"], delta=5.1e-5)
            self.assertTrue(shape.IsValid())
            # Gauss–Krüger within 1.5° of its meridian is true to 0.04 % in area.
            self.assertAlmostEqual(1, shape.GetArea() / original["area_m2"], delta=5e-4)
            shape.Transform(osr.CoordinateTransformation(reference, back))
            inside = ogr.Geometry(ogr.wkbPoint)
            inside.AddPoint_2D(values["JD"], values["WD"])
            self.assertTrue(shape.Contains(inside))
            self.assertLessEqual(abs(values["JD"] - meridian), 1.5)
        return result

    def test_geopackage(self):
        labels = {}
        for county, stem in self.stems.items():
            path = self.export / stem / f"{stem}.gpkg"
            expected = self.of_county(self.suspects, county)
            got = [v for v, _ in rows(path, "suspects")]
            self.assertEqual([v["case_id"] for v in expected], [v["case_id"] for v in got])
            for want, have in zip(expected, got):
                self.assertEqual({k: plain(v) if isinstance(v, str) else v for k, v in want.items()},
                                 {k: have[k] for k in want})
                self.assertEqual({None}, {have[k] for k in ["BYD"] + RECORD})
            self.assertEqual(list(range(1, len(self.visited(county)) + 1)), sorted(v["route"] for v in got if v["route"] is not None))
            self.assertEqual({v["case_id"] for v in self.visited(county)}, {v["case_id"] for v in got if v["route"] is not None})
            self.assertEqual(len(self.of_county(self.disturbances, county)), len(rows(path, "disturbances")))
            data = ogr.Open(str(path))
            for style in data.GetLayerByName("layer_styles"):
                tree = ET.fromstring(style["styleQML"].split("\n", 1)[1])
                labels[style["f_table_name"]] = {a.get("field"): a.get("name") for a in tree.iter("alias")}
        self.assertEqual({"suspects", "disturbances", "ranges", "county"}, set(labels))
        self.assertEqual("路线序", labels["suspects"]["route"])
        self.assertEqual("项目名称", labels["disturbances"]["approval_name"])
        for fields in labels.values():
            for field, title in fields.items():
                self.assertNotEqual(field, title, "a field without a Chinese title in deliverables.yaml")

    def test_visits_go_tier_by_tier_to_the_nearest(self):
        """Against a way walked here: within a tier, from the last stop to the nearest; the first is the first in rank."""
        import math
        for county, stem in self.stems.items():
            left = [v for v, _ in rows(self.export / stem / f"{stem}.gpkg", "suspects") if v["tier"] != "低"]
            way, at = [], None
            while left:
                same = [v for v in left if v["tier"] == left[0]["tier"]]
                def far(v):
                    return 0 if at is None else math.hypot((v["longitude"] - at["longitude"]) * math.cos(math.radians(at["latitude"])),
                                                           v["latitude"] - at["latitude"])
                at = same[0] if at is None else min(same, key=far)
                left.remove(at)
                way.append(at["case_id"])
            got = sorted((v["route"], v["case_id"]) for v, _ in rows(self.export / stem / f"{stem}.gpkg", "suspects") if v["route"])
            self.assertEqual(way, [case for _, case in got])

    def by_turn(self, county):
        stem = self.stems[county]
        turn = {v["case_id"]: v["route"] for v, _ in rows(self.export / stem / f"{stem}.gpkg", "suspects")}
        return sorted(self.of_county(self.suspects, county), key=lambda v: turn[v["case_id"]] or 1e9)

    def test_ledger(self):
        try:
            import openpyxl
        except ImportError:
            self.skipTest("python3-openpyxl is not installed: nothing here reads XLSX")
        books = {county: self.export / stem / f"{stem}.xlsx" for county, stem in self.stems.items()}
        books[None] = self.export / "RDTB_202405.xlsx"
        for county, path in books.items():
            # By what the first column counts: the way of the county, the rank over all of them.
            expected = self.by_turn(county) if county else self.suspects
            book = openpyxl.load_workbook(path)
            self.assertEqual(["汇总", "图斑台账"], book.sheetnames)
            for sheet in book:
                for row in sheet.iter_rows():
                    for cell in row:
                        self.assertNotEqual("f", cell.data_type, f"{cell.coordinate} is a formula")
                        self.assertIsNone(cell.hyperlink)
            sheet = book["图斑台账"]
            header = [c.value for c in sheet[1]]
            self.assertEqual(sheet.cell(2, header.index("图斑编号") + 2).coordinate, sheet.freeze_panes)
            self.assertEqual(["路线序", "排名"] if county else ["排名", "县内路线序"], header[:2])
            turns = [n for n in (row[0].value for row in sheet.iter_rows(min_row=2)) if n is not None]
            self.assertEqual(list(range(1, (len(self.visited(county)) if county else len(expected)) + 1)), turns)
            self.assertEqual(f"A1:{sheet.cell(1, len(header)).column_letter}{len(expected) + 1}", sheet.auto_filter.ref)
            self.assertEqual(["复核结论", "批复情况", "现场情况", "照片编号", "复核人", "复核时间"], header[-6:])
            column = {title: i for i, title in enumerate(header)}
            cells = [[c.value for c in row] for row in sheet.iter_rows(min_row=2)]
            self.assertEqual(len(expected), len(cells))
            for want, have in zip(expected, cells):
                self.assertEqual(want["case_id"], have[column["图斑编号"]])
                self.assertEqual(want["approval_name"] and plain(want["approval_name"]), have[column["项目名称"]])
                self.assertEqual(want["owner"] and plain(want["owner"]), have[column["建设单位"]])
                day = datetime.datetime.strptime(want["onset_to"], "%Y/%m/%d")
                self.assertEqual(day, have[column["首次见到扰动日"]])
                self.assertEqual(want["state"], have[column["办理状态"]])
                self.assertEqual(want["due"] and datetime.datetime.strptime(want["due"], "%Y/%m/%d"), have[column["办理期限"]])
                self.assertAlmostEqual(want["area_m2"] / 1e4, have[column["扰动面积（公顷）"]], delta=5.1e-5)
                self.assertIsInstance(have[column["排名"]], int)
            # The totals of each table of the summary: all disturbances, all suspects, their area.
            totals = [[c.value for c in row[:5]] for row in book["汇总"].iter_rows() if row[0].value == "合计"]
            everything = self.of_county(self.disturbances, county) if county else self.disturbances
            self.assertEqual(4, len(totals))
            for total in totals:
                self.assertEqual([len(everything), len(expected)], total[1:3])
                self.assertAlmostEqual(sum(v["area_m2"] for v in expected) / 1e4, total[3], places=6)
        column_of_counties = [row[0].value for row in openpyxl.load_workbook(books[None])["汇总"].iter_rows()]
        for county in COUNTIES:
            self.assertIn(county, column_of_counties)

    def test_kmz(self):
        for county, stem in self.stems.items():
            with zipfile.ZipFile(self.export / stem / f"{stem}.kmz") as z:
                self.assertEqual(["doc.kml", "disc.png"], z.namelist())
                self.assertEqual(b"\x89PNG\r\n\x1a\n", z.read("disc.png")[:8])
                text = z.read("doc.kml").decode("utf-8")
            self.assertNotIn("://", text.replace("http://www.opengis.net/kml/2.2", "").replace("http://example.invalid/", ""))
            document = ET.fromstring(text)
            colours = {s.get("id"): s.find(f"{KML}LineStyle/{KML}color").text for s in document.iter(f"{KML}Style")}
            expected = {v["case_id"]: v for v in self.of_county(self.suspects, county)}
            shapes = {v["case_id"]: g for v, g in rows(self.export / stem / f"{stem}.gpkg", "suspects")}
            seen = set()
            *folders, ranges = document.iter(f"{KML}Folder")
            self.check_ranges(ranges, county, colours)
            for folder in folders:
                tier = folder.find(f"{KML}name").text.split("：")[1]
                for mark in folder.iter(f"{KML}Placemark"):
                    *turn, case = CASE.findall(mark.find(f"{KML}name").text)[0]
                    seen.add(case)
                    original = expected[case]
                    self.assertEqual(original["tier"], tier)
                    self.assertEqual(tier == "低", turn == [""], "nobody is led to what gets a letter")
                    blue_green_red = "".join(reversed(re.findall("..", PALETTE[{"高": "high", "中": "medium", "低": "low"}[tier]].lower())))
                    self.assertEqual("ff" + blue_green_red, colours[mark.find(f"{KML}styleUrl").text[1:]])
                    balloon = Text(mark.find(f"{KML}description").text)
                    self.assertEqual({"h3", "table", "tr", "td", "b", "p", "small", "a", "a.href"}, balloon.tags)
                    for item in json.loads(original["reasons"]):
                        self.assertIn(item["item"], balloon.words)
                        self.assertIn(f"{item['points']:g}", balloon.words)
                    self.assertIn(original["tier_reason"], "".join(balloon.words))
                    self.assertIn(original["state"], balloon.words)
                    self.assertIn(original["due"].replace("/", "-"), balloon.words)
                    data = {d.get("name"): d.find(f"{KML}value").text for d in mark.iter(f"{KML}Data")}
                    for field in ("approval_name", "owner"):
                        if original[field]:
                            self.assertIn(plain(original[field]), balloon.words)
                            self.assertEqual(plain(original[field]), data[field])
                    self.assertEqual(f"{original['area_m2'] / 1e4:.2f}", data["area_hm2"])
                    self.assertEqual(original["onset_to"].replace("/", "-"), data["onset_to"])
                    self.check_place(mark, shapes[case])
            self.assertEqual(set(expected), seen)

    def check_ranges(self, folder, county, colours):
        """Approved ranges as red lines without a filling: those of the county's projects, with their names as text."""
        self.assertEqual("防治责任范围", folder.find(f"{KML}name").text)
        marks = folder.findall(f"{KML}Placemark")
        linked = {v["approval_id"] for v in self.of_county(self.suspects, county)} - {None}
        ids = [Text(m.find(f"{KML}description").text).words for m in marks]
        for project in linked:
            self.assertEqual(1, sum(project in {w.strip() for w in words} for words in ids), project)
        names = {plain(v["approval_name"]) for v in self.of_county(self.suspects, county) if v["approval_name"]}
        self.assertLessEqual(names, {m.find(f"{KML}name").text for m in marks})
        for mark in marks:
            self.assertEqual("ff0000e6", colours[mark.find(f"{KML}styleUrl").text[1:]])
            self.assertIsNotNone(mark.find(f".//{KML}Polygon"))

    def test_ranges_and_borders(self):
        """The county's GeoPackage holds the approved ranges in it, and its border, as the inputs have them."""
        approved = rows(self.base / "approvals.gpkg")
        for county, stem in self.stems.items():
            west, south, east, north = COUNTIES[county]
            inside = {v["PRID"] for v, g in approved if west < g.Centroid().GetX() < east and south < g.Centroid().GetY() < north}
            got = rows(self.export / stem / f"{stem}.gpkg", "ranges")
            self.assertEqual(inside, {v["approval_id"] for v, _ in got})
            self.assertEqual({"防治责任范围"}, {v["range_kind"] for v, _ in got})
            (border, shape), = rows(self.export / stem / f"{stem}.gpkg", "county")
            self.assertEqual(county, border["county"])
            self.assertGreater(shape.GetArea(), 1e8)

    def test_a_balloon_leads_to_the_page_when_the_package_is_unpacked(self):
        """Earth resolves a link in a KMZ against doc.kml, and the KMZ is a folder to it (OGC 07-147r2, 6.5): one step up is
        where the KMZ lies. Unpacked anywhere, every link of a county ends at a page of its own package."""
        for county, stem in self.stems.items():
            with TemporaryDirectory() as folder, zipfile.ZipFile(self.export / f"{stem}.zip") as package:
                package.extractall(folder)
                kmz = Path(folder) / stem / f"{stem}.kmz"
                with zipfile.ZipFile(kmz) as z:
                    document = ET.fromstring(z.read("doc.kml"))
                links = 0
                for mark in document.iter(f"{KML}Placemark"):
                    case = (CASE.findall(mark.find(f"{KML}name").text or "") or [("", "")])[0][1]
                    for href in re.findall(r'<a href="([^"]*)">', mark.find(f"{KML}description").text):
                        page = Path(os.path.normpath(kmz / html.unescape(href)))
                        self.assertTrue(page.is_relative_to(Path(folder) / stem), href)
                        self.assertIn(case, page.read_text(encoding="utf-8"), href)
                        links += 1
                self.assertEqual(len(self.of_county(self.suspects, county)), links)

    def test_no_mark_turns_the_direction_of_text(self):
        """Names of projects, owners and a county with marks of Unicode's bidirectional algorithm, control characters and line
        breaks: in no product and no name of a file (pages and report have tests of their own)."""
        turned = "甲\u202e乙\u2066县\x0b\u2029"
        base = Path(self.folder.name) / "turned"
        config = make(base, per_county=10, counties={turned: COUNTIES["西峡县"]})
        shuibao("export", config, "-q")
        marks = [chr(c).encode() for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x85)]
        read = 0

        def check(name, data):
            nonlocal read
            binary = name.endswith((".fgb", ".gpkg", ".shp", ".shx", ".dbf", ".png", ".jpg", ".tif"))
            for mark in marks[:-1] if binary else marks:  # two bytes are in any file
                self.assertNotIn(mark, name.encode(), name)
                self.assertNotIn(mark, data, name)
                self.assertNotIn(b"&#" + str(ord(mark.decode())).encode() + b";", data, name)
                self.assertNotIn(b"\\u%04x" % ord(mark.decode()), data.lower(), name)
            if not binary:
                self.assertNotRegex(data, rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", name)
            read += 1

        def look(name, data):
            if name.endswith((".html", ".pdf")):
                return
            if name.endswith((".kmz", ".xlsx", ".zip")):
                with zipfile.ZipFile(io.BytesIO(data)) as z:
                    for inner in z.namelist():
                        look(inner, z.read(inner))
            check(name, b"" if name.endswith((".kmz", ".xlsx", ".zip")) else data)
        export = base / "output" / "export"
        for name in files(export):
            look(name, (export / name).read_bytes())
        self.assertGreater(read, 30)
        gpkg, = export.glob("*/*.gpkg")
        self.assertEqual({"甲乙县"}, {v["county"] for v, _ in rows(gpkg, "suspects")})

    def test_names_in_the_archive_are_plain(self):
        """A county may be called anything; a member of the zip is a relative path that every system can write: no way out, no
        drive, none of Windows' forbidden signs, no control characters, at most 255 bytes a part."""
        for stem in self.stems.values():
            with zipfile.ZipFile(self.export / f"{stem}.zip") as z:
                names = z.namelist()
            self.assertGreater(len(names), 10)
            self.assertEqual(len(names), len(set(names)))
            for name in names:
                for part in name.split("/"):
                    self.assertNotIn(part, ("", ".", ".."), name)
                    self.assertNotRegex(part, r'[\\:*?"<>|\x00-\x1f\x7f]', name)
                    self.assertLessEqual(len(part.encode()), 255, name)

    def check_place(self, mark, shape):
        """KML's ring against the layer's, brought to degrees by PROJ; 1e-7° is a centimetre."""
        source = osr.SpatialReference()
        source.ImportFromEPSG(32649)
        degrees = osr.SpatialReference()
        degrees.ImportFromEPSG(4326)
        for crs in (source, degrees):
            crs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        shape = shape.Clone()
        shape.Transform(osr.CoordinateTransformation(source, degrees))
        polygons = [mark.find(f".//{KML}Polygon")]
        ring = [tuple(map(float, p.split(","))) for p in polygons[0].find(f".//{KML}coordinates").text.split()]
        outer = shape.GetGeometryRef(0).GetGeometryRef(0)
        want = sorted({(round(x, 6), round(y, 6)) for x, y in (outer.GetPoint_2D(i) for i in range(outer.GetPointCount()))})
        self.assertEqual(len(want), len({p for p in ring}))
        for (x, y), (u, v) in zip(want, sorted(set(ring))):
            self.assertAlmostEqual(x, u, delta=2e-6)
            self.assertAlmostEqual(y, v, delta=2e-6)
        point = ogr.Geometry(ogr.wkbPoint)
        point.AddPoint_2D(*map(float, mark.find(f".//{KML}Point/{KML}coordinates").text.split(",")))
        self.assertTrue(shape.Contains(point))

    def test_report_holds_every_name_as_data(self):
        """The report's JSON lies in a <script>: whatever a name holds, the element ends where the program ends it."""
        page = (self.export / "report_202405.html").read_text(encoding="utf-8")
        self.assertEqual(3, page.count("</script>"))
        data = json.loads(page.split('<script type="application/json" id="data">')[1].split("</script>")[0])
        self.assertEqual([v["approval_name"] and plain(v["approval_name"]) or "" for v in self.suspects],
                         [plain(s[12]) for s in data["suspects"]])
        self.assertEqual(set(COUNTIES), set(data["counties"]))
        self.assertNotIn("<script>alert", page)

    def test_gpx(self):
        for county, stem in self.stems.items():
            gpx = ET.parse(self.export / stem / f"{stem}.gpx").getroot()
            self.assertEqual("1.1", gpx.get("version"))
            points = gpx.findall(f"{GPX}wpt")
            expected = {v["case_id"]: v for v in self.of_county(self.suspects, county)}
            order = sorted((v["route"], v["case_id"], v["longitude"]) for v, _ in rows(self.export / stem / f"{stem}.gpkg", "suspects") if v["route"])
            self.assertEqual(len(self.visited(county)), len(order))
            for where in (points, gpx.findall(f"{GPX}rte/{GPX}rtept")):
                self.assertEqual([f"{n} {case}" for n, case, _ in order], [p.find(f"{GPX}name").text for p in where][:len(order)])
                for p, (_, _, longitude) in zip(where, order):
                    self.assertAlmostEqual(longitude, float(p.get("lon")), places=5)
            # Nobody is led to what gets a letter, but it is on the map.
            self.assertEqual(len(order), len(gpx.findall(f"{GPX}rte/{GPX}rtept")))
            self.assertEqual(set(expected), {p.find(f"{GPX}name").text.split()[-1] for p in points})
            for p in points:
                original = expected[p.find(f"{GPX}name").text.split()[-1]]
                self.assertEqual(original["tier"], p.find(f"{GPX}type").text)
                if original["approval_name"]:
                    self.assertIn("项目名称：" + plain(original["approval_name"]), p.find(f"{GPX}desc").text)

    def test_csv(self):
        text = (self.export / "suspects_202405.csv").read_bytes().decode("utf-8-sig")
        table = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual([v["case_id"] for v in self.suspects], [r["case_id"] for r in table])
        for want, have in zip(self.suspects, table):
            for field in ("approval_name", "owner", "county"):
                name = plain(want[field] or "")
                self.assertEqual(("'" if name[:1] in set("=+-@") and name else "") + name, have[field])
            for value in have.values():
                self.assertFalse(value[:1] in set("=+@\t\r") or re.match(r"-\D", value), value)

    def test_geojson(self):
        """RFC 7946: degrees, no crs, right-handed rings, a bounding box."""
        for name, expected in (("suspects", self.suspects), ("disturbances", self.disturbances)):
            data = json.loads((self.export / f"{name}_202405.geojson").read_text(encoding="utf-8"))
            self.assertEqual("FeatureCollection", data["type"])
            self.assertNotIn("crs", data)
            west, south, east, north = data["bbox"]
            self.assertTrue(111.3 < west < east < 113.4 and 32.5 < south < north < 33.4)
            self.assertEqual([v["case_id"] for v in expected], [f["properties"]["case_id"] for f in data["features"]])
            for want, f in zip(expected, data["features"]):
                self.assertEqual(want["approval_name"] and plain(want["approval_name"]), f["properties"]["approval_name"])
                self.assertEqual(want["onset_to"].replace("/", "-"), f["properties"]["onset_to"].replace("/", "-"))
                self.assertIn(f["geometry"]["type"], ("Polygon", "MultiPolygon"))
                polygons = [f["geometry"]["coordinates"]] if f["geometry"]["type"] == "Polygon" else f["geometry"]["coordinates"]
                for ring in (p[0] for p in polygons):
                    twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:]))
                    self.assertGreater(twice, 0, "outer rings run anticlockwise")

    def test_one_colour_for_a_tier(self):
        """Styles of QGIS against the dictionary (KMZ: test_kmz; pages and report: test_palette); styles hold no place left open."""
        for stem in self.stems.values():
            data = ogr.Open(str(self.export / stem / f"{stem}.gpkg"))
            styles = {s["f_table_name"]: s["styleQML"] for s in data.GetLayerByName("layer_styles")}
            styles["shapefile"] = next((self.export / stem).glob("*.qml")).read_text()
            styles["project"] = (self.export / stem / f"{stem}.qgs").read_text()
            for name, text in styles.items():
                self.assertNotRegex(text, r'v="\{', name)
            for name in ("suspects", "shapefile", "project"):
                for tier in ("high", "medium", "low"):
                    rgb = ",".join(str(int(n, 16)) for n in re.findall("..", PALETTE[tier]))
                    self.assertIn(f'"{rgb},255"', styles[name], f"{name} {tier}")

    def test_flatgeobuf(self):
        for name, expected in (("suspects", self.suspects), ("disturbances", self.disturbances)):
            path = self.export / f"{name}_202405.fgb"
            got = {v["case_id"]: v for v, _ in rows(path)}
            self.assertEqual({v["case_id"] for v in expected}, set(got))
            for want in expected:
                for field in ("approval_name", "owner", "verdict_zh", "reasons"):
                    self.assertEqual(want[field] and plain(want[field]), got[want["case_id"]][field])
            data = ogr.Open(str(path))
            layer = data.GetLayer(0)
            self.assertEqual("32649", layer.GetSpatialRef().GetAuthorityCode(None))
            self.assertEqual(1, layer.TestCapability(ogr.OLCFastSpatialFilter))

    def test_packages(self):
        for stem in self.stems.values():
            with zipfile.ZipFile(self.export / f"{stem}.zip") as z:
                self.assertIsNone(z.testzip())
                inside = sorted(n for n in z.namelist() if not n.endswith("说明.txt"))
                self.assertEqual([f"{stem}/{n}" for n in files(self.export / stem)], inside)
                for name in inside:
                    self.assertEqual((self.export / name).read_bytes(), z.read(name))
                self.assertIn("疑似线索", z.read(f"{stem}/说明.txt").decode("utf-8-sig"))
                for entry in z.infolist():
                    self.assertEqual((1980, 1, 1, 0, 0, 0), entry.date_time)
                    self.assertFalse(entry.filename.startswith("/") or ".." in entry.filename.split("/"))

    def test_stac(self):
        """Valid STAC (the schemas: test_products), and links that lead somewhere."""
        collection = json.loads((self.export / "stac" / "collection.json").read_text())
        item_path = self.export / "stac" / next(l["href"] for l in collection["links"] if l["rel"] == "item")
        item = json.loads(item_path.read_text())
        if not stac_schema.missing():
            self.assertEqual([[], []], [stac_schema.problems(d) for d in (collection, item)])
        self.assertEqual(collection["id"], item["collection"])
        self.assertEqual((32649, "EPSG:32649"), (item["properties"]["proj:epsg"], item["properties"]["proj:code"]))
        times = [datetime.datetime.fromisoformat(item["properties"][k].replace("Z", "+00:00")) for k in ("start_datetime", "end_datetime")]
        self.assertLess(*times)
        self.assertIsNone(item["properties"]["datetime"])
        self.assertEqual([item["bbox"]], collection["extent"]["spatial"]["bbox"])
        ring = item["geometry"]["coordinates"][0]
        self.assertEqual((ring[0], 5), (ring[-1], len(ring)))
        for link in item["links"] + collection["links"]:
            self.assertTrue((self.export / "stac" / link["href"]).is_file(), link)
        self.assertEqual([], [l for l in item["links"] if l["rel"] == "derived_from"], "there are no images here")
        self.assertEqual({"suspects_202405.csv", "suspects_202405.geojson", "suspects_202405.fgb", "disturbances_202405.geojson",
                          "disturbances_202405.fgb", "RDTB_202405.xlsx"} & set(item["assets"]), {
                              "suspects_202405.csv", "suspects_202405.geojson", "suspects_202405.fgb",
                              "disturbances_202405.geojson", "disturbances_202405.fgb", "RDTB_202405.xlsx"})
        self.assertLessEqual({f"{stem}.zip" for stem in self.stems.values()} | {"disturbances.gpkg"}, set(item["assets"]))
        for name, asset in item["assets"].items():
            path = self.export / "stac" / asset["href"]
            self.assertTrue(path.is_file(), asset)
            self.assertTrue(asset["type"] and asset["roles"] and asset["title"])
            # Multihash: 0x12 is SHA2-256, 0x20 its 32 bytes.
            self.assertEqual("1220" + hashlib.sha256(path.read_bytes()).hexdigest(), asset["file:checksum"], name)
            self.assertEqual(path.stat().st_size, asset["file:size"])
        for name, code in (("suspects_202405.csv", 4490), ("RDTB_202405.xlsx", 4490), ("suspects_202405.geojson", 4326)):
            self.assertEqual((code, f"EPSG:{code}"), tuple(item["assets"][name][k] for k in ("proj:epsg", "proj:code")))
        self.assertNotIn("proj:epsg", item["assets"]["disturbances.gpkg"])

    def test_projects(self):
        for project in sorted(self.export.glob("**/*.qgs")):
            root = ET.parse(project).getroot()
            ids = [layer.get("id") for layer in root.find("layer-tree-group")]
            self.assertEqual(ids, [m.find("id").text for m in root.iter("maplayer")])
            for m in root.iter("maplayer"):
                self.assertGreater(len(m.find("id").text), 10)  # QGIS 3.22 gives shorter ones up
                source = m.find("datasource").text
                self.assertTrue(source.startswith("."), source)
                file, _, layer = source.partition("|layername=")
                self.assertTrue((project.parent / file).is_file(), source)
                self.assertIsNotNone(ogr.Open(str(project.parent / file)).GetLayerByName(layer), source)
                self.assertIsNotNone(m.find("renderer-v2"))
            self.assertNotIn(str(self.base), project.read_text(encoding="utf-8"))

    def again(self, name, *options):
        """Another export of the same ranked layers, without what the first has recorded."""
        output = self.base / name / "output"
        output.mkdir(parents=True)
        (output / "disturbances.gpkg").write_bytes((self.base / "output" / "disturbances.gpkg").read_bytes())
        # The report also says how many of the approved projects the verdicts had a range of.
        verdicts = Path("store/batches") / "202405" / "screened.json"
        (self.base / name / verdicts).parent.mkdir(parents=True)
        (self.base / name / verdicts).write_bytes((self.base / verdicts).read_bytes())
        return output, ["export", self.config, "-q", "-o", output, "--store", self.base / name / "store", *options]

    def test_same_bytes(self):
        output, words = self.again("second", "-j", 1)
        shuibao(*words)
        self.assertEqual(digests(self.export), digests(output / "export"))
        # What could hold the time of writing, and would only differ on another day.
        book = self.export / "RDTB_202405.xlsx"
        with zipfile.ZipFile(book) as z:
            self.assertIn(b"2000-01-01T00:00:00Z</dcterms:created>", z.read("docProps/core.xml"))
            self.assertEqual({(1980, 1, 1, 0, 0, 0)}, {e.date_time for e in z.infolist()})

    def test_a_county_that_is_clear_again(self):
        """Its files of before go, others' files stay: nobody is sent what no longer holds."""
        output, words = self.again("cleared")
        shuibao(*words)
        note = output / "export" / "RDTB_跨带县_202405" / "带队备注.txt"
        note.write_text("mine")
        data = ogr.Open(str(output / "disturbances.gpkg"), 1)
        for name in ("disturbances", "suspects"):
            layer = data.GetLayerByName(name)
            for fid in [f.GetFID() for f in layer if f["county"] in ("跨带县", "西峡县")]:
                layer.DeleteFeature(fid)
        layer = data = None
        shuibao(*words)
        left = files(output / "export")
        self.assertEqual(["RDTB_跨带县_202405/带队备注.txt"], [n for n in left if "跨带县" in n or "西峡县" in n])
        self.assertFalse((output / "export" / "RDTB_西峡县_202405").exists())
        self.assertNotIn("RDTB_202405.xlsx", left)  # one county: its own ledger is the whole
        self.assertEqual("mine", note.read_text())
        shuibao(*words, "--set", "export.formats=[gpx]")  # what was not asked for is not touched
        self.assertEqual(left, files(output / "export"))

    def test_kill(self):
        """kill -9 at any moment: what has its final name is complete, and the same command ends with the same bytes."""
        want = digests(self.export)
        started = time.monotonic()
        output, words = self.again("whole")
        shuibao(*words)
        whole = time.monotonic() - started
        half = 0
        for k in range(4):
            output, words = self.again(f"killed{k}")
            child = subprocess.Popen(command(*words), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(whole * (k + 1) / 5)
            child.send_signal(signal.SIGKILL)
            child.wait()
            there = {n: d for n, d in digests(output / "export").items() if ".tmp" not in n}
            half += 0 < len(there) < len(want)
            self.assertEqual({n: want[n] for n in there}, there)
            shuibao(*words)
            self.assertEqual(want, digests(output / "export"))
            self.assertEqual([], temporaries(output))
        self.assertGreater(half, 0, "every kill came before the first file or after the last: nothing was shown")


if __name__ == "__main__":
    main()
