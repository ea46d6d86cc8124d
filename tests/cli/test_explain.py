# SPDX-License-Identifier: Apache-2.0
"""From polygons to the reasoning of one case: whoever reads `explain` can do the sum and every comparison again."""
import json
import re
import tempfile
import unittest
from pathlib import Path

import yaml
from osgeo import ogr

from harness import SOURCE, main, shuibao
import layers

X, Y = 500000, 3600000
RULES = yaml.safe_load((SOURCE / "configs/rules/2023-03-01.yaml").read_text(encoding="utf8"))["items"]


def box(x0, y0, x1, y1):
    return layers.box(X + x0, Y + y0, X + x1, Y + y1)


def layer(path, fields, rows):
    types = {name: ogr.OFTReal if name in ("confidence", "DAREA") else ogr.OFTString for name in fields}
    layers.write_layer(path, 4546, types, [(shape, dict(zip(fields, values))) for shape, *values in rows], kind=ogr.wkbUnknown)


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        b = cls.base = Path(cls.folder.name)
        fields = ("QTYPE", "onset_from", "onset_to", "confidence", "QDTYPE")
        layer(b / "drawn.gpkg", fields, [
            (box(0, 0, 200, 150), "弃渣场", "2023-06-01", "2023-09-01", 0.9, ""),              # 1: in a river range
            (box(3000, 0, 3200, 150), "其他扰动", "2023-06-01", "2023-09-01", 0.9, ""),       # 2: no range, key area
            (box(6000, 0, 6200, 200), "其他扰动", "2023-06-01", "2023-09-01", 0.9, "续建（范围扩大）"),  # 3: half outside
            (box(9000, 0, 9200, 150), "其他扰动", "2023-06-01", "2023-09-01", 0.3, ""),       # 4: unsure
            (box(12000, 0, 12200, 150), "其他扰动", "2021-06-01", "2021-09-01", 0.9, ""),     # 5: before the order of 2023
            (box(15000, 0, 15400, 400), "其他扰动", "2023-06-01", "2023-09-01", 0.9, ""),     # 6: 16 hm²
        ])
        layer(b / "ranges.gpkg", ("PRID", "PRNM", "SADT", "DAREA", "CREDIT"), [
            (box(6000, 0, 6200, 100), "A", "某园区", "2022-05-01", 100.0, "黑名单"),
            (box(12000, 0, 12200, 150), "B", "某路", "2017-05-01", 3.0, "A")])
        layer(b / "river.gpkg", ("NAME",), [(box(-50, -50, 250, 50), "某河")])
        layer(b / "key.gpkg", ("NAME",), [(box(2900, -100, 3300, 300), "丹江口库区")])
        layer(b / "steep.gpkg", ("NAME",), [(box(2900, -100, 3300, 300), "陡坡一")])
        layer(b / "county.gpkg", ("NAME",), [(box(-1000, -1000, 8000, 1000), "甲县"), (box(8000, -1000, 20000, 1000), "乙县")])
        layer(b / "clues.gpkg", ("NAME",), [(ogr.CreateGeometryFromWkt(f"POINT({X+3690} {Y+100})"), "举报一"),
                                            (ogr.CreateGeometryFromWkt(f"POINT({X+9705} {Y+100})"), "510 m 外")])
        cls.zones = f"{{river: {b}/river.gpkg, key_prevention: {b}/key.gpkg, steep: {b}/steep.gpkg, county: {b}/county.gpkg}}"
        cls.where = ["--batch", "202406", "--store", b / "store", "-o", b / "output", "-q"]
        shuibao("screen", "--disturbances", b / "drawn.gpkg", "--approvals", b / "ranges.gpkg", "--set", f"zones.layers={cls.zones}",
                "--clues", b / "clues.gpkg", *cls.where)
        shuibao("rank", *cls.where)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def explain(self, n, *args):
        return json.loads(shuibao("explain", f"202406-{n:05}", "--json", *self.where, *args).stdout)

    def ranked(self, layer="disturbances"):
        data = ogr.Open(str(self.base / "output/disturbances.gpkg"))
        return {f["case_id"]: f.items() for f in data.GetLayerByName(layer)}

    def test_every_point_and_comparison_can_be_done_again(self):
        points = {1: {"unapproved_spoil": 30, "area_2": 10, "zone_hazard": 15, "spoil_above": 5},
                  2: {"unapproved": 25, "area_2": 10, "zone_grade_1": 12, "zone_second": 3, "clue": 5},
                  # 2 hm² beyond, less the tolerance of 10 m; 1.9 of 100 hm²
                  3: {"exceeds": 6, "area_1": 5, "credit_listed": 8, "grown": 5},
                  4: {"unapproved": 25, "area_2": 10}, 5: {}, 6: {"unapproved": 25, "area_4": 20}}
        tiers = {1: "高", 2: "中", 3: "低", 4: "低", 5: "无", 6: "高"}
        rows = self.ranked()
        for n, want in points.items():
            with self.subTest(case=n):
                j = self.explain(n)
                row = rows[j["case"]]
                got = {p["rule"].removeprefix("points_"): p["points"] for p in j["risk"]["points"]}
                self.assertEqual(got, want)
                self.assertEqual(j["risk"]["severity"], sum(want.values()))
                self.assertEqual((row["severity"], row["tier"], row["verdict"]), (sum(want.values()), tiers[n], j["verdict"]["code"]))
                self.assertEqual(j["risk"]["tier"], tiers[n])
                for p in j["risk"]["points"]:
                    self.assertEqual((p["points"], p["basis"]), (RULES[p["rule"]]["value"], RULES[p["rule"]]["basis"]))
                self.assertGreater(len(j["steps"]), 6)
                self.assertTrue(any(s["holds"] for s in j["steps"]) or row["verdict"] == "compliant")
                # Comparisons with one number: what is written gives the result that is written.
                below = {"min_area_m2", "min_overlap", "report_form_m2"}
                compared = set()
                for s in j["steps"]:
                    value = re.match(r"^([0-9.]+) (%|m²)$", s["value"])
                    item = s.get("compared_with", {}).get("item")
                    if value and item in below | {"report_book_m2", "major_change_share", "exceed_area_m2"}:
                        number = float(value[1]) / (100 if value[2] == "%" else 1)
                        limit = s["compared_with"]["number"]
                        self.assertEqual(s["holds"], number < limit if item in below else number >= limit, s)
                        compared.add(item)
                self.assertLessEqual({"min_area_m2", "min_overlap"}, compared)

    def test_facts_are_those_of_the_shapes(self):
        j = self.explain(3)
        self.assertAlmostEqual(j["facts"]["area_m2"], 40000, delta=0.1)
        self.assertAlmostEqual(j["facts"]["outside_m2"], 20000, delta=0.1)
        self.assertAlmostEqual(j["facts"]["outside_tolerant_m2"], 18000, delta=0.1)
        self.assertEqual(j["links"]["approval_id"], "A")
        self.assertEqual((j["links"]["county"], self.explain(6)["links"]["county"]), ("甲县", "乙县"))
        self.assertEqual(self.explain(2)["risk"]["articles"][0]["article"][0], "水土保持法第十二条、第二十四条")

    def test_what_was_looked_at_besides(self):
        j = self.explain(3)
        (part,) = j["project_sum"]["parts"]
        self.assertEqual(part["case"], "202406-00003")
        self.assertAlmostEqual(part["outside_tolerant_m2"], 18000, delta=0.1)
        self.assertEqual((j["project_sum"]["project"], j["project_sum"]["project_area_m2"]), ("A", 1000000))
        # Tier: every hard rule and every limit, with the number it was compared with.
        steps = {s["compared_with"]["item"]: s for s in j["risk"]["steps"] if "compared_with" in s}
        self.assertLessEqual({"high_severity", "high_confidence", "medium_severity", "medium_confidence", "low_severity", "wait_confidence",
                              "major_change_share", "high_unapproved_m2"}, set(steps))
        for item, s in steps.items():
            self.assertEqual(s["compared_with"]["number"], RULES[item]["value"])
        self.assertEqual((steps["low_severity"]["value"], steps["low_severity"]["holds"], steps["medium_severity"]["holds"]), ("24", True, False))
        self.assertTrue(any("崩塌" in s["question"] for s in j["risk"]["steps"]))
        # The test of a site that moved, where it fails.
        for n, value in ((6, "2000 m 内 0 个项目"), (2, "2000 m 内 0 个项目")):
            tried = [s for s in self.explain(n)["steps"] if s.get("compared_with", {}).get("item") == "relocation_distance_m"]
            self.assertEqual([(s["value"], s["holds"]) for s in tried], [(value, False)])
        # Files and hashes.
        used = {entry["layer"]: entry for entry in j["layers"]}
        self.assertLessEqual({"disturbances", "approvals", "river", "key_prevention", "steep", "county", "clues"}, set(used))
        self.assertEqual(used["approvals"]["file"], "ranges.gpkg")
        text = shuibao("explain", "202406-00003", *self.where).stdout
        self.assertIn(f"approvals: ranges.gpkg ({used['approvals']['hash']})", text)
        self.assertIn("Σ EAREA_T of project A: ", text)
        # A clue is told by its name.
        clue = [p["value"] for p in self.explain(2)["risk"]["points"] if p["rule"] == "points_clue"]
        self.assertEqual(clue, ["1 条：举报一"])

    def test_the_law_of_the_day_it_began(self):
        self.assertEqual(self.explain(5)["rule_set"]["name"], "2011-03-01")
        self.assertEqual(self.explain(3)["rule_set"]["name"], "2023-03-01")
        self.assertNotIn("ART18", [f["code"] for f in self.explain(5)["flags"]])
        counts = json.loads((self.base / "store/batches/202406/screened.json").read_text())
        self.assertEqual([(s["name"], s["cases"]) for s in counts["rule_sets"]], [("2011-03-01", 1), ("2023-03-01", 5)])
        self.assertEqual(counts["verdicts"], {"compliant": 1, "exceeds": 1, "unapproved": 3, "unapproved_spoil": 1})

    def test_as_text(self):
        text = shuibao("explain", "202406-00001", *self.where).stdout
        for part in ("疑似未批先弃", "不是违法认定", "水土保持法第二十八条", "hard rule: 河湖管理范围内的未批弃渣", "points_zone_hazard = 15",
                     "min_overlap = 0.01 share (project default)"):
            self.assertIn(part, text)
        self.assertRegex(text, r"图斑面积（m²）：(29999\.99|30000\.00?)")
        # The names of facts are words, the codes are for programs: none is left in the text, and each is in the dictionary.
        names = yaml.safe_load((SOURCE / "configs/dictionaries/explain.yaml").read_text(encoding="utf8"))
        facts = text.split("\nfacts\n")[1].split("\nrules tried")[0]
        self.assertIn("地面类别：弃渣场", facts)
        self.assertIn("几何有效：是", facts)
        self.assertIn("敏感区：某河（river），占图斑比例 0.33", facts)
        self.assertNotRegex(facts, r"(?m)^  [a-z_]+[：:] ")
        for n in range(1, 7):
            j = self.explain(n)
            self.assertLessEqual(set(j["facts"]), set(names["facts"]))
            self.assertLessEqual(set(j.get("links", {})), set(names["links"]))
            self.assertIn(j["facts"]["type"], names["values"])

    def test_people_decide_otherwise(self):
        file = self.base / "decided.yaml"
        file.write_text("- {case: 202406-00002, tier: 高, by: 张三, date: 2024-07-01, reason: 群众多次反映}\n"
                        "- {case: 202406-00006, verdict: compliant, by: 李四, date: 2024-07-02, reason: 批复未入库}\n", encoding="utf8")
        where = [*self.where, "--set", f"rank.overrides={file}"]
        for _ in range(2):  # again gives the same
            shuibao("rank", *where)
            rows = self.ranked()
            self.assertEqual((rows["202406-00002"]["tier"], rows["202406-00002"]["severity"]), ("高", 55))
            self.assertEqual(rows["202406-00002"]["decided"], "张三（2024-07-01）：群众多次反映；原为 中")
            self.assertEqual((rows["202406-00006"]["verdict"], rows["202406-00006"]["tier"]), ("compliant", "无"))
        self.assertEqual(self.explain(2, "--set", f"rank.overrides={file}")["risk"]["decided"]["by"], "张三")
        for text, message in (("- {case: 202406-00002, tier: 高, by: 张三, date: 2024-07-01}\n", "decided.yaml:1: an override needs 'reason'."),
                              ("\n- {case: a, teir: 高}\n", "decided.yaml:2: an override has no 'teir'."),
                              ("- {case: a, tier: 特高, by: b, date: 2024-07-01, reason: c}\n", "decided.yaml:1: there is no tier '特高'."),
                              ("- {case: a, verdict: 未批先建, by: b, date: 2024-07-01, reason: c}\n", "there is no verdict '未批先建'."),
                              ("- {case: a, tier: low, by: b, date: soon, reason: c}\n", "decided.yaml:1: 'soon' is no day."),
                              ("- {case: a, tier: low, by: b, date: 2024-07-01, reason: c}\n" * 2, "decided.yaml:2: case a stands in line 1 already."),
                              ("case: a\n", "decided.yaml:1: overrides are a list."), ("- [\n", "this is not YAML")):
            file.write_text(text, encoding="utf8")
            self.assertIn(message, shuibao("rank", *where, code=2).stderr)
        file.write_text("- {case: 202406-00099, tier: low, by: b, date: 2024-07-01, reason: c}\n", encoding="utf8")
        self.assertIn("No batch of the ledger has a case 202406-00099.", shuibao("rank", *where, code=3).stderr)
        shuibao("rank", *self.where)

    def test_so_many_for_each_county(self):
        shuibao("rank", *self.where, "--county-capacity", 1)
        self.assertEqual(sorted(self.ranked("suspects")), ["202406-00001", "202406-00006"])
        self.assertEqual(len(self.ranked()), 6)
        shuibao("rank", *self.where)

    def test_what_cannot_be_explained(self):
        for case, message in (("202406-00099", "The batch has no case 202406-00099."), ("nonsense", "'nonsense' is no case."),
                              ("202001-00001", "Batch 202001 has no verdicts yet.")):
            self.assertIn(message, shuibao("explain", case, *self.where, code=2).stderr)
        strict = self.base / "2023-03-01.yaml"
        text = (SOURCE / "configs/rules/2023-03-01.yaml").read_text(encoding="utf8")
        strict.write_text(text.replace("exceed_area_m2:        {value: 1000,", "exceed_area_m2:        {value: 90000,"), encoding="utf8")
        done = shuibao("explain", "202406-00003", *self.where, "--set", f"rules.file={strict}", code=4)
        self.assertIn("the verdict would be compliant, not exceeds", done.stderr)

    def test_zone_layers_that_cannot_be_used(self):
        screen = ["--disturbances", self.base / "drawn.gpkg", "--approvals", self.base / "ranges.gpkg", *self.where]
        for layers, code, message in ((f"{{rivre: {self.base}/river.gpkg}}", 2, "zones.layers has no kind 'rivre'"),
                                      (f"{{river: {self.base}/nowhere.gpkg}}", 4, "nowhere.gpkg does not exist")):
            self.assertIn(message, shuibao("screen", *screen, "--set", f"zones.layers={layers}", code=code).stderr)


class Around(unittest.TestCase):
    """Clues, owners, creeping: small worlds of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)

    def run_batch(self, batch, *args, code=0):
        where = ["--batch", batch, "--store", self.base / "store", "-o", self.base / batch, "-q"]
        done = shuibao("screen", "--disturbances", self.base / "drawn.gpkg", "--approvals", self.base / "ranges.gpkg", *args, *where, code=code)
        shuibao("rank", *where)
        data = ogr.Open(str(self.base / batch / "disturbances.gpkg"))
        rows = {f["case_id"]: f.items() for f in data.GetLayerByName("disturbances")}
        return rows, done.stderr

    def draw(self, *shapes, **values):
        fields = {"onset_from": "2023-12-01", "onset_to": "2024-03-01", **values}
        layer(self.base / "drawn.gpkg", tuple(fields), [(shape, *fields.values()) for shape in shapes])

    def test_clues_near_a_lawful_site(self):
        layer(self.base / "ranges.gpkg", ("PRID", "SADT"), [(box(0, 0, 1000, 100), "A", "2023-05-01")])
        layer(self.base / "zone.gpkg", ("NAME",), [(box(-500, -500, 5000, 5000), "库区")])
        point = ogr.CreateGeometryFromWkt(f"POINT({X + 100} {Y + 150})")
        layers.write_layer(self.base / "clues.gpkg", 4546, {"XSBH": ogr.OFTString, "举报时间": ogr.OFTString}, [
            (point, {"XSBH": "12345-7", "举报时间": "2024年5月1日"}), (ogr.Geometry(ogr.wkbPoint), {"XSBH": "12345-8"}), (point, {})],
            kind=ogr.wkbPoint)
        self.draw(box(50, 10, 450, 60))
        rows, talk = self.run_batch("202403", "--clues", self.base / "clues.gpkg", "--set", f"zones.layers={{water_source: {self.base}/zone.gpkg}}",
                                    code=3)
        self.assertRegex(talk, r"clues.gpkg:2.*The row has no place on the map.")
        row = rows["202403-00001"]
        self.assertEqual((row["verdict"], row["tier"], row["severity"]), ("compliant", "无", 17))
        points = {p["rule"].split(":")[1]: p["value"] for p in json.loads(row["reasons"])}
        self.assertEqual(points, {"points_zone_grade_1": "库区", "points_clue": "2 条：12345-7（2024-05-01）、第 3 行"})

    def test_what_is_known_of_an_owner_follows_him(self):
        fields = ("PRID", "PRNM", "SADT", "JSZT", "DPOZ", "PRTYPE", "CREDIT")
        layer(self.base / "ranges.gpkg", fields, [
            (box(0, 0, 200, 200), "P1", "空项目", "2023-05-01", "施工", "甲公司", "公路工程", "D"),
            (box(50000, 0, 50200, 200), "P2", "另一项目", "2023-05-01", "", "甲公司", "公路工程", "C"),
            (box(60000, 0, 60200, 200), "P3", "旧项目", "2023-05-01", "", "乙公司", "公路工程", "C"),
            (box(70000, 0, 70200, 200), "P4", "新项目", "2023-05-01", "", "乙公司", "公路工程", "")])
        shapes = [box(900, 0, 1100, 200), box(90000, 0, 90200, 200), box(50000, 0, 50200, 200), box(70000, 0, 70200, 200)]
        owners = ["甲公司", "甲公司", "", "", "丙公司"]
        layer(self.base / "drawn.gpkg", ("DPOZ", "onset_from", "onset_to"),
              [(shape, owner, "2023-12-01", "2024-03-01") for shape, owner in zip([*shapes, box(95000, 0, 95200, 200)], owners)])
        rows, _ = self.run_batch("202403")
        got = []
        for row in rows.values():
            credit = [(p["points"], p["source"]) for p in json.loads(row["reasons"]) if p["item"] == "信用等级"]
            got.append((row["case_id"][-1], row["verdict"], row["project_type"], row["approval_id"], credit))
        plain, by = "防治责任范围图层", "防治责任范围图层：建设单位 {} 的项目 {}"
        self.assertEqual(sorted(got, key=lambda g: g[0]), [
            ("1", "relocated", "公路工程", None, [(8, plain)]),                        # the project that moved
            ("2", "unapproved", None, None, [(8, by.format("甲公司", "空项目"))]),     # the worst of the owner
            ("3", "compliant", "公路工程", "P2", [(4, plain)]),                        # its own
            ("4", "compliant", "公路工程", "P4", [(4, by.format("乙公司", "旧项目"))]),  # none of its own
            ("5", "unapproved", None, None, [])])
        # Why the second one has not moved, and which of these projects could not have.
        tried = [s["value"] for s in json.loads(shuibao("explain", "202403-00002", "--store", self.base / "store", "--json").stdout)["steps"]
                 if s.get("compared_with", {}).get("item") == "relocation_distance_m"]
        self.assertEqual(tried, ["2000 m 内 0 个项目"])

    def test_why_nothing_moved_here(self):
        fields = ("PRID", "SADT", "JSZT", "DPOZ")
        layer(self.base / "ranges.gpkg", fields, [
            (box(0, 0, 200, 200), "idle", "2023-05-01", "停工", ""), (box(300, 0, 500, 200), "undated", "", "施工", ""),
            (box(600, 0, 800, 200), "later", "2024-05-01", "施工", ""), (box(900, 0, 1100, 200), "owner", "2023-05-01", "施工", "乙"),
            (box(1200, 0, 1230, 30), "small", "2023-05-01", "施工", ""), (box(1300, 0, 1500, 200), "busy", "2023-05-01", "施工", "")])
        layer(self.base / "drawn.gpkg", ("onset_from", "onset_to", "DPOZ"),
              [(box(1600, 300, 1800, 500), "2023-12-01", "2024-03-01", "甲"), (box(1300, 0, 1500, 200), "2023-12-01", "2024-03-01", "甲")])
        self.run_batch("202403")
        steps = json.loads(shuibao("explain", "202403-00001", "--store", self.base / "store", "--json").stdout)["steps"]
        tried = [s["value"] for s in steps if s.get("compared_with", {}).get("item") == "relocation_distance_m"]
        self.assertEqual(tried, ["2000 m 内 6 个项目：1 个非在建，1 个批复时间缺失，1 个批复晚于扰动，1 个范围内已有扰动，1 个建设单位不同，"
                                 "1 个面积相差超过倍数"])

    def test_only_what_grows_outside_creeps(self):
        layer(self.base / "ranges.gpkg", ("PRID", "SADT"), [(box(0, 0, 1000, 100), "A", "2023-05-01"), (box(2000, 0, 3000, 100), "B", "2023-05-01")])
        for k, (batch, tiers) in enumerate((("202403", "无无"), ("202406", "无无"), ("202409", "低无"), ("202412", "低无"))):
            wide = 60 + 140 * k  # m of the border that the first one crosses by 1.5 m; δ is 2 m
            # The second one grows as much, inside; what it has outside stays.
            layers.write_layer(self.base / "drawn.gpkg", 4546, {"onset_from": ogr.OFTString, "onset_to": ogr.OFTString, "gsd": ogr.OFTReal},
                               [(shape, {"onset_from": "2023-12-01", "onset_to": "2024-03-01", "gsd": 2.0}) for shape in (
                                   box(50, 50, 50 + wide, 101.5), box(2050, 10, 2050 + wide, 60).Union(box(2060, 50, 2090, 101.5)))])
            rows, _ = self.run_batch(batch)
            with self.subTest(batch=batch):
                self.assertEqual("".join(rows[f"202403-0000{n}"]["tier"] for n in (1, 2)), tiers)
                self.assertEqual({r["verdict"] for r in rows.values()}, {"compliant"})
        self.assertEqual(rows["202403-00001"]["tier_reason"], "容差内超出，连续 3 期扩大")
        text = shuibao("explain", "202403-00001", "--store", self.base / "store").stdout
        self.assertRegex(text, r"续建（范围扩大）（\+\d+ m²，(tolerance|change_share|change_area_m2) = \d+ m²）")


if __name__ == "__main__":
    main()
