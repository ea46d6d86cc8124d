# SPDX-License-Identifier: Apache-2.0
"""What a county is handed, filled in as its people would, is taken back by `feedback` as it is: the ledger by openpyxl,
shapefiles and GeoPackage by GDAL."""
import datetime
import json
import tempfile
import unittest
from pathlib import Path

from osgeo import gdal, ogr

from harness import main, shuibao
from package_world import make, rows

gdal.UseExceptions()

COUNTY = "西峡县"
FOUND = ["未批先建", "合规", "非生产建设项目"]  # for the first three of the county, in the order of rank
DAY = "2024-06-18"


class SentBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.base = Path(cls.folder.name) / "world"
        cls.config = make(cls.base)
        cls.handed = {}
        for encoding in ("UTF-8", "GBK"):
            cls.handed[encoding] = cls.hand_out(encoding)

    @classmethod
    def hand_out(cls, encoding):
        output = cls.base / f"output_{encoding}"
        output.mkdir()
        (output / "disturbances.gpkg").write_bytes((cls.base / "output" / "disturbances.gpkg").read_bytes())
        shuibao("export", cls.config, "-q", "-o", output, "--set", f"export.shapefile.encoding={encoding}",
                "--set", "export.formats=[shapefile, gpkg, xlsx]")
        return output / "export" / f"RDTB_{COUNTY}_202405"

    def setUp(self):
        (self.base / "store" / "feedback.json").unlink(missing_ok=True)
        self.cases = [v["case_id"] for v, _ in rows(self.handed["UTF-8"] / f"RDTB_{COUNTY}_202405.gpkg", "suspects")]
        self.assertGreater(len(self.cases), len(FOUND))

    def taken(self, path, refused=0):
        done = shuibao("feedback", path, "--store", self.base / "store", "--json", "-q", code=3 if refused else 0)
        report = json.loads(done.stdout)["file"]
        self.assertEqual((len(FOUND), refused), (report["taken"], report["refused"]), done.stderr)
        kept = json.loads((self.base / "store" / "feedback.json").read_text())["records"]
        self.assertEqual(dict(zip(self.cases, FOUND)), {r["spot"]: r["verdict"] for r in kept})
        for r in kept:
            self.assertEqual(("王五", DAY, "现场已停工"), (r["by"], r["date"], r["kept"]["situation"]))
        return report, kept

    def fill_layer(self, path, name, fill):
        data = ogr.Open(str(path), 1)
        layer = data.GetLayerByName(name) if name else data.GetLayer(0)
        key = "case_id" if name else "QDNM"
        for f in layer:
            if f[key] in self.cases[:len(FOUND)]:
                fill(f, FOUND[self.cases.index(f[key])])
                f["XCFHR"], f["DATE"], f["XCQK"], f["ZPBH"] = "王五", DAY.replace("-", "/"), "现场已停工", "IMG_1，IMG_2"
                layer.SetFeature(f)
        data = layer = None
        return path

    def test_shapefiles(self):
        """BYD, RST, who and when, in the encoding that was asked for; what nobody touched is not taken for checked."""
        for encoding, folder in self.handed.items():
            with self.subTest(encoding):
                self.setUp()
                shp, = folder.glob("*.shp")

                noticed = []

                def fill(f, found):
                    f["BYD"], f["RST"] = found, "1"
                    noticed.append(f["NOTE"])
                    if found != FOUND[1]:
                        f["NOTE"] = (f["NOTE"] or "") + " 村民已报告"
                report, kept = self.taken(self.fill_layer(shp, None, fill))
                # What the program noticed goes out there, and does not come back as the team's word.
                self.assertTrue(any(n and n.startswith("〔程序提示：") and n.endswith("〕") for n in noticed), noticed)
                self.assertEqual([None if found == FOUND[1] else "村民已报告" for found in FOUND],
                                 [r["kept"].get("note") for r in sorted(kept, key=lambda r: self.cases.index(r["spot"]))])
                self.assertGreater(report["not_reviewed"], 0)
                self.assertEqual(["IMG_1", "IMG_2"], [p["number"] for p in kept[0]["photos"]])

    def test_geopackage(self):
        """Its layer of suspects, whichever comes first in the file; verdict codes of ours are no findings."""
        def fill(f, found):
            f["BYD"] = found
        path = self.fill_layer(self.handed["UTF-8"] / f"RDTB_{COUNTY}_202405.gpkg", "suspects", fill)
        self.taken(path)

    def ledger(self):
        try:
            import openpyxl
        except ImportError:
            self.skipTest("python3-openpyxl is not installed: nothing here fills in a ledger")
        book = openpyxl.load_workbook(self.handed["UTF-8"] / f"RDTB_{COUNTY}_202405.xlsx")
        sheet = book["图斑台账"]
        column = {c.value: c.column for c in sheet[1]}
        line = {sheet.cell(r, column["图斑编号"]).value: r for r in range(2, sheet.max_row + 1)}

        def write(case, **cells):
            for title, value in cells.items():
                sheet.cell(line[case], column[title]).value = value
        return book, sheet, column, write

    def test_ledger(self):
        book, _, _, write = self.ledger()
        for case, found in zip(self.cases, FOUND):
            write(case, 复核结论=found, 复核人="王五", 复核时间=datetime.date.fromisoformat(DAY), 现场情况="现场已停工", 照片编号="IMG_1")
        path = self.base / "filled.xlsx"
        book.save(path)
        self.taken(path)
        # A row that is signed and says nothing is told by the name of the column that it has.
        (self.base / "store" / "feedback.json").unlink()
        write(self.cases[len(FOUND)], 复核人="王五", 复核时间=DAY)
        book.save(path)
        self.taken(path, refused=1)
        done = shuibao("feedback", path, "--store", self.base / "store", "-q", code=3)
        self.assertIn("Fill 复核结论 with one of", done.stderr)

    def test_ledger_offers_what_feedback_takes(self):
        _, sheet, column, _ = self.ledger()
        rule, = sheet.data_validations.dataValidation
        self.assertEqual("list", rule.type)
        words = rule.formula1.strip('"').split(",")
        self.assertLessEqual(set(FOUND), set(words))
        letter = sheet.cell(1, column["复核结论"]).column_letter
        self.assertEqual(f"{letter}2:{letter}{sheet.max_row}", str(rule.sqref))
        # Each of them, one for a case of the county.
        for first in range(0, len(words), len(self.cases)):
            self.setUp()  # what was found before would be another opinion
            book, _, _, write = self.ledger()
            some = words[first:first + len(self.cases)]
            for case, word in zip(self.cases, some):
                write(case, 复核结论=word, 复核人="王五", 复核时间=DAY)
            book.save(self.base / "words.xlsx")
            done = shuibao("feedback", self.base / "words.xlsx", "--store", self.base / "store", "--json", "-q")
            self.assertEqual(len(some), json.loads(done.stdout)["file"]["taken"])

    def test_findings_sent_out_again_are_no_new_ones(self):
        """The next package says RST 1 for what people confirmed. Sent back unsigned, nothing happens; with another finding and
        no name it is refused."""
        shp, = self.handed["UTF-8"].glob("*.shp")

        def fill(f, found):
            f["BYD"], f["RST"] = found, "1"
        self.taken(self.fill_layer(shp, None, fill))
        before = (self.base / "store" / "feedback.json").read_bytes()
        shuibao("rank", self.config, "-q")
        again = self.base / "again"
        again.mkdir()
        (again / "disturbances.gpkg").write_bytes((self.base / "output" / "disturbances.gpkg").read_bytes())
        shuibao("export", self.config, "-q", "-o", again, "--set", "export.formats=[shapefile]")
        shp, = (again / "export" / shp.parent.name).glob("*.shp")
        marked = {v["QDNM"]: v for v, _ in rows(shp) if v["RST"] == "1"}
        self.assertEqual(set(self.cases[:3]), set(marked))
        done = shuibao("feedback", shp, "--store", self.base / "store", "--json", "-q")
        self.assertEqual(0, json.loads(done.stdout)["file"]["taken"])
        self.assertEqual(before, (self.base / "store" / "feedback.json").read_bytes())
        data = ogr.Open(str(shp), 1)
        layer = data.GetLayer(0)
        for f in layer:
            if f["QDNM"] == self.cases[0]:
                f["BYD"] = "建设地点变更"
                layer.SetFeature(f)
        data = layer = None
        self.assertIn("does not say who was there", shuibao("feedback", shp, "--store", self.base / "store", "-q", code=3).stderr)


if __name__ == "__main__":
    main()
