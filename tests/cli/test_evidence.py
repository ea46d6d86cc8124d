# SPDX-License-Identifier: Apache-2.0
"""Evidence pages and the report, made by the program and read back by others: poppler, an HTML parser, a QR reader."""
import html.parser
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from osgeo import ogr

import harness
from harness import ArchiveTest, shuibao

ogr.UseExceptions()
FORMATS = "export.formats=[evidence,report]"
HOSTILE = ('=HYPERLINK("http://x","a")<script>alert(1)</script>&amp;\'"><img src=x onerror=alert(2)>\n'
           '{{{css}}}\u202eمشروع\u202c 🏗 </script><!-- ' + "长" * 400)


TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # marks that turn the direction of what follows


def plain(text):
    """A text of strangers as pages show it (core/text.hpp)."""
    return TURNING.sub("", re.sub(r"\n+", " ", text))


def rows_of(output, layer):
    source = ogr.Open(str(output / "disturbances.gpkg"))
    return [f.items() for f in source.GetLayer(layer)]


def pages(output, kind):
    return sorted((output / "export").glob(f"*/evidence/*.{kind}"))


def report(output):
    return next((output / "export").glob("report_*.html")).read_text(encoding="utf-8")


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


class Reader(html.parser.HTMLParser):
    """All elements, and the text outside of <style> and <script>."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.attributes, self.quiet = [], "", [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        self.quiet = tag in ("style", "script")

    def handle_endtag(self, tag):
        self.quiet = False

    def handle_data(self, data):
        if not self.quiet:
            self.text += data


class Evidence(ArchiveTest):
    size, sites, seed = 400, 16, 5

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The contractor's layer, with the worst of names.
        source = ogr.Open(str(cls.archive / "approvals.shp"))
        copy = ogr.GetDriverByName("GPKG").CopyDataSource(source, str(cls.archive / "hostile.gpkg"))
        layer = copy.GetLayer(0)
        wide = ogr.FieldDefn("PRNM", ogr.OFTString)
        layer.AlterFieldDefn(layer.GetLayerDefn().GetFieldIndex("PRNM"), wide, ogr.ALTER_WIDTH_PRECISION_FLAG)
        for feature in layer:
            feature["PRNM"] = HOSTILE
            layer.SetFeature(feature)
        del layer, copy, source
        cls.hostile = ["--set", f"approvals.path={cls.archive / 'hostile.gpkg'}", "--set", FORMATS]
        cls.store, cls.output, _ = cls.run_all("pages", *cls.hostile)
        cls.rows = rows_of(cls.output, "suspects")

    def test_one_page_of_a4_for_each_suspect(self):
        self.assertGreaterEqual(len(self.rows), 4)
        self.assertIn("exceeds", [r["verdict"] for r in self.rows])
        ids = sorted(r["case_id"] for r in self.rows)
        self.assertEqual(ids, [p.stem for p in pages(self.output, "html")])
        self.assertEqual(ids, [p.stem for p in pages(self.output, "pdf")])
        by_id = {r["case_id"]: r for r in self.rows}
        for path in pages(self.output, "html"):
            row, page = by_id[path.stem], Reader(path.read_text(encoding="utf-8"))
            for word in (row["verdict_zh"], f'{row["area_m2"] / 1e4:.2f} hm²', "2023-05-06 – 2024-05-25", row["why"],
                         "现场复核", "影像看不出", "不作为执法认定依据", "项目默认值"):
                self.assertIn(word, page.text, path.name)
            for item in json.loads(row["reasons"]):
                self.assertIn(item["source"], page.text)
            self.assertEqual(3, page.tags.count("img"), "before, after and locator")
            self.assertTrue(all(v.startswith("data:image/jpeg;base64,") for t, k, v in page.attributes if k == "src"))
        before, after = re.findall(r'alt="(?:前期|后期) ([0-9-]+)"', pages(self.output, "html")[0].read_text())
        self.assertLessEqual(before, "2023-05-21")
        self.assertGreaterEqual(after, "2024-05-10")

    @unittest.skipUnless(shutil.which("pdffonts"), "poppler-utils is not installed")
    def test_pdf_is_one_page_with_its_fonts_inside(self):
        by_id = {r["case_id"]: r for r in self.rows}
        for path in pages(self.output, "pdf"):
            info = subprocess.run(["pdfinfo", "-isodates", path], capture_output=True, text=True, check=True).stdout
            self.assertRegex(info, r"Pages: +1\n")
            self.assertRegex(info, r"Page size: +595\.\d+ x 841\.\d+ pts \(A4\)")
            self.assertRegex(info, r"CreationDate: +2024-05-01T00:00:00Z")
            self.assertNotIn("JavaScript:      yes", info)
            fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
            self.assertTrue(any("Identity-H" in f for f in fonts), "no font with Chinese characters")
            for font in fonts:
                self.assertRegex(font, r" yes yes (yes|no) ", "a font is not embedded as a subset")
            text = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
            for word in (path.stem, by_id[path.stem]["verdict_zh"], "现场复核", "2023-05-06"):
                self.assertIn(word, text)

    @unittest.skipUnless(shutil.which("pdftoppm"), "poppler-utils is not installed")
    def test_report_on_paper(self):
        path = next((self.output / "export").glob("report_*.pdf"))
        text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
        for word in ("水土保持遥感监管报告", "期次 202405", "不作为执法认定依据", "按判定", "疑似超出防治责任范围", "本次运行的问题"):
            self.assertIn(word, text)
        for row in self.rows:
            self.assertRegex(text, rf'{row["case_id"]} .*{row["area_m2"] / 1e4:.2f} hm²')
        fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
        self.assertTrue(fonts and all(" yes yes " in f for f in fonts), fonts)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["pdftoppm", "-r", "50", "-png", path, f"{folder}/page"], check=True)
            pictures = sorted(Path(folder).iterdir())
            self.assertTrue(pictures and all(p.stat().st_size > 3000 for p in pictures), "an empty page")

    @unittest.skipUnless(shutil.which("pdftoppm"), "poppler-utils is not installed")
    def test_pages_render_and_the_qr_code_says_where(self):
        path = pages(self.output, "pdf")[0]
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", path, f"{folder}/page"], check=True)
            picture = (Path(folder) / "page.png")
            self.assertGreater(picture.stat().st_size, 100_000, "next to nothing was drawn")
            if not shutil.which("zbarimg"):
                self.skipTest("zbar-tools is not installed: the QR code was not read")
            said = subprocess.run(["zbarimg", "-q", "--raw", picture], capture_output=True, text=True).stdout.strip()
        page = Reader(path.with_suffix(".html").read_text(encoding="utf-8"))
        href = next(v for t, k, v in page.attributes if t == "a" and k == "href")
        self.assertEqual(href, said)
        self.assertRegex(said, r"^geo:-?\d+\.\d{6},-?\d+\.\d{6}$")

    def test_hostile_names_come_out_as_text(self):
        row = next(r for r in self.rows if r["approval_name"])
        self.assertIn("<script>", row["approval_name"])
        page = Reader(next(p for p in pages(self.output, "html") if p.stem == row["case_id"]).read_text(encoding="utf-8"))
        self.assertNotIn("script", page.tags)
        self.assertFalse([a for a in page.attributes if a[1].startswith("on")])
        self.assertIn('=HYPERLINK("http://x","a")<script>alert(1)</script>&amp;\'"><img src=x onerror=alert(2)>', page.text)
        self.assertIn("{{{css}}}", page.text)
        self.assertIn("长" * 400, page.text)
        if shutil.which("pdftotext"):
            paper = next(p for p in pages(self.output, "pdf") if p.stem == row["case_id"])
            said = subprocess.run(["pdftotext", "-raw", paper, "-"], capture_output=True, text=True, check=True).stdout
            said = TURNING.sub("", "".join(said.split()))  # poppler brackets words of right-to-left scripts by itself
            self.assertIn('=HYPERLINK("http://x","a")<script>alert(1)</script>&amp;\'"><imgsrc=xonerror=alert(2)>', said)
            # Text only: nothing in the file acts or leads away.
            self.assertNotRegex(paper.read_bytes(), rb"/(JavaScript|JS|URI|Launch|OpenAction|EmbeddedFile)\b")
        text = report(self.output)
        read = Reader(text)
        self.assertEqual(3, read.tags.count("script"), "data, Leaflet, and the page's own")
        self.assertNotIn("img", read.tags)
        self.assertIn(plain(row["approval_name"]), [s[12] for s in data_of(text)["suspects"]])

    def test_nothing_turns_the_direction_of_a_page(self):
        """U+202E makes "gnp.exe" read as a picture's name."""
        self.assertTrue(any(TURNING.search(r["approval_name"] or "") for r in self.rows), "nothing to leave out")
        for page in [*pages(self.output, "html"), *(self.output / "export").glob("report_*.html")]:
            self.assertIsNone(TURNING.search(page.read_text(encoding="utf-8")), page.name)
            self.assertIsNone(re.search(r"\\u20(2[a-e]|6[6-9])", page.read_text(encoding="utf-8"), re.I), page.name)

    @unittest.skipUnless(shutil.which("pdftotext"), "poppler-utils is not installed")
    def test_what_a_font_cannot_show_is_a_square_on_paper(self):
        row = next(r for r in self.rows if r["approval_name"] and len(r["approval_name"]) > 100)
        paper = next(p for p in pages(self.output, "pdf") if p.stem == row["case_id"])
        said = subprocess.run(["pdftotext", "-raw", paper, "-"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("🏗", said)
        self.assertIn("□", said)

    def test_the_form_asks_what_the_record_of_the_field_holds(self):
        """domain.md 2.3 and 7.3; on one page of A4 (the test above)."""
        asked = ("项目联系人", "联系方式", "详细地址", "扰动变化类型", "续建（范围扩大）", "开工时间", "可不编报方案", "非生产建设项目",
                 "图斑有误", "执法证号", "签字", "照片 3", "纬度", "经度", "方位角")
        page = Reader(pages(self.output, "html")[0].read_text(encoding="utf-8")).text
        self.assertEqual([], [word for word in asked if word not in page])
        if shutil.which("pdftotext"):
            paper = subprocess.run(["pdftotext", "-layout", pages(self.output, "pdf")[0], "-"], capture_output=True, text=True,
                                   check=True).stdout
            self.assertEqual([], [word for word in asked if word not in paper])
            self.assertEqual(3, paper.count("方位角"))
            self.assertRegex(paper, r"项目 +值 +分 +依据 +数据")

    def test_report_holds_the_numbers_of_the_layers(self):
        text = report(self.output)
        data = data_of(text)
        layer = rows_of(self.output, "disturbances")
        self.assertEqual(len(layer), data["totals"]["disturbances"])
        self.assertAlmostEqual(sum(f["area_m2"] for f in layer), data["totals"]["area"], delta=1)
        for code, count, area, _ in data["tables"]["verdicts"]:
            of_it = [f["area_m2"] for f in layer if f["verdict"] == code]
            self.assertEqual(len(of_it), count)
            self.assertAlmostEqual(sum(of_it), area, delta=1)
        self.assertEqual(len(layer), sum(row[1] for row in data["tables"]["tiers"]))
        self.assertEqual([r["case_id"] for r in self.rows], [s[0] for s in data["suspects"]])
        for s in data["suspects"]:
            self.assertTrue((self.output / "export" / s[17]).is_file(), s[17])
        self.assertIn(data["mosaic"]["before"]["from"], ("2023-05-06", "2023-05-21"))
        self.assertEqual("2024-05-25", data["mosaic"]["after"]["to"])
        # Nothing in it could reach a network.
        self.assertIn("default-src 'none'", text)
        self.assertFalse([a for a in Reader(text).attributes if a[1] in ("src", "srcset", "href") and a[2] not in ("#list",)])
        self.assertEqual([], re.findall(r"url\(|@import", re.search(r"<style>(.*?)</style>", text, re.S)[1]))

    def test_same_bytes_whatever_threads_and_tiles(self):
        digests = harness.digests(self.output / "export")
        _, output, _ = self.run_all("again", *self.hostile, "-j", 1)
        self.assertEqual(digests, harness.digests(output / "export"))
        # Only the report tells what the run was made of; pictures do not show the tiles.
        _, output, _ = self.run_all("tiles", *self.hostile, tile="grid.tile_size=160")
        self.assertEqual(digests, harness.digests(output / "export"))

    def test_without_a_chinese_font_there_is_a_sentence_and_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            fonts = Path(folder) / "fonts.conf"
            fonts.write_text(f"<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig><dir>{folder}</dir></fontconfig>")
            options = ["-c", self.config, "--store", self.store, "-o", self.base / "fontless", "--set", "grid.tile_size=64"]
            shutil.copytree(self.output, self.base / "fontless", ignore=shutil.ignore_patterns("export"))
            done = shuibao("export", *options, "--set", "export.formats=[evidence]", *self.hostile[:2], code=3,
                           env={"FONTCONFIG_FILE": str(fonts)})
        self.assertIn("no installed font has Chinese characters", done.stderr)
        self.assertEqual([], [f for f in harness.files(self.base / "fontless") if f.endswith((".pdf", ".html"))])

    def test_polygons_without_images_have_pages_too(self):
        source = self.store / "batches/202405/disturbances.gpkg"
        output, options = self.base / "plain/output", ["--batch", "202405", "--store", self.base / "plain/store"]
        for verb, words in (("screen", ["--disturbances", source, "--approvals", self.archive / "hostile.gpkg"]), ("rank", []),
                            ("export", ["--set", FORMATS])):
            shuibao(verb, *words, *options, "-o", output)
        found = pages(output, "html")
        self.assertEqual(len(rows_of(output, "suspects")), len(found))
        self.assertIn("存储中没有该处的可用影像", Reader(found[0].read_text(encoding="utf-8")).text)
        self.assertNotIn("mosaic", data_of(report(output)))


if __name__ == "__main__":
    harness.main()
