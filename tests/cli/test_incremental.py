# SPDX-License-Identifier: Apache-2.0
"""A new run costs what is new, and ends where a run from nothing would have ended (contract 6, Speed; the run from
nothing is the oracle)."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from osgeo import gdal

from harness import PATIENCE, TILE, ArchiveTest, Results, command, copy_archive, environment, main, shuibao

gdal.UseExceptions()


def ran(decisions):
    return {key: reason for key, (word, reason) in decisions.items() if word == "RUN"}


def stages_of(decisions):
    return {stage for stage, _ in decisions}


class Incremental(ArchiveTest):
    size, sites = 192, 4

    def copy(self, name):
        return copy_archive(self.archive, self.base / f"archive_{name}")

    def assert_like_fresh(self, name, config, *args):
        """What stands in the place `name` is what a new store and a new output get."""
        store, output, _ = self.place(name)
        fresh_store, fresh_output, _ = self.run_all(name + "_fresh", *args, config=config)
        got, fresh = Results(store, output), Results(fresh_store, fresh_output)
        self.assertEqual(fresh.output, got.output)
        products = ("batches/202405/", "acquisitions.json", "scenes.json", "grid.json")
        self.assertEqual({k: v for k, v in fresh.store.items() if k.startswith(products)},
                         {k: v for k, v in got.store.items() if k.startswith(products)})

    @staticmethod
    def add_scene(config, day, source="20240525"):
        """A further scene: that of another day under a new date and, so that it is no duplicate, new pixels."""
        folder = config.parent
        item = json.loads((folder / "catalog" / f"demo_{source}.json").read_text().replace(source, day))
        item["properties"]["datetime"] = f"{day[:4]}-{day[4:6]}-{day[6:]}T03:00:00Z"
        (folder / "catalog" / f"demo_{day}.json").write_text(json.dumps(item))
        for suffix in ("", "_SCL"):
            shutil.copy(folder / "images" / f"demo_{source}{suffix}.tif", folder / "images" / f"demo_{day}{suffix}.tif")
        image = gdal.Open(str(folder / "images" / f"demo_{day}.tif"), gdal.GA_Update)
        band = image.GetRasterBand(1)
        pixels = band.ReadAsArray()
        pixels[0, 0] += 1
        band.WriteArray(pixels)
        del band, image

    def test_a_scene_between_the_epochs(self):
        config = self.copy("between")
        self.run_all("between", config=config)
        self.add_scene(config, "20231010")
        again = ran(self.explain("between", config=config))
        # Pages show looks, and could show the new one.
        self.assertEqual({"evidence", "report", "stac"}, {unit.split()[1] for stage, unit in again if stage == "export"})
        self.assertEqual({"register", "radiometry", "tile"}, stages_of(again) - {"export"})
        self.assertEqual(["demo_20231010"], [unit for stage, unit in again if stage == "register"])
        self.assertEqual({"20231010_simulated"}, {unit.split("/")[1] for stage, unit in again if stage == "tile"})
        # Five scenes: each is a neighbour of the new one, whose word counts when a jump is looked for.
        neighbours = {reason for (stage, _), reason in again.items() if stage == "radiometry"}
        self.assertEqual({"never done", "neighbour demo_20231010 is new"}, neighbours)
        self.assertEqual({"never done"}, {reason for (stage, _), reason in again.items() if stage not in ("radiometry", "export")})
        self.assert_like_fresh("between", config)

    def test_a_scene_in_an_epoch_and_its_removal(self):
        config = self.copy("epoch")
        self.run_all("epoch", config=config)
        first = Results(*self.place("epoch")[:2])
        self.add_scene(config, "20240518")
        again = ran(self.explain("epoch", config=config))
        self.assertEqual({"20240518_simulated"}, {unit.split("/")[1] for stage, unit in again if stage == "tile"})
        detected = {reason for (stage, _), reason in again.items() if stage in ("fit", "detect")}
        self.assertEqual({"look 20240518_simulated is new"}, detected)
        self.assert_like_fresh("epoch", config)
        (config.parent / "catalog" / "demo_20240518.json").unlink()
        again = ran(self.explain("epoch", config=config))
        self.assertNotIn("tile", stages_of(again))
        self.assertEqual({"look 20240518_simulated is gone"},
                         {reason for (stage, _), reason in again.items() if stage == "detect"})
        last = Results(*self.place("epoch")[:2])
        self.assertEqual(first.output, last.output)

    def test_a_comparison_that_reaches_less_far(self):
        # Two further scenes lie east of the others. A comparison with them, then one of the same batch without:
        # change maps of the eastern tiles must not stay behind.
        config = self.copy("east")
        for day, source in (("20230530", "20230521"), ("20240528", "20240525")):
            self.add_scene(config, day, source)
            for suffix in ("", "_SCL"):
                image = gdal.Open(str(config.parent / "images" / f"demo_{day}{suffix}.tif"), gdal.GA_Update)
                left, *others = image.GetGeoTransform()
                image.SetGeoTransform([left + 10 * self.size, *others])
                del image
        store, output, _ = self.run_all("east", config=config)
        wide = len(list((store / "batches/202405/changes").iterdir()))
        narrow = ["--set", "detect.before=2023-05-01/2023-05-25", "--set", "detect.after=2024-05-01/2024-05-26"]
        again = ran(self.explain("east", *narrow, config=config))
        self.assertIn("look 20230530_simulated is gone", again.values())
        self.assertLess(len(list((store / "batches/202405/changes").iterdir())), wide)
        self.assert_like_fresh("east", config, *narrow)

    def test_one_option(self):
        self.reference()
        store, output, _ = self.run_all("option")
        expected = {
            "detect.epoch_days=10": ({"fit", "detect", "delineate", "screen", "ledger", "rank", "export"}, ("fit", "202405"),
                                     "look 20230521_simulated is gone"),
            "delineate.min_area=3000": ({"delineate", "screen", "ledger", "rank", "export"}, ("delineate", "202405"),
                                        "option delineate.min_area changed from '1000' to '3000'"),
            "rank.capacity=1": ({"ledger", "rank", "export"}, ("rank", f"202405 {output / 'disturbances.gpkg'}"),
                                "option rank.capacity changed from '0' to '1'"),
            "export.shapefile.encoding=GBK": ({"export"}, ("export", f"202405 shapefile {output / 'export' / 'RDTB_202405'}"),
                                              "option export.shapefile.encoding changed from 'UTF-8' to 'GBK'"),
        }
        for setting, (stages, unit, reason) in expected.items():
            with self.subTest(setting=setting):
                again = ran(self.explain("option", "--set", setting))
                self.assertEqual(reason, again.get(unit))
                self.assertLessEqual(stages_of(again), stages)
                self.assertIn(unit[0], stages_of(again))
                self.explain("option")  # back
                self.assert_same(store, output)

    def test_threads_and_memory_redo_nothing(self):
        self.reference()
        self.assertEqual({}, ran(self.explain("reference", "-j", 2, "--memory", "1G")))

    def test_touching_redoes_nothing(self):
        config = self.copy("touched")
        self.run_all("touched", config=config)
        for path in config.parent.rglob("*"):
            if path.is_file() and path.suffix in (".tif", ".json", ".shp", ".dbf", ".yaml"):
                os.utime(path, (1, 1))
        # Copying back makes new files of the same content: other inodes.
        image = config.parent / "images" / "demo_20240525.tif"
        shutil.copy(image, image.with_suffix(".copy"))
        os.replace(image.with_suffix(".copy"), image)
        self.assertEqual({}, ran(self.explain("touched", config=config)))

    def test_images_that_did_not_change_are_not_opened(self):
        """An archive of years must not be opened for every batch. The proof: an image whose bytes are ruined and whose
        time, size and inode are put back is not noticed by `catalog`, and is as soon as its time tells."""
        config = self.copy("unopened")
        store, _, _ = self.place("unopened")
        told = lambda code: shuibao("catalog", "-c", config, "--store", store, code=code).stderr
        self.assertIn("4 scenes, 0 set aside", told(0))
        first = (store / "scenes.json").read_bytes()
        image = config.parent / "images" / "demo_20230521.tif"
        was = image.stat()
        with image.open("r+b") as out:
            out.write(b"\0" * was.st_size)
        os.utime(image, ns=(was.st_atime_ns, was.st_mtime_ns))
        self.assertIn("4 scenes, 0 set aside", told(0))
        self.assertEqual((store / "scenes.json").read_bytes(), first)
        image.touch()
        self.assertRegex(told(3), r"demo_20230521\.tif cannot be opened as a raster")
        # What was set aside is looked at again every time: it may have been mended.
        shutil.copy(self.archive / "images" / "demo_20230521.tif", image)
        self.assertIn("4 scenes, 0 set aside", told(0))
        # Another word in its Item, and it is looked at again.
        item = config.parent / "catalog" / "demo_20230521.json"
        item.write_text(item.read_text().replace("112.", "12."))
        self.assertIn("its Item says", told(3))

    def test_approvals_elsewhere_with_the_same_content(self):
        config = self.copy("moved")
        self.run_all("moved", config=config)
        there = config.parent / "elsewhere"
        there.mkdir()
        for part in config.parent.glob("approvals.*"):
            shutil.move(part, there / part.name)
        again = ran(self.explain("moved", "--set", f"approvals.path={there / 'approvals.shp'}", config=config))
        self.assertEqual({}, again)

    def test_changed_pixels(self):
        config = self.copy("pixels")
        self.run_all("pixels", config=config)
        image = gdal.Open(str(config.parent / "images" / "demo_20240525.tif"), gdal.GA_Update)
        band = image.GetRasterBand(3)
        pixels = band.ReadAsArray()
        pixels[20:60, 20:60] += 900
        band.WriteArray(pixels)
        del band, image
        again = ran(self.explain("pixels", config=config))
        self.assertEqual({"demo_20240525"}, {unit for stage, unit in again if stage == "register"})
        self.assertEqual({"20240525_simulated"}, {unit.split("/")[1] for stage, unit in again if stage == "tile"})
        self.assertEqual({"scene demo_20240525 changed"},
                         {reason for (stage, _), reason in again.items() if stage == "tile"})
        self.assert_like_fresh("pixels", config)

    def test_two_runs_at_once_do_not_disturb_each_other(self):
        self.reference()
        running = [subprocess.Popen(command("run", "-c", self.config, *self.place(f"at_once{i}")[2], "--set", TILE, "-q",
                                            "-j", 2), stderr=subprocess.PIPE, text=True, env=environment())
                   for i in range(2)]
        for process in running:
            self.assertEqual("", process.communicate(timeout=300 * PATIENCE)[1])
            self.assertEqual(0, process.returncode)
        for i in range(2):
            self.assert_same(*self.place(f"at_once{i}")[:2])

    def test_another_working_folder(self):
        self.reference()
        cwd = self.base / "somewhere"
        cwd.mkdir()
        done = shuibao("run", "-c", "../archive/run.yaml", "--store", "../cwd/store", "-o", "../cwd/output", "--set",
                       TILE, "-q", cwd=cwd)
        self.assertEqual("", done.stdout)
        store, output, _ = self.place("cwd")
        self.assert_same(store, output)
        # From elsewhere by absolute names: the same work, all of it done.
        self.assertEqual({}, ran(self.explain("cwd", cwd="/")))


class Precedence(unittest.TestCase):
    """Default < file < environment < command line (docs: ecosystem.md 1)."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.config = os.path.join(self.folder.name, "run.yaml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("jobs: 3\n")

    def resolved(self, *args, **env):
        text = shuibao("config", "--origins", *args, env=env).stdout
        line = next(line for line in text.splitlines() if line.startswith("jobs:"))
        return line.removeprefix("jobs: ")

    def test_each_wins_over_the_one_before(self):
        self.assertEqual('"all"  # default', self.resolved())
        self.assertEqual(f'"3"  # {self.config}:1', self.resolved("-c", self.config))
        self.assertEqual('"5"  # SHUIBAO_JOBS', self.resolved("-c", self.config, SHUIBAO_JOBS="5"))
        self.assertEqual('"4"  # SLURM_CPUS_PER_TASK', self.resolved(SLURM_CPUS_PER_TASK="4"))
        self.assertEqual('"5"  # SHUIBAO_JOBS', self.resolved(SLURM_CPUS_PER_TASK="4", SHUIBAO_JOBS="5"))
        self.assertEqual('"7"  # --jobs', self.resolved("-c", self.config, "-j", 7, SHUIBAO_JOBS="5"))
        self.assertEqual('"8"  # --set', self.resolved("-j", 7, "--set", "jobs=8", SHUIBAO_JOBS="5"))
        self.assertEqual('"7"  # --jobs', self.resolved("--set", "jobs=8", "-j", 7))


if __name__ == "__main__":
    main()
