#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What assess says beyond the scores: recall by size, wrong objects by the land under them, delay after the first clear
view from the alarms that a state keeps, and object by object. Oracle: shapes and days drawn by hand."""
import datetime
import json
import tempfile
import unittest
from pathlib import Path

from osgeo import gdal, ogr

from harness import ArchiveTest, main, shuibao
from layers import box, reference, write_layer

gdal.UseExceptions()
LEFT, TOP = 680000, 3655000


def layer(path, name, fields, rows):
    """rows: (x, y, width, height in pixels of 10 m from the upper left corner, values)."""
    def pixels(x, y, w, h):
        return box(LEFT + 10 * x, TOP - 10 * (y + h), LEFT + 10 * (x + w), TOP - 10 * y)
    write_layer(path, 32649, fields, [(pixels(*place), values) for *place, values in rows], name)


class AssessDetails(ArchiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth, cls.found = cls.base / "truth.gpkg", cls.base / "found.gpkg"
        cls.cover = cls.base / "cover.tif"
        layer(cls.truth, "truth", {"truth_id": ogr.OFTInteger, "kind": ogr.OFTString, "onset": ogr.OFTDate},
              [(10, 10, 4, 5, {"truth_id": 0, "kind": "road", "onset": "2023/03/05"}),
               (30, 10, 5, 4, {"truth_id": 1, "kind": "spoil", "onset": "2023/03/05"}),
               (60, 60, 15, 15, {"truth_id": 2, "kind": "quarry", "onset": "2023/06/05"}),
               (90, 90, 2, 2, {"truth_id": 3, "kind": "road", "onset": "2023/06/05"})])  # too small to count
        day = {"onset_from": "2023/03/01", "onset_to": "2023/03/11", "confidence": 0.9, "image_type": "undetermined"}
        fields = {"onset_from": ogr.OFTDate, "onset_to": ogr.OFTDate, "confidence": ogr.OFTReal, "image_type": ogr.OFTString}
        layer(cls.found, "disturbances", fields,
              [(10, 10, 4, 5, {**day, "image_type": "road"}), (60, 60, 15, 14, day),  # two sites,
               (5, 50, 4, 4, day), (70, 5, 4, 4, day), (80, 5, 4, 4, day)])  # and three that are none
        image = gdal.GetDriverByName("GTiff").Create(str(cls.cover), 100, 100, 1, gdal.GDT_Byte)
        image.SetGeoTransform((LEFT, 10, 0, TOP, 0, -10))
        image.SetProjection(reference(32649).ExportToWkt())
        values = image.GetRasterBand(1).ReadAsArray()
        values[:, :50], values[:, 50:] = 1, 2
        image.GetRasterBand(1).WriteArray(values)
        image.SetMetadataItem("CLASS_1", "wheat")
        del image

    def assess(self, *options, code=0):
        done = shuibao("assess", self.truth, "--found", self.found, "--json", *options, code=code)
        return json.loads(done.stdout) if code == 0 else done.stderr

    def test_recall_by_size(self):
        j = self.assess()
        self.assertEqual(j["by_size"], {"below_half_hm2": {"truth": 2, "recall": 0.5},
                                        "from_1_hm2": {"truth": 1, "recall": 1.0}})
        self.assertNotIn("sites", j)
        self.assertNotIn("wrong_by_cover", j)

    def test_a_site_is_reached_where_any_of_it_was_found(self):
        # Of the spoil heap a corner is found together with a little beside it: not enough to count as found, enough to
        # be led there. What lies mostly elsewhere leads nobody.
        self.assertEqual(self.assess()["objects"]["reached"], 0.6667)
        for size, reached in ((2, 0.75), (9, 0.5)):
            found = self.base / f"corner{size}.gpkg"
            layer(found, "disturbances", {"confidence": ogr.OFTReal},
                  [(10, 10, 4, 5, {}), (60, 60, 15, 14, {}), (33, 12, size, size, {})])
            j = json.loads(shuibao("assess", self.truth, "--found", found, "--json", "--min-object", 100).stdout)["objects"]
            self.assertEqual((j["recall"], j["reached"]), (0.5, reached))

    def test_wrong_objects_by_cover(self):
        # 100 × 100 pixels are 100 hm²; the truth takes 40 pixels of the left half and 225 + 4 of the right one.
        self.assertEqual(self.assess("--cover", self.cover)["wrong_by_cover"],
                         {"wheat": {"unchanged_hm2": 49.6, "wrong": 1}, "2": {"unchanged_hm2": 47.71, "wrong": 2}})

    def test_what_sites_were_taken_for(self):
        # The spoil heap was not found; the small road does not count.
        self.assertEqual(self.assess()["types"], {"road": {"road": 1}, "quarry": {"undetermined": 1},
                                                  "(not in the reference)": {"undetermined": 3}})

    def test_each(self):
        j = self.assess("--cover", self.cover, "--each")
        self.assertEqual([(s["truth_id"], s["kind"], s["found"], s["found_to"], s["cover"]) for s in j["sites"]],
                         [("0", "road", True, "2023-03-11", "wheat"), ("1", "spoil", False, None, "wheat"),
                          ("2", "quarry", True, "2023-03-11", "2")])
        self.assertEqual([(w["cover"], w["area"]) for w in j["wrong"]], [("wheat", 1600), ("2", 1600), ("2", 1600)])

    def test_a_method_without_days_of_alarm_is_refused(self):
        words = self.assess("--alarms-of", "pair", code=2)
        self.assertIn("The method 'pair' keeps no days of alarm.", words)
        self.assertIn("There is no 'soon'.", self.assess("--alarms-of", "soon", code=2))

    def test_a_cover_that_is_none(self):
        self.assertIn("nothing.tif", self.assess("--cover", self.base / "nothing.tif", code=4))


class Verdicts(unittest.TestCase):
    def test_the_whole_table(self):
        """Six sites of known verdict, one not found, one found where nothing is; counted by hand. Kappa by Cohen (1960):
        of 5 found 3 agree; by chance (3·2 + 1·2 + 1·1)/25."""
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as folder:
            truth, found, expected = Path(folder, "truth.gpkg"), Path(folder, "found.gpkg"), Path(folder, "expected.csv")
            # Of the second one the CSV says otherwise: unapproved.
            is_said = [("疑似未批先建", "unapproved"), ("exceeds", "unapproved"), ("疑似未批先建", "exceeds"), ("合规", "compliant"),
                       ("exceeds", "compliant"), ("exceeds", None)]
            layer(truth, "truth", {"truth_id": ogr.OFTInteger, "verdict": ogr.OFTString},
                  [(20 * i, 10, 10, 10, {"truth_id": i, "verdict": v}) for i, (v, _) in enumerate(is_said)])
            layer(found, "disturbances", {"verdict": ogr.OFTString},
                  [(20 * i, 10, 10, 10, {"verdict": v}) for i, (_, v) in enumerate(is_said) if v]
                  + [(20, 80, 10, 10, {"verdict": "unapproved"})])
            expected.write_text("truth_id,verdict\n1,疑似未批先建\n", encoding="utf8")
            command = ["assess", truth, "--found", found, "--verdicts", "--expected", expected]
            j = json.loads(shuibao(*command, "--json").stdout)["verdicts"]
            self.assertEqual(j["table"], {"unapproved": {"unapproved": 2, "exceeds": 1}, "compliant": {"compliant": 1},
                                          "exceeds": {"compliant": 1, "(not found)": 1},
                                          "(not in the reference)": {"unapproved": 1}})
            self.assertEqual(j["by_verdict"]["unapproved"], {"is": 3, "said": 3, "right": 2, "precision": 0.6667, "recall": 0.6667})
            self.assertEqual(j["by_verdict"]["exceeds"], {"is": 2, "said": 1, "right": 0, "precision": 0, "recall": 0})
            self.assertEqual(j["by_verdict"]["compliant"], {"is": 1, "said": 2, "right": 1, "precision": 0.5, "recall": 1})
            self.assertEqual(j["accuracy_of_found"], 0.6)
            self.assertAlmostEqual(j["kappa"], (0.6 - 9 / 25) / (1 - 9 / 25), places=4)
            text = shuibao(*command).stdout
            self.assertRegex(text, r"(?m)^exceeds +1 +1 +0 +0$")
            self.assertNotIn("verdicts", json.loads(shuibao(*command[:4], "--json").stdout))


    def test_words_of_the_field_and_what_cannot_be_compared(self):
        with tempfile.TemporaryDirectory(prefix="shuibao_test_") as folder:
            truth, found, expected = Path(folder, "truth.gpkg"), Path(folder, "found.gpkg"), Path(folder, "expected.csv")
            is_said = [("未批先建", "unapproved"), ("可不编报方案", "compliant"), ("超出项目红线", "exceeds"), ("非生产建设项目", "unapproved"),
                       ("unaproved", "unapproved"), ("待核查图斑", "pending")]
            layer(truth, "truth", {"truth_id": ogr.OFTInteger, "BYD": ogr.OFTString},
                  [(20 * i, 10, 10, 10, {"truth_id": i, "BYD": v}) for i, (v, _) in enumerate(is_said)])
            layer(found, "disturbances", {"verdict": ogr.OFTString}, [(20 * i, 10, 10, 10, {"verdict": v}) for i, (_, v) in enumerate(is_said)])
            command = ["assess", truth, "--found", found, "--verdicts", "--json"]
            done = shuibao(*command, code=3)
            self.assertEqual(json.loads(done.stdout)["verdicts"]["table"],
                             {"unapproved": {"unapproved": 1}, "compliant": {"compliant": 1}, "exceeds": {"exceeds": 1},
                              "not_works": {"unapproved": 1}, "pending": {"pending": 1}})
            self.assertRegex(done.stderr, r"truth.gpkg:5.*'unaproved' is no verdict.*Did you mean 'unapproved'\?")
            expected.write_text("truth_id,verdict\n4,unapproved\n99,exceeds\n3,nonsense\n2,\n0,compliant\n0,unapproved\n", encoding="utf8")
            done = shuibao(*command, "--expected", expected, code=3)
            for said in ("expected.csv:3.*The reference has no object 99", "expected.csv:4.*'nonsense' is no verdict",
                         "expected.csv:5.*does not give an object and its verdict", "expected.csv:7.*The object 0 stands in line 6 already"):
                self.assertRegex(done.stderr, said)
            self.assertEqual(json.loads(done.stdout)["verdicts"]["table"]["compliant"], {"unapproved": 1, "compliant": 1})


class Delay(ArchiveTest):
    size, sites, seed = 160, 4, 5
    kind = ("--kind", "series", "--old-sites", 0, "--from", "2021-01-01", "--to", "2022-12-31", "--monitor-from",
            "2022-01-10", "--revisit", 10)

    def test_delay_follows_from_the_alarms_in_the_state(self):
        folder = self.archive
        shuibao("run", "-c", folder / "run.yaml", "-q", "--set", "detect.method=season", "--set",
                "detect.monitor_from=2022-01-01", "--set", "detect.season.reference=1", "--set",
                "detect.season.history_years=2")
        done = shuibao("assess", folder / "truth.gpkg", "-c", folder / "run.yaml", "--alarms-of", "season", "--each",
                       "--json")
        j = json.loads(done.stdout)
        reported = [s for s in j["sites"] if s["found"] and s["reported"] and s["first_clear_m"]]
        self.assertGreater(len(reported), 0, j["sites"])
        self.assertEqual(j["delay"]["dated"], len(reported))
        state = next((folder / "store" / "state" / "season").glob("*/*.tif"))
        image = gdal.Open(str(state))
        names = [image.GetRasterBand(b + 1).GetDescription() for b in range(image.RasterCount)]
        alarms = image.GetRasterBand(names.index("alarm") + 1).ReadAsArray()
        days = {int(v) for v in set(alarms.ravel().tolist()) if v > 0}
        for site in reported:
            self.assertGreater(site["reported"], site["onset"])
            reported_on = datetime.date.fromisoformat(site["reported"]) - datetime.date(1970, 1, 1)
            self.assertIn(reported_on.days, days)
        self.assertGreaterEqual(j["delay"]["nine_of_ten_days"], j["delay"]["median_days"])
        seen = [s for s in j["sites"] if s["first_clear_m"]]
        self.assertEqual(j["delay"]["seen"], len(seen))
        for days in (30, 60, 90, 180, 365):
            soon = [s for s in reported if (datetime.date.fromisoformat(s["reported"])
                                            - datetime.date.fromisoformat(s["first_clear_m"])).days <= days]
            self.assertAlmostEqual(j["delay"]["within"][f"{days}_days"], len(soon) / len(seen), places=4)


if __name__ == "__main__":
    main()
