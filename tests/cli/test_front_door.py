#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as users and their scripts meet it.

Oracle: contract §2 (verbs, options, exit codes, stdout is data, stderr is talk) and §3 (one commented YAML).
"""
import fcntl
import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import yaml  # noqa: E402

from world import SHUIBAO, Worlds, shuibao  # noqa: E402

VERBS = shuibao("--list-verbs").out.split()
STAGES = ["catalog", "tile", "detect", "delineate", "screen", "rank", "export"]


def options_in_help(verb):
    """Every --word that the help declares, from its first column."""
    words = set()
    for line in shuibao(verb, "--help").out.splitlines():
        if re.match(r"\s+(-\w,\s*)?--", line):
            declaration = re.split(r"\s{2,}|\s[A-Z]", line.strip())[0]
            words |= set(re.findall(r"--[a-z][a-z0-9-]*", declaration))
    return words


class Words(unittest.TestCase):
    """What needs no archive."""

    def quiet(self, result):
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertNotEqual(result.out, "")
        return result.out

    def test_all_verbs_are_there(self):
        self.assertEqual([v for v in VERBS if v in STAGES], STAGES)
        for verb in ("run", "init", "check", "status", "config", "completion", "simulate", "assess", "submit"):
            self.assertIn(verb, VERBS)
        overview = self.quiet(shuibao("--help"))
        for verb in VERBS:
            self.assertRegex(overview, rf"(?m)^  {verb} +\w")
        self.assertEqual(overview, shuibao("help").out)

    def test_every_verb_explains_itself(self):
        for verb in VERBS:
            with self.subTest(verb):
                text = self.quiet(shuibao(verb, "--help"))
                self.assertIn("Example:", text)
                self.assertIn(f"shuibao {verb}", text)
                self.assertEqual(text, shuibao(verb, "-h").out)

    def test_link_is_the_verb(self):
        with Worlds.scratch() as folder:
            for verb in VERBS:
                link = folder / f"shuibao-{verb}"
                link.symlink_to(SHUIBAO)
                done = subprocess.run([link, "--help"], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, shuibao(verb, "--help").out))
            done = subprocess.run([folder / "shuibao-status", "--store", folder / "none"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (2, shuibao("status", "--store", folder / "none").err))

    def test_version(self):
        for args in (["--version"], ["run", "--version"]):
            self.assertRegex(self.quiet(shuibao(*args)), r"^shuibao \d+\.\d+\.\d+ \(GDAL [\d.]+, PROJ [\d.]+, GEOS [\d.]+, OpenCV [\d.]+, Eigen [\d.]+\)\n$")
            versions = json.loads(self.quiet(shuibao(*args, "--json")))
            self.assertEqual(list(versions), ["shuibao", "GDAL", "PROJ", "GEOS", "OpenCV", "Eigen"])

    def test_json_usage_tells_all_that_help_tells(self):
        usage = json.loads(self.quiet(shuibao("--json-usage")))
        self.assertEqual([v["name"] for v in usage["verbs"]], VERBS)
        for verb in usage["verbs"]:
            told = verb["options"] + verb["switches"] + usage["common"]
            names = {o["long"] for o in told} | {o["negative"] for o in told if "negative" in o} | {"--help"}
            shown = options_in_help(verb["name"])
            self.assertGreater(len(shown), 10)
            self.assertEqual(shown - names, set(), verb["name"])
            self.assertEqual(names - shown, set(), verb["name"])
            self.assertTrue(all(o["help"] and o["type"] for o in told))
            own = json.loads(shuibao(verb["name"], "--json-usage").out)
            self.assertEqual(own["verbs"], [verb])

    def complete(self, *words):
        script = self.quiet(shuibao("completion", "bash"))
        line = " ".join(f"'{w}'" for w in words)
        code = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; COMPREPLY=(); _shuibao; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_completion_completes(self):
        for shell in ("bash", "zsh"):
            script = self.quiet(shuibao("completion", shell))
            done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(sorted(self.complete("shuibao", "")), sorted(VERBS))
        self.assertEqual(self.complete("shuibao", "deli"), ["delineate"])
        self.assertEqual(self.complete("shuibao", "delineate", "--min-a"), ["--min-area"])
        self.assertEqual(self.complete("shuibao", "run", "--progress-"), ["--progress-fd"])
        self.assertEqual(set(self.complete("shuibao", "tile", "--")) | {"--help"}, options_in_help("tile") | {"--help"})
        self.assertEqual(shuibao("completion", "fish").code, 2)

    def test_init_is_valid_and_complete(self):
        text = self.quiet(shuibao("init"))
        self.assertIsInstance(yaml.safe_load(text), dict)
        keys = {o["key"] for v in json.loads(shuibao("--json-usage").out)["verbs"] for o in v["options"]}
        bare = yaml.safe_load(re.sub(r"(?m)^( *)#([a-z_0-9]+:)", r"\1\2", text))
        for key in keys:
            node = bare
            for part in key.split("."):
                self.assertIn(part, node, key)
                node = node[part]
        with Worlds.scratch() as folder:
            self.assertEqual(shuibao("init", folder / "a.yaml").code, 0)
            self.assertEqual((folder / "a.yaml").read_text(), text)
            again = shuibao("init", folder / "a.yaml")
            self.assertEqual(again.code, 2)
            self.assertIn("--overwrite", again.err)
            self.assertEqual(shuibao("init", folder / "a.yaml", "--overwrite").code, 0)

    def test_environment_and_origins(self):
        def jobs(env, *args):
            text = self.quiet(shuibao("config", "--origins", *args, env=env))
            return re.search(r"(?m)^jobs: (.*)$", text).group(1)
        self.assertEqual(jobs({}), '"all"  # default')
        self.assertEqual(jobs({"SLURM_CPUS_PER_TASK": "3"}), '"3"  # SLURM_CPUS_PER_TASK')
        self.assertEqual(jobs({"SLURM_CPUS_PER_TASK": "3", "SHUIBAO_JOBS": "2"}), '"2"  # SHUIBAO_JOBS')
        self.assertEqual(jobs({"SHUIBAO_JOBS": "2"}, "-j", "1"), '"1"  # --jobs')
        memory = shuibao("config", "--origins", env={"SHUIBAO_MEMORY": "1G"}).out
        self.assertIn('memory: "1G"  # SHUIBAO_MEMORY', memory)

    def test_set_and_last_word(self):
        config = yaml.safe_load(self.quiet(shuibao("config", "--set", "delineate.min_area=2000", "--set", "batch=202401",
                                                   "--batch", "202402", "--set", "approvals.fields={name: XM, date: PFRQ}")))
        self.assertEqual(config["delineate"]["min_area"], "2000")
        self.assertEqual(config["batch"], "202402")
        self.assertEqual(yaml.safe_load(config["approvals"]["fields"]), {"name": "XM", "date": "PFRQ"})

    def test_printed_config_is_a_config(self):
        """What `config` prints gives the same values wherever it is put, also with commas and brackets in names."""
        with Worlds.scratch() as folder:
            (folder / "sub").mkdir()
            (folder / "sub/a.yaml").write_text("imagery:\n  catalog: ['one, two', \"it's [3]\"]\nstore: ../s\n")
            first = self.quiet(shuibao("config", "-c", "sub/a.yaml", cwd=folder))
            (folder / "b.yaml").write_text(first)
            self.assertEqual(self.quiet(shuibao("config", "-c", "b.yaml", cwd=folder)), first)
            catalog = yaml.safe_load(first)["imagery"]["catalog"]
            self.assertEqual(catalog, [f"{folder}/sub/one, two", f"{folder}/sub/it's [3]"])
            self.assertEqual(yaml.safe_load(first)["store"], f"{folder}/s")

    def test_numbers_of_every_kind(self):
        for value, code in (("-1.5", 0), ("-3", 2), ("1e3", 2), ("99.9", 0), ("1e400", 2), ("nan", 2), ("-inf", 2), ("0x10", 2), ("", 2)):
            with self.subTest(value):
                done = shuibao("config", "--set", f"delineate.seed={value}")
                self.assertEqual(done.code, code, done.err)
        self.assertEqual(shuibao("delineate", "--seed", "-1.5", "--store", "/nowhere/at/all", "-n").code, 0)
        self.assertEqual(shuibao("delineate", "--seed=-9", "-n").code, 2)

    def test_extends(self):
        with Worlds.scratch() as folder:
            (folder / "base.yaml").write_text("batch: '202401'\njobs: 3\nstore: here\n")
            (folder / "sub").mkdir()
            (folder / "sub/own.yaml").write_text("extends: ../base.yaml\njobs: 2\n")
            text = self.quiet(shuibao("config", "-c", folder / "sub/own.yaml", "--origins"))
            self.assertIn(f'batch: "202401"  # {folder}/sub/../base.yaml:1', text)
            self.assertIn(f'jobs: "2"  # {folder}/sub/own.yaml:2', text)
            self.assertIn(f'store: "{folder}/here"', text)


class Runs(unittest.TestCase):
    """What needs an archive."""

    @classmethod
    def setUpClass(cls):
        cls.worlds = Worlds()
        cls.done = cls.worlds.copy("done")
        cls.first = cls.done.run("run run.yaml")

    @classmethod
    def tearDownClass(cls):
        cls.worlds.__exit__()

    def copy(self):
        return self.worlds.copy(self.id().rsplit(".", maxsplit=1)[-1])

    def good(self, result, code=0):
        self.assertEqual(result.code, code, result.err)
        return result

    def test_talk_is_on_stderr(self):
        self.good(self.first)
        self.assertEqual(self.first.out, "")
        self.assertIn("suspects", self.first.err)

    def test_quiet_is_quiet(self):
        result = self.good(self.copy().run("run run.yaml -q"))
        self.assertEqual((result.out, result.err), ("", ""))

    def test_positional_is_config(self):
        a, b = self.done.run("config run.yaml"), self.done.run("config -c run.yaml")
        self.assertEqual(self.good(a).out, self.good(b).out)
        self.assertEqual(a.out, self.done.run("config --config=run.yaml").out)

    def test_paths_start_from_the_configs_folder(self):
        world = self.copy()
        self.good(shuibao("run", world.path("run.yaml"), "-q", cwd="/"))
        self.assertTrue(world.path("output/disturbances.gpkg").exists())

    def test_init_filled_in_is_accepted(self):
        world = self.copy()
        text = shuibao("init").out
        text = re.sub(r"(?m)^  #catalog: .*$", "  catalog: catalog", text)
        text = re.sub(r"(?m)^  #path: .*$", "  path: approvals.shp", text)
        world.path("own.yaml").write_text(text)
        result = self.good(world.run("check own.yaml"))
        self.assertEqual(result.err, "")
        self.assertIn("catalog: 4 scenes described, 4 usable, 0 set aside", result.out)
        self.assertIn("The configuration is valid.", result.out)
        self.assertFalse(world.path("store").exists(), "check wrote something")

    def test_json_of_check_status_assess(self):
        check = json.loads(self.good(self.done.run("check run.yaml --json")).out)
        self.assertEqual((check["valid"], check["problems"]), (True, []))
        self.assertIn("catalog: 4 scenes described, 4 usable, 0 set aside", check["stages"]["catalog"])
        self.assertGreater(check["free_bytes"], 0)
        status = json.loads(self.good(self.done.run("status run.yaml --json")).out)
        self.assertEqual((status["scenes"], status["rejected"], status["batches"], status["in_use"]), (4, 0, ["202405"], False))
        self.assertEqual(status["stages"]["tile"], {"units_done": 4, "outputs_missing": 0})
        assess = json.loads(self.good(self.done.run("assess truth.gpkg --config run.yaml --json")).out)
        self.assertEqual(assess["objects"]["truth"], 2)
        self.assertGreaterEqual(assess["objects"]["recall"], 0.5)
        formats = json.loads(self.good(self.done.run("export run.yaml --list --json")).out)
        self.assertIn("shapefile", [f["name"] for f in formats])

    def test_inspect_shows_what_the_images_hold(self):
        """Every look at a true site, with the reflectance of its source image, and what the change map says."""
        from osgeo import gdal, ogr
        gdal.UseExceptions()
        truth = ogr.Open(str(self.done.path("truth.gpkg")))
        layer = truth.GetLayer(0)
        site = max(layer, key=lambda f: f.GetGeometryRef().GetArea())
        point = site.GetGeometryRef().PointOnSurface()
        crs = "EPSG:" + layer.GetSpatialRef().GetAuthorityCode(None)
        command = f"inspect {point.GetX()},{point.GetY()} --crs {crs} -c run.yaml"
        j = json.loads(self.good(self.done.run(command + " --json")).out)
        self.assertEqual(j["decision"]["batch"], "202405")
        self.assertLessEqual(max(abs(j["x"] - point.GetX()), abs(j["y"] - point.GetY())), 5.01)
        self.assertEqual([look["date"] for look in j["looks"]], sorted(look["date"] for look in j["looks"]))
        self.assertGreaterEqual(len(j["looks"]), 2)
        for look in j["looks"]:
            image = gdal.Open(str(next(self.done.dir.glob(f"images/*{look['date'].replace('-', '')}.tif"))))
            gt = image.GetGeoTransform()
            col, row = int((j["x"] - gt[0]) / gt[1]), int((gt[3] - j["y"]) / -gt[5])
            stored = image.GetRasterBand(3).ReadAsArray(col, row, 1, 1)[0, 0]
            self.assertAlmostEqual(look["values"]["red"], stored * 1e-4 - 0.1, places=4, msg=look)
        text = self.good(self.done.run(command)).out.splitlines()
        self.assertEqual(len(text), len(j["looks"]) + 4)
        pair = j["pair"]  # the score on which the change map was decided: even odds where its log-odds are 0
        self.assertTrue(pair["seen"])
        marked = j["decision"]["state"] == "evidence"
        self.assertEqual(pair["statistic"] >= pair["levels"]["kept"] and not pair["water"]
                         and pair["ndvi_after"] <= pair["most_ndvi_after"], marked)
        if marked:
            log_odds = 1.75 * math.log(pair["statistic"] / pair["levels"]["even odds"])
            self.assertAlmostEqual(j["decision"]["log_odds"], log_odds, delta=0.005)
        self.assertIn(j["decision"]["state"].split()[0], text[-1].replace("log-odds", "evidence"))
        self.assertIn("cannot be '112.98'", self.good(self.done.run("inspect 112.98 -c run.yaml"), code=2).err)
        self.assertIn("No look of the store sees", self.good(self.done.run("inspect 10,10 -c run.yaml"), code=4).err)

    def test_json_of_what_works(self):
        """One JSON document on stdout from every command that does or plans work."""
        world = self.copy()
        plan = json.loads(self.good(world.run("run run.yaml -n --json")).out)
        self.assertEqual([w["stage"] for w in plan["waiting"]][:2], ["tile", "detect"])
        tiled = json.loads(self.good(world.run("catalog run.yaml --json")).out)
        self.assertEqual((tiled["verb"], tiled["problems"]), ("catalog", []))
        done = json.loads(self.good(world.run("run run.yaml --json")).out)
        self.assertEqual((done["batch"], done["units"]["tile"]["run"], done["problems"]), ("202405", 4, []))
        self.assertEqual([s["stage"] for s in done["stages"]], STAGES)
        plan = json.loads(self.good(world.run("run run.yaml -n --explain --json")).out)
        self.assertEqual({(u["decision"], u["reason"]) for u in plan["plan"]}, {("SKIP", "up to date")})
        self.assertIn("tile", {u["stage"] for u in plan["plan"]})
        config = json.loads(self.good(world.run("config run.yaml --json -j 1")).out)
        self.assertEqual(config["jobs"], {"value": "1", "origin": "--jobs"})

    def test_check_looks_at_the_images(self):
        """As `run` would: what it goes on without is 3, what ends it is 4; and what the rest would cost."""
        world = self.copy()
        plan = self.good(world.run("check run.yaml")).out
        self.assertRegex(plan, r"(?m)^tile: 4 tiles of 4 dates \(0 cut before\), at most \d+\.\d million pixels of bands and mask "
                               r"to read and \d+\.\d MB in the store$")
        self.assertRegex(plan, r"(?m)^detect: pair on 1 tiles, batch 202405, at most \d+\.\d million pixels of \d looks to read$")
        self.assertRegex(plan, r"(?m)^export: .*shapefile.* into ")
        world.image("demo_20230506").write_bytes(b"")
        os.truncate(world.image("demo_20240510"), world.image("demo_20240510").stat().st_size // 2)
        result = self.good(world.run("check run.yaml"), code=3)
        for code, scene in (("unreadable", "demo_20230506"), ("truncated", "demo_20240510")):
            self.assertIn(f"  {code} {scene}: ", result.out)
        self.assertIn("what 2 problems tell.", result.out)
        self.good(world.run("run run.yaml -q"), code=3)
        self.assertEqual(sorted(p["unit"] for p in world.report()["problems"]), ["demo_20230506", "demo_20240510"])
        self.assertRegex(self.good(world.run("check run.yaml"), code=3).out, r"(?m)^tile: 2 tiles of 2 dates \(2 cut before\)")
        world.image("demo_20230521").unlink()
        result = self.good(world.run("check run.yaml"), code=4)
        self.assertIn("  missing_asset demo_20230521: ", result.out)
        world.image("demo_20240525").write_bytes(b"")
        self.assertIn("No usable scene is left.", self.good(world.run("check run.yaml"), code=4).err)
        for item in world.path("catalog").iterdir():
            item.unlink()
        self.assertIn("The catalogue holds none.", self.good(world.run("check run.yaml"), code=4).err)

    def test_links_do_not_tell_what_strange_files_hold(self):
        world = self.copy()
        secret = world.path("secret")
        secret.write_text("zebra:x:0:0\n")
        world.path("catalog/catalog.json").write_text(json.dumps(
            {"type": "Catalog", "id": "c", "stac_version": "1.0.0", "description": "", "links": [{"rel": "child", "href": str(secret)}]}))
        result = self.good(world.run("check run.yaml"), code=3)
        self.assertIn(f"not_json {secret}: {secret} is not JSON: it breaks off or goes wrong in line 1.", result.out)

    def test_assess_says_when_nothing_can_agree(self):
        from osgeo import gdal, ogr
        gdal.UseExceptions()
        world = self.copy()
        ogr.GetDriverByName("GPKG").CopyDataSource(ogr.Open(str(self.done.path("truth.gpkg"))), str(world.path("moved.gpkg")))
        moved = ogr.Open(str(world.path("moved.gpkg")), 1)
        layer = moved.GetLayer(0)
        for feature in list(layer):
            shape = ogr.CreateGeometryFromWkt(feature.GetGeometryRef().ExportToWkt())
            for ring in (shape.GetGeometryRef(i) for i in range(shape.GetGeometryCount())):
                ring = ring.GetGeometryRef(0) if ring.GetGeometryCount() else ring
                for i in range(ring.GetPointCount()):
                    ring.SetPoint_2D(i, ring.GetX(i) + 50000, ring.GetY(i))
            feature.SetGeometry(shape)
            layer.SetFeature(feature)
        del layer, moved
        result = self.good(self.done.run(["assess", str(world.path("moved.gpkg")), "--config", "run.yaml"]), code=4)
        self.assertIn("moved.gpkg lies elsewhere: it does not touch what the result speaks of.", result.err)
        self.assertIn("The reference /nope.tif does not exist.", self.good(self.done.run("assess /nope.tif -c run.yaml"), code=4).err)

    def test_status_lists_stages(self):
        text = self.good(self.done.run("status run.yaml")).out
        self.assertRegex(text, r"(?m)^tile      4 units done$")
        self.assertEqual({line.split()[0] for line in text.splitlines() if "units done" in line} - set(STAGES), set())

    def test_check_tells_problems(self):
        world = self.copy()
        world.edit_item("demo_20230506", lambda j: j.pop("id"))
        result = world.run("check run.yaml")
        self.assertIn("no_id", result.out)

    def tree(self, world):
        return {p.relative_to(world.dir).as_posix(): (p.stat().st_mtime_ns, p.stat().st_size) for p in world.dir.rglob("*")}

    def test_dry_run_writes_nothing(self):
        world = self.copy()
        before = self.tree(world)
        result = self.good(world.run("run run.yaml -n --explain"))
        self.assertEqual((result.out, self.tree(world)), ("", before))
        self.assertIn("4 scenes would be examined", result.err)
        for stage in ("tile", "detect", "delineate", "screen"):
            self.assertRegex(result.err, rf"(?m)^{stage}: RUN \(when .* exists\)$")

    def test_dry_run_explains(self):
        world = self.copy()
        self.good(world.run("run run.yaml -q"))
        before = self.tree(world)
        result = self.good(world.run("run run.yaml -n --explain"))
        self.assertNotIn("RUN", result.err)
        self.assertRegex(result.err, r"(?m)^tile X\S+/20240525_simulated: SKIP \(up to date\)$")
        self.assertRegex(result.err, r"(?m)^rank .*: SKIP \(up to date\)$")
        result = self.good(world.run("run run.yaml -n --explain --set delineate.min_area=5000"))
        self.assertIn("delineate 202405: RUN (option delineate.min_area changed from '1000' to '5000')", result.err)
        self.assertNotRegex(result.err, r"(?m)^(tile|detect) .*RUN")
        self.assertEqual(self.tree(world), before)
        world.store_file("tiles/*/20240525_simulated.tif").unlink()
        result = self.good(world.run("run run.yaml -n --explain"))
        self.assertRegex(result.err, r"(?m)^tile X\S+/20240525_simulated: RUN \(the output 20240525_simulated.tif is missing\)$")

    def test_log_as_json(self):
        world = self.copy()
        world.image("demo_20230506").write_bytes(b"")
        result = self.good(world.run("run run.yaml --log-format json"), code=3)
        lines = [json.loads(line) for line in result.err.splitlines()]
        self.assertTrue(all(set(l) <= {"ts", "level", "run", "stage", "unit", "msg"} and l["msg"] for l in lines))
        self.assertEqual(len({l["run"] for l in lines}), 1)
        self.assertIn("`shuibao run` begins", lines[0]["msg"])
        self.assertIn("done with 1 problem, listed in", lines[-1]["msg"])
        warning = next(l for l in lines if l["level"] == "warning")
        self.assertEqual((warning["stage"], warning["unit"]), ("catalog", "demo_20230506"))

    def test_log_levels_and_file(self):
        world = self.copy()
        result = self.good(world.run("run run.yaml --log-file log.txt"))
        self.assertEqual(result.err, "")
        lines = world.path("log.txt").read_text().splitlines()
        runs = {re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (?:info|warning) +(\S+) .+", line).group(1) for line in lines}
        self.assertEqual(len(runs), 1)
        self.assertIn("`shuibao run` begins", lines[0])
        self.assertRegex(lines[-1], r"done in [\d.]+ s: \d+ units made, 0 up to date, no problems$")
        self.assertTrue(any("suspects" in line for line in lines))
        self.good(world.run("run run.yaml --log-file log.txt --set imagery.to=1999-01-01"), code=4)
        last = world.path("log.txt").read_text().splitlines()[-2:]
        self.assertIn("No usable scene is left.", last[0])
        self.assertRegex(last[1], r" error +\S+ `shuibao run` ended with 4$")
        self.assertEqual(self.good(world.run("run run.yaml --log-level error")).err, "")

    def test_progress_for_programs(self):
        world = self.copy()
        reader, writer = os.pipe()
        result = self.good(world.run(f"run run.yaml --progress-fd {writer}", pass_fds=(writer,)))
        os.close(writer)
        with open(reader) as pipe:
            lines = [json.loads(line) for line in pipe]
        self.assertEqual(lines[-1]["done"], lines[-1]["total"])
        self.assertEqual([l["done"] for l in lines if l["stage"] == "tile"], [1, 2, 3, 4])
        self.assertNotIn("\r", result.err)

    def test_nobody_listens(self):
        """A reader that goes away, and descriptors that were never open, do not cost the work."""
        world = self.copy()
        reader, writer = os.pipe()
        os.close(reader)
        command = [SHUIBAO, "run", str(world.path("run.yaml"))]
        done = subprocess.run(command, stderr=writer, stdout=subprocess.PIPE, check=False)
        os.close(writer)
        self.assertEqual(done.returncode, 0)
        shutil.rmtree(world.path("store"))
        shutil.rmtree(world.path("output"))
        done = subprocess.run(["bash", "-c", '"$0" "$@" 0>&- 1>&- 2>&-', *command], check=False)
        self.assertEqual(done.returncode, 0)
        for path in [*world.path("store").rglob("*"), *world.path("output").rglob("*")]:
            if path.is_file():
                self.assertNotIn(b"suspects (", path.read_bytes()[:4096], f"the log went into {path}")

    def test_several_values(self):
        world = self.copy()
        world.path("catalog").rename(world.path("cat, one"))
        (world.path("two")).mkdir()
        (world.path("cat, one/demo_20240525.json")).rename(world.path("two/demo_20240525.json"))
        for given in (["--catalog", "['cat, one']", "--catalog", "two"], ["--catalog", "['cat, one', two]"]):
            result = self.good(world.run(["catalog", *given, "run.yaml"]))
            self.assertIn("4 scenes, 0 set aside", result.err)
        world.path("cat, one").rename(world.path("one"))
        for given in (["--catalog", "one, two"], ["--catalog", "one", "--catalog", "two"]):
            result = self.good(world.run(["catalog", *given, "run.yaml"]))
            self.assertIn("4 scenes, 0 set aside", result.err)

    def test_the_configuration_after_a_repeated_option(self):
        """What takes one value leaves the next word alone."""
        world = self.copy()
        world.path("other.yaml").write_text("extends: run.yaml\nstore: elsewhere\n")
        for line in ("run -n --set detect.method=pair", "tile -n --gdal-config GDAL_PAM_ENABLED=NO", "tile -n --bands red,nir",
                     "tile -n --tile X0000_Y0000", "export -n --formats csv"):
            self.assertIn("elsewhere", self.good(world.run(f"{line} other.yaml")).err, line)
        self.good(world.run("catalog --catalog catalog other.yaml"))
        self.assertTrue(world.path("elsewhere/scenes.json").exists())

    def test_one_configuration(self):
        world = self.copy()
        shutil.copy(world.path("run.yaml"), world.path("other.yaml"))
        for line, says in ((["-c", "run.yaml", "other.yaml"], "Two configurations are given: run.yaml (--config) and other.yaml."),
                           (["-c", "run.yaml", "-c", "other.yaml"], "--config is given more than once."),
                           (["-config", "run.yaml"], "Long names have two dashes: --config."),
                           (["run.yaml", "other.yaml"], "does not know 'other.yaml'")):
            self.assertIn(says, self.good(world.run(["check", *line]), code=2).err)
        self.assertIn("does not know 'b.yaml'", self.good(world.run("init a.yaml b.yaml"), code=2).err)
        self.assertFalse(world.path("a.yaml").exists())
        self.assertIn("FILE", world.run("init --help").out)

    def test_store_in_use(self):
        """status says who, without waiting and without writing; SIGINT ends the waiting of a run with 130."""
        world = self.copy()
        world.path("store").mkdir()
        text = "process 1 on mars since 2024-01-01 00:00:00 UTC"
        with open(world.path("store/lock"), "w+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write(text + "\n")
            lock.flush()
            status = json.loads(self.good(world.run("status run.yaml --json")).out)
            self.assertEqual((status["in_use"], status["holder"]), (True, text))
            self.assertIn(f"in use    {text}", world.run("status run.yaml").out)
            waiting = subprocess.Popen([SHUIBAO, "run", "run.yaml", "--wait", "60"], cwd=world.dir, stderr=subprocess.PIPE, text=True)
            until = time.monotonic() + 30
            while time.monotonic() < until and not any(
                    os.path.realpath(fd).endswith("store/lock") for fd in pathlib.Path(f"/proc/{waiting.pid}/fd").iterdir()):
                time.sleep(0.01)
            waiting.send_signal(signal.SIGINT)
            err = waiting.communicate(timeout=30)[1]
        self.assertEqual(waiting.returncode, 130)
        self.assertIn("Interrupted; what was finished is kept. Run the same command again", err)
        status = json.loads(self.good(world.run("status run.yaml --json")).out)
        self.assertEqual(status["in_use"], False)
        self.assertEqual(world.path("store/lock").read_text(), text + "\n")

    def test_exit_codes(self):
        """0, 2, 3, 4 here; 130 above; 1 and 75 in test_faults.py."""
        world = self.copy()
        self.good(world.run("run run.yaml"))
        self.good(world.run("run run.yaml --frm"), code=2)
        world.image("demo_20240525").write_bytes(b"")
        self.good(world.run("run run.yaml"), code=3)
        self.good(world.run("run run.yaml --set imagery.to=1999-01-01"), code=4)


if __name__ == "__main__":
    unittest.main(verbosity=1)
