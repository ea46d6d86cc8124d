# SPDX-License-Identifier: Apache-2.0
"""The ledger over two simulated years (issue: "batches 1…8 give each site one case id for life, with growth, split,
merge and closing as truth says"; lineage: rules §5). Truth stands in tests/support/story.py, not in the program."""
import hashlib
import json
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from osgeo import ogr

from harness import command, environment, main, shuibao, temporaries
from layers import box
from story import BATCHES, X, Y, sites, write_batch, write_ranges

WORDS = {"new": "新增", "grown": "续建（范围扩大）", "shrunk": "续建（范围缩小）", "same": "续建（范围不变）", "finished": "完工"}


def rows(path, layer):
    data = ogr.Open(str(path))
    return [f.items() for f in data.GetLayerByName(layer)]


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Ledger(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.base = Path(cls.folder.name)
        cls.sites = sites(seed=7, n=40)
        (cls.base / "drawn").mkdir()
        # A range far away: everything is 疑似未批先建.
        cls.ranges = cls.base / "ranges.geojson"
        cls.ranges.write_text(json.dumps({
            "type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4546"}},
            "features": [{"type": "Feature", "properties": {"PRID": "far", "PRNM": "远处项目"}, "geometry": json.loads(
                box(X - 90000, Y, X - 89000, Y + 1000).ExportToJson())}]}), encoding="utf8")
        cls.parts = []  # of each batch: what row k is
        for t in range(len(BATCHES)):
            cls.parts.append(write_batch(cls.base / "drawn" / f"{BATCHES[t]}.gpkg", cls.sites, t))
            cls.screen("straight", t)
            cls.rank("straight", t)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def where(cls, name, t):
        return ["--batch", BATCHES[t], "--store", cls.base / name / "store", "-o", cls.base / name / BATCHES[t], "-q"]

    @classmethod
    def screen(cls, name, t, drawn=None, ranges=None):
        shuibao("screen", "--disturbances", (drawn or cls.base / "drawn") / f"{BATCHES[t]}.gpkg", "--approvals",
                ranges or cls.ranges, *cls.where(name, t))

    @classmethod
    def rank(cls, name, t):
        shuibao("rank", *cls.where(name, t))

    def cases(self, name, t):
        """(site number, part) → row of the result of batch t"""
        of_spot = {r["spot"]: r for r in rows(self.base / name / BATCHES[t] / "disturbances.gpkg", "disturbances")}
        return {(s.n, part): of_spot[f"{BATCHES[t]}-{k + 1:05}"] for k, (s, part) in enumerate(self.parts[t])}

    def results(self, name):
        found = {t: digest(self.base / name / BATCHES[t] / "disturbances.gpkg") for t in range(len(BATCHES))}
        for t in range(len(BATCHES)):
            found["state", t] = digest(self.base / name / "store/batches" / BATCHES[t] / "cases.gpkg")
        for file in ("ledger.gpkg", "ledger.json"):
            found[file] = digest(self.base / name / "store" / file)
        return found

    def test_one_id_for_life_as_truth_says(self):
        ids, new = {}, {}
        for t in range(len(BATCHES)):
            for (n, part), row in self.cases("straight", t).items():
                site = self.sites[n]
                with self.subTest(batch=BATCHES[t], site=n, kind=site.kind, part=part, turn=BATCHES[site.turn]):
                    change, parents = site.says(t)[part]
                    key = (n, part)
                    self.assertEqual(ids.setdefault(key, row["case_id"]), row["case_id"], "one id for life")
                    self.assertEqual(row["change_type"], WORDS[change])
                    self.assertEqual(set(filter(None, (row["parents"] or "").split(","))), {ids[n, p] for p in parents})
                    if change == "new":
                        self.assertNotIn(key, new, "the same ground is new twice")
                        new[key] = t
                    self.assertEqual(row["first_batch"], ids[key][:6])
                    self.assertEqual(row["construction"] == "完工", change == "finished")
        self.assertEqual(len(set(ids.values())), len(ids), "no two sites share an id")
        kinds = {s.kind for s in self.sites}
        self.assertEqual(len(kinds), 8, "the story tells of every kind")

    def test_the_ledger_tells_the_same(self):
        file = self.base / "straight/store/ledger.gpkg"
        cases = {r["case_id"]: r for r in rows(file, "cases")}
        how = {(r["how"], r["case_id"]): r["goes_on_in"] for r in rows(file, "lineage")}
        for site in self.sites:
            first = self.cases("straight", site.start)[site.n, ""]["case_id"]
            if site.kind == "merges":
                other = self.cases("straight", site.start)[site.n, "b"]["case_id"]
                self.assertEqual((cases[other]["state"], cases[other]["merged_into"]), ("absorbed", first))
                self.assertEqual(how["merged", other], first)
            if site.kind == "splits" and site.turn > site.start:
                self.assertEqual(cases[how["split", first]]["parents"], first)
            if site.kind == "hidden":
                seen = [r["batch"] for r in rows(file, "history") if r["case_id"] == first]
                self.assertEqual(seen, [b for t, b in enumerate(BATCHES) if site.shows(t)])
        history = rows(file, "history")
        self.assertEqual(len(history), sum(len(p) for p in self.parts))
        self.assertEqual({r["tier"] for r in history} <= {"高", "中", "低", "无"}, True)
        self.assertEqual({r["verdict"] for r in history}, {"unapproved"})
        last = json.loads((self.base / "straight/store/ledger.json").read_text())
        self.assertEqual(last["cases"], len(cases))
        self.assertEqual(sum(last["states"].values()), len(cases))

    def test_late_twice_and_shuffled_gives_what_in_order_gives(self):
        order = list(range(len(BATCHES)))
        random.Random(3).shuffle(order)
        self.assertNotEqual(order, sorted(order))
        for t in order:
            self.screen("late", t)
            self.rank("late", t)
        # Results that went out before a late batch came are made again on request.
        for t in [*order, 2, 2]:
            self.rank("late", t)
        self.assertEqual(self.results("late"), self.results("straight"))

    def test_a_millimetre_and_another_order_change_no_life(self):
        drawn = self.base / "moved"
        drawn.mkdir()
        parts = [write_batch(drawn / f"{b}.gpkg", self.sites, t, shuffle=t + 1, jitter=t + 1) for t, b in enumerate(BATCHES)]
        straight, life = self.parts, {}
        for t in range(len(BATCHES)):
            self.screen("moved", t, drawn)
            self.rank("moved", t)
            want = self.cases("straight", t)
            self.parts = parts
            for key, row in self.cases("moved", t).items():
                self.assertEqual(life.setdefault(key, row["case_id"]), row["case_id"])
                for field in ("change_type", "construction", "first_batch", "state", "verdict", "tier"):
                    self.assertEqual(row[field], want[key][field], (BATCHES[t], key, field))
            self.parts = straight

    def test_another_crs_and_split_ranges_change_no_life(self):
        """Issue, stability: UTM, 3° zones 37 and 38, EPSG:4490, another one in every batch and for the ranges; ranges in
        parts, listed backwards; a millimetre everywhere."""
        few = self.sites[:24]
        batches = (0, 2, 3, 5, 7)
        told = {}
        for name in ("plain", "other"):
            other = name == "other"
            folder = self.base / name
            (folder / "drawn").mkdir(parents=True)
            for t in batches:
                b = BATCHES[t]
                parts = write_batch(folder / "drawn" / f"{b}.gpkg", few, t, jitter=t + 1 if other else None,
                                    crs=(32649, 4525, 4526, 4490, 4546)[t % 5] if other else 4546)
                ranges = folder / f"ranges_{t}.gpkg"
                write_ranges(ranges, few, crs=(4490, 4547, 32650, 4545)[t % 4] if other else 4546, split=other)
                self.screen(name, t, folder / "drawn", ranges)
                self.rank(name, t)
                of_spot = {r["spot"]: r for r in rows(folder / b / "disturbances.gpkg", "disturbances")}
                told[name, t] = {(s.n, part): {f: of_spot[f"{b}-{k + 1:05}"][f] for f in (
                    "case_id", "change_type", "construction", "first_batch", "parents", "state", "due", "verdict", "tier",
                    "severity", "approval_id")} for k, (s, part) in enumerate(parts)}
            told[name, "states"] = {r["case_id"]: (r["state"], r["merged_into"], r["due"], r["construction"])
                                    for r in rows(folder / "store/ledger.gpkg", "cases")}
            told[name, "lineage"] = sorted(map(str, rows(folder / "store/ledger.gpkg", "lineage")))
        for t in batches:
            for key, row in told["plain", t].items():
                self.assertEqual(told["other", t][key], row, (BATCHES[t], key))
        self.assertEqual(told["other", "states"], told["plain", "states"])
        self.assertEqual(told["other", "lineage"], told["plain", "lineage"])
        self.assertEqual({r["verdict"] for r in told["plain", 0].values()}, {"compliant", "exceeds", "unapproved"})
        self.assertLessEqual({"watched", "found", "absorbed"}, {s[0] for s in told["plain", "states"].values()})

    def test_killed_while_it_is_brought_forward(self):
        """A copy of the store without the ledger; killed at many moments, then run: the bytes of the undisturbed one."""
        want = self.results("straight")
        name = "killed"
        shutil.copytree(self.base / "straight", self.base / name)
        last = len(BATCHES) - 1

        def forget():
            for t in range(2, len(BATCHES)):
                (self.base / name / "store/batches" / BATCHES[t] / "cases.gpkg").unlink(missing_ok=True)
            (self.base / name / "store/ledger.gpkg").unlink(missing_ok=True)

        start = time.monotonic()
        forget()
        self.rank(name, last)
        whole = time.monotonic() - start
        rng, killed = random.Random(5), 0
        for k in range(6):
            forget()
            process = subprocess.Popen(command("rank", *self.where(name, last)), stderr=subprocess.DEVNULL, env=environment())
            time.sleep(whole * (k + rng.random()) / 6)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            self.rank(name, last)
            self.assertEqual({k: v for k, v in self.results(name).items()}, want)
            self.assertEqual(temporaries(self.base / name), [])
        self.assertGreaterEqual(killed, 3)

    def test_status_counts_and_names_what_is_overdue(self):
        text = shuibao("status", "--store", self.base / "straight/store").stdout
        status = json.loads(shuibao("status", "--store", self.base / "straight/store", "--json").stdout)
        ledger = status["ledger"]
        summary = json.loads((self.base / "straight/store/ledger.json").read_text())
        self.assertEqual(ledger["states"], summary["states"])
        # 30 days after the end of the first batch: long ago.
        first = self.cases("straight", 0)[self.sites[0].n, ""]["case_id"]
        self.assertIn({"case": first, "state": "found", "due": "2024-04-30"}, ledger["overdue"])
        self.assertEqual([d for d in summary["due"]][: len(ledger["overdue"])], ledger["overdue"])
        self.assertRegex(text, rf"ledger +{len(rows(self.base / 'straight/store/ledger.gpkg', 'cases'))} cases: absorbed \d+, found \d+")
        self.assertIn(f"{first} (found) since 2024-04-30", text)

    def test_explain_tells_the_life_of_a_case(self):
        site = next(s for s in self.sites if s.kind == "grows" and s.start == 0 and s.turn < 6)
        case = self.cases("straight", 0)[site.n, ""]["case_id"]
        where = ["--store", self.base / "straight/store"]
        j = json.loads(shuibao("explain", case, *where, "--json").stdout)
        self.assertEqual((j["case"], j["batch"]), (case, BATCHES[-1]))  # the newest batch that shows it
        self.assertEqual([h["batch"] for h in j["history"]], BATCHES)
        self.assertEqual([h["change"] for h in j["history"]],
                         [WORDS[site.says(t)[""][0]] for t in range(len(BATCHES))])
        row = self.cases("straight", site.turn)[site.n, ""]
        j = json.loads(shuibao("explain", case, *where, "--batch", BATCHES[site.turn], "--json").stdout)
        self.assertEqual(j["risk"]["severity"], row["severity"])
        self.assertIn("points_grown", [p["rule"] for p in j["risk"]["points"]])
        self.assertEqual(j["spot"], row["spot"])
        text = shuibao("explain", row["spot"], *where, "--batch", BATCHES[site.turn]).stdout  # by the polygon's number too
        self.assertIn(f"{case}  疑似未批先建", text)
        self.assertRegex(text, rf"{BATCHES[site.turn]}  {row['spot']}  .*续建（范围扩大）")


if __name__ == "__main__":
    main()
