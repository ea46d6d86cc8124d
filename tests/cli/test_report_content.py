# SPDX-License-Identifier: Apache-2.0
"""What the report says of the batch before, of the field checks and of counties, against what this test counts by itself
in the layers and in the file that the field sent (tests/support/two_batches.py makes both batches)."""
import csv
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from osgeo import ogr

import harness
import package_world
import two_batches

ogr.UseExceptions()
WORDS = {"new": "新增", "grown": "续建（范围扩大）", "shrunk": "续建（范围缩小）", "same": "续建（范围不变）", "finished": "完工"}


def rows(path, layer):
    data = ogr.Open(str(path))
    return [f.items() for f in data.GetLayerByName(layer)]


class ReportContent(unittest.TestCase):
    maxDiff = 3000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.base = Path(cls.folder.name) / "city"
        cls.output = two_batches.make(harness.SHUIBAO, cls.base, size=500, sites=30, options=("--set", "export.formats=[evidence,report]"))
        cls.report = next((cls.output / "export").glob("report_*.html"))
        page = cls.report.read_text(encoding="utf-8")
        cls.data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
        if shutil.which("pdftotext"):
            cls.paper = subprocess.run(["pdftotext", "-layout", cls.report.with_suffix(".pdf"), "-"], capture_output=True, text=True,
                                       check=True).stdout
        cls.now = rows(cls.output / "disturbances.gpkg", "disturbances")
        cls.then = rows(cls.base / "output_before/disturbances.gpkg", "disturbances")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_what_became_of_the_cases(self):
        table = {code: values for code, *values in self.data["tables"]["changes"]}
        suspects = {r["case_id"] for r in rows(self.output / "disturbances.gpkg", "suspects")}
        before = {r["case_id"]: r["area_m2"] for r in self.then}
        for code, word in WORDS.items():
            of_it = [r for r in self.now if r["change_type"] == word]
            if not of_it:
                if code != "finished":  # works that images show as done are in the ledger alone
                    self.assertNotIn(code, table)
                continue
            count, listed, then, now = table[code]
            self.assertEqual(len(of_it), count, word)
            self.assertEqual(sum(r["case_id"] in suspects for r in of_it), listed, word)
            self.assertAlmostEqual(sum(r["area_m2"] for r in of_it), now, delta=1)
            self.assertAlmostEqual(sum(before.get(r["case_id"], 0) for r in of_it), then, delta=1)
        self.assertLessEqual({"new", "grown", "same"}, set(table), "the world shows too little")
        gone = [r for r in self.then if r["case_id"] not in {n["case_id"] for n in self.now}]
        self.assertGreaterEqual(len(gone), 2, "the world shows too little")  # the two that were drawn on green ground
        silent = [table[code] for code in ("unseen", "absorbed", "finished") if code in table]
        self.assertEqual(len(gone), sum(row[0] for row in silent))
        self.assertEqual(0, sum(row[3] for row in silent))

    def test_hit_rates_of_what_the_field_sent(self):
        tier = {r["spot"]: (r["tier"], r["county"]) for r in self.then}
        want = {"tier": {}, "county": {}}
        everything = Counter()
        with open(self.base / "checked.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                kind = {"合规": "lawful", "非生产建设项目": "no works"}.get(row["BYD"], "confirmed")
                everything[kind] += 1
                for group, value in zip(("tier", "county"), tier[row["QDNM"]]):
                    want[group].setdefault(value, Counter())[kind] += 1
        self.assertGreaterEqual(sum(everything.values()), 5)

        def row(name, c):
            return [name, sum(c.values()), c["confirmed"], c["lawful"], c["no works"]]

        self.assertEqual(row("", everything), self.data["hits"]["all"])
        for group, counts in want.items():
            self.assertEqual(sorted(row(name, c) for name, c in counts.items()), sorted(self.data["hits"][group]))
        tiers = [r[0] for r in self.data["hits"]["tier"]]
        self.assertEqual([t for t in ("高", "中", "低", "无") if t in tiers], tiers, "from the gravest on")

    def page_of(self, case):
        path = next((self.output / "export").glob(f"*/evidence/{case}.html"))
        return re.sub(r"<[^>]*>", "", path.read_text(encoding="utf-8"))

    def test_a_page_tells_what_the_field_found_before(self):
        """A site that was none comes back grown, and one that people confirmed is not suspected any more."""
        areas = {r["spot"]: r["area_m2"] for r in self.then}
        suspects = {r["case_id"]: r for r in rows(self.output / "disturbances.gpkg", "suspects")}
        back = confirmed = 0
        with open(self.base / "checked.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                case = suspects.get(row["QDNM"])
                if case is None:
                    continue
                page = self.page_of(row["QDNM"])
                self.assertIn(f'历次复核{row["DATE"]} {row["XCFHR"]}：{row["BYD"]}（当时 {areas[row["QDNM"]] / 1e4:.2f} hm²）',
                              re.sub(r" earlier field checks|\n", "", page))
                if row["BYD"] in ("合规", "非生产建设项目"):
                    back += 1
                    self.assertIn("；面积扩大，重新列入", page)
                else:
                    confirmed += 1
                    self.assertNotIn("重新列入", page)
                    self.assertIn(f'已复核认定：{row["BYD"]} confirmed on site', page)
                    self.assertNotIn(case["verdict_zh"], page.replace(case["decided"], ""))
                    then = re.search("原为 (.*)", case["decided"])[1]
                    if then != case["verdict_zh"]:  # why and notices are of that
                        self.assertNotIn(case["why"], page)
                        self.assertNotIn(case["notices"], page)
        self.assertGreaterEqual(back, 1, "the world shows too little")
        self.assertGreaterEqual(confirmed, 2, "the world shows too little")

    def test_state_and_deadline_are_told(self):
        end = "2024-05-31"
        suspects = {r["case_id"]: r for r in rows(self.output / "disturbances.gpkg", "suspects")}
        late = Counter()
        for case, row in suspects.items():
            due = (row["due"] or "").replace("/", "-")
            late[row["county"]] += bool(due and due < end)
            page = re.sub(r"\s+", " ", self.page_of(case))
            self.assertIn(f'办理状态 state of the case{row["state"]}', page)
            if due:
                self.assertIn(f"办理期限 due{due}" + ("（已逾期）" if due < end else ""), page)
        self.assertGreater(sum(late.values()), 0, "the world shows too little")
        table = {name: overdue for name, _, _, overdue in self.data["tables"]["counties"]}
        self.assertEqual({name: late[name] for name in table}, table)
        self.assertEqual(sum(late.values()), self.data["totals"]["overdue"])
        for s in self.data["suspects"]:
            row = suspects[s[0]]
            told = [self.data["states"][s[19]][0], s[20], self.data["whys"][s[21]][0]]
            self.assertEqual([row["state"], (row["due"] or "").replace("/", "-"), row["tier_reason"]], told)
            if row["confirmed"] and row["verdict"] != "compliant":
                self.assertEqual(("confirmed", row["confirmed"]), (s[3], s[22]))

    def test_borders_are_those_of_the_layer(self):
        borders = {name: rings for name, _, _, rings in self.data["borders"]}
        self.assertEqual(set(two_batches.COUNTIES), set(borders))
        source = ogr.Open(str(self.base / "counties.gpkg"))
        for f in source.GetLayer(0):
            ring = borders[f["NAME"]][0]
            points = list(zip(ring[::2], ring[1::2]))
            area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1]))) / 2
            self.assertAlmostEqual(1, area / f.GetGeometryRef().GetArea(), delta=0.002)
        for (name, x, y, rings) in self.data["borders"]:
            xs, ys = rings[0][::2], rings[0][1::2]
            self.assertTrue(min(xs) < x < max(xs) and min(ys) < y < max(ys), name)

    @unittest.skipUnless(shutil.which("pdftotext"), "poppler-utils is not installed")
    def test_the_paper_says_what_it_was_made_of_and_how_to_read_its_map(self):
        for word in ("县界", "1 km", "approvals.shp", "规则集：2023-03-01", *self.data["looks"], *two_batches.COUNTIES):
            self.assertIn(word, self.paper)
        self.assertIn(f'（逾期 {max(row[3] for row in self.data["tables"]["counties"])}）', self.paper)

    @unittest.skipUnless(shutil.which("pdftotext"), "poppler-utils is not installed")
    def test_the_same_on_paper(self):
        for code, count, listed, before, now in self.data["tables"]["changes"]:
            word = self.data["words"]["changes"][code][0].replace("（", ".").replace("）", ".")
            self.assertRegex(self.paper, rf"{word} +{count} +{listed} +{before / 1e4:.2f} +{now / 1e4:.2f}")
        for name, checked, confirmed, lawful, none in self.data["hits"]["tier"] + self.data["hits"]["county"]:
            self.assertRegex(self.paper, rf"{name} +{checked} +{confirmed} +{lawful} +{none} +{round(confirmed / checked * 100)} *%")

    def test_a_later_check_makes_the_report_anew(self):
        """Feedback changes hit rates and nothing else of the run's inputs: the report must notice."""
        old = self.report.read_bytes()
        case = self.then[-1]["spot"]
        (self.base / "more.csv").write_text(f"QDNM,BYD,RST,XCFHR,DATE\n{case},合规,1,另一人,2023-11-01\n", encoding="utf-8")
        options = ["-c", self.base / "run.yaml", "-q"]
        harness.shuibao("feedback", *options, "--batch", two_batches.BEFORE, "-o", self.base / "output_before", self.base / "more.csv")
        harness.shuibao("export", *options, "--batch", two_batches.NOW, "--set", "export.formats=[report]")
        self.assertNotEqual(old, self.report.read_bytes())
        page = self.report.read_text(encoding="utf-8")
        self.assertIn(f'"all":["",{self.data["hits"]["all"][1] + 1},', page)


class Problems(harness.ArchiveTest):
    size, sites, seed = 400, 16, 5

    def test_problems_are_told_in_words_without_the_paths_of_the_server(self):
        image = sorted((self.archive / "images").glob("*.tif"))[0]
        image.write_bytes(image.read_bytes()[:20000])
        _, output, _ = self.run_all("problems", "--set", "export.formats=[report]", code=3)
        record = json.loads((output / "run.json").read_text(encoding="utf-8"))["problems"]
        self.assertTrue(any(str(self.base) in p["what"] for p in record), "the record itself names no path: nothing is shown")
        page = next((output / "export").glob("report_*.html")).read_text(encoding="utf-8")
        data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])
        self.assertEqual(len(record), len(data["problems"]))
        for stage, stage_en, unit, zh, en in data["problems"]:
            self.assertRegex(stage + zh, "^[\u4e00-\u9fff，、（）]+$")
            self.assertNotRegex(stage_en + en, "[\u4e00-\u9fff]")
        self.assertNotIn(str(self.base), page)
        if shutil.which("pdftotext"):
            paper = subprocess.run(["pdftotext", next((output / "export").glob("report_*.pdf")), "-"], capture_output=True, text=True,
                                   check=True).stdout
            self.assertIn("影像清单", paper)
            self.assertTrue(data["unobserved"], "the world shows too little")
            self.assertIn("未观测：无影像不等于无扰动", paper)
            self.assertNotIn(str(self.base), paper)


class Phrases(unittest.TestCase):
    def test_every_verdict_and_tier_of_the_program_has_its_english(self):
        known = (harness.SOURCE / "configs/dictionaries/report.yaml").read_text(encoding="utf-8").split("phrases:")[1]
        judge = (harness.SOURCE / "algorithms/compliance/judge.cpp").read_text(encoding="utf-8")
        score = (harness.SOURCE / "algorithms/risk/score.cpp").read_text(encoding="utf-8")
        said = re.findall(r'decide\(Verdict::\w+, "([^"]+)"', judge)
        # The last Chinese text of each hard(…) is the name of the rule.
        body = re.search(r"void hard_rules\(\) \{.*?\n    \}", score, re.S)[0]
        for call in re.findall(r"hard\(.*?\);", body, re.S):
            said.append("硬性规则：" + [t for t in re.findall(r'"([^"]*)"', call) if re.search("[\u4e00-\u9fff]", t) and "%" not in t][-1].strip())
        self.assertGreater(len(said), 15)
        self.assertEqual([], [text for text in said if text not in known])


class LongTables(unittest.TestCase):
    @unittest.skipUnless(shutil.which("pdftotext"), "poppler-utils is not installed")
    def test_a_table_that_goes_over_pages_has_its_heads_on_each_and_loses_no_row(self):
        names = [f"第{n:02}县" for n in range(90)]
        counties = {name: (x := 111.2 + 0.06 * (n % 15), y := 32.4 + 0.06 * (n // 15), x + 0.05, y + 0.05)
                    for n, name in enumerate(names)}
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as folder:
            base = Path(folder) / "city"
            config = package_world.make(base, per_county=1, counties=counties)
            found = rows(base / "output/disturbances.gpkg", "disturbances")
            self.assertEqual(set(names), {r["county"] for r in found})
            lines = "".join(f"{r['spot']},未批先建,1,某人,2024-06-01\n" for r in found)
            (base / "checked.csv").write_text("QDNM,BYD,RST,XCFHR,DATE\n" + lines, encoding="utf-8")
            harness.shuibao("feedback", "-c", config, "-q", base / "checked.csv")
            harness.shuibao("export", config, "-q", "--set", "export.formats=[report]")
            paper = next((base / "output/export").glob("report_*.pdf"))
            text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
        pages = [p for p in text.split("\f") if re.search(r"第\d\d县 +1 +1 +0 +0 +100 *%", p)]
        self.assertGreaterEqual(len(pages), 2, "the table is too short")
        told = [name for p in pages for name in re.findall(r"(第\d\d县) +1 +1 +0 +0 +100 *%", p)]
        self.assertEqual(sorted(names), sorted(told))
        for p in pages:
            first = re.search(r"第\d\d县 +1 +1 +0 +0 +100 *%", p).start()
            self.assertRegex(p[:first], r"县区 +已复核 +认定违法违规 +合规 +非扰动 +命中率 *\n\s*$")


if __name__ == "__main__":
    harness.main()
