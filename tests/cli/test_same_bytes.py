# SPDX-License-Identifier: Apache-2.0
"""Same inputs and configuration, same bytes: contract 4, "whatever -j, tile order, shard count" (docs: contract.md
4 and 6; the undisturbed run with one thread is the oracle)."""
import json
import shutil
import subprocess
import unittest

from osgeo import gdal, ogr

from harness import PATIENCE, TILE, ArchiveTest, Results, command, copy_archive, environment, files, main, shuibao

gdal.UseExceptions()


def polygons(path, layer):
    """Every feature of a layer in its order: geometry as WKB, attributes as they are typed."""
    data = ogr.Open(str(path))
    rows = []
    for feature in data.GetLayerByName(layer):
        rows.append((bytes(feature.GetGeometryRef().ExportToWkb()), feature.items()))
    return rows


class SameBytes(ArchiveTest):
    def shards(self, name, n, at_once):
        """The stages that shard, in n parts, then the others; returns store and output."""
        store, output, options = self.place(name)
        common = ["-c", self.config, *options, "--set", TILE, "-q", "-j", 1]
        shuibao("catalog", *common)
        for stage in ("tile", "detect"):
            parts = [command(stage, *common, "--shard", f"{i}/{n}") for i in range(1, n + 1)]
            running = []
            for part in parts:
                process = subprocess.Popen(part, stderr=subprocess.PIPE, text=True, env=environment())
                running.append(process)
                if not at_once:
                    process.wait(timeout=300 * PATIENCE)
            for process in running:
                talk = process.communicate(timeout=300 * PATIENCE)[1]
                self.assertEqual(0, process.returncode, f"{stage}: {talk}")
        for stage in ("delineate", "screen", "rank", "export"):
            shuibao(stage, *common)
        return store, output

    def assert_same_without_record(self, store, output):
        # Single stages write no run.json.
        shutil.copy(self.place("reference")[1] / "run.json", output / "run.json")
        self.assert_same(store, output)

    def test_threads(self):
        store, output, _ = self.run_all("threads", "-j", 2)
        self.assert_same(store, output)

    def test_two_shards_one_after_the_other(self):
        self.reference()
        self.assert_same_without_record(*self.shards("two", 2, at_once=False))

    def test_three_shards_at_once(self):
        self.reference()
        self.assert_same_without_record(*self.shards("three", 3, at_once=True))
        # Nothing is left to do for a run that comes after them.
        again = self.explain("three", "-j", 2)
        tiles = {unit: what for (stage, unit), what in again.items() if stage in ("tile", "detect")}
        self.assertGreater(len(tiles), 50)
        self.assertEqual({("SKIP", "up to date")}, set(tiles.values()))

    def test_more_shards_than_tiles(self):
        self.reference()
        # One tile: three of the four shards have nothing to do, and that is no error.
        store, output, options = self.place("idle")
        common = ["-c", self.config, *options, "--set", "grid.tile_size=2048", "-q"]
        shuibao("catalog", *common)
        for stage in ("tile", "detect"):
            for i in range(1, 5):
                if stage == "tile" or (store / "acquisitions.json").exists():
                    shuibao(stage, *common, "--shard", f"{i}/4")
        shuibao("delineate", *common)
        one_tile = self.place("idle")[0] / "batches/202405/disturbances.gpkg"
        self.assertEqual(polygons(self.place("reference")[0] / "batches/202405/disturbances.gpkg", "disturbances"),
                         polygons(one_tile, "disturbances"))

    def test_what_gathers_waits_for_all_shards(self):
        """contract 4: a lost array task must not pass for ground without change."""
        store, output, options = self.place("lost")
        common = ["-c", self.config, *options, "--set", TILE, "-q", "-j", 1]
        shuibao("catalog", *common)
        shuibao("tile", *common, "--shard", "1/2")
        # A model of half the tiles is not the model of the area.
        talk = shuibao("detect", *common, "--shard", "1/2", code=75).stderr
        self.assertRegex(talk, r"\d+ of \d+ tiles are not cut, X\d+_Y\d+/\S+ is one of them\. Run `shuibao tile` to its end")
        self.assertFalse(list(store.glob("batches/*/changes/*")))
        shuibao("tile", *common, "--shard", "2/2")
        shuibao("detect", *common, "--shard", "1/2")
        half = len(list(store.glob("batches/*/changes/*.tif")))
        talk = shuibao("delineate", *common, code=75).stderr
        self.assertIn("change maps are not made", talk)
        self.assertFalse(list(store.glob("batches/*/disturbances.gpkg")))
        shuibao("detect", *common, "--shard", "2/2")
        maps = sorted(store.glob("batches/*/changes/*.tif"))
        self.assertGreater(len(maps), half)
        # Neither does a map that somebody has deleted.
        maps[0].rename(maps[0].with_suffix(".away"))
        shuibao("delineate", *common, code=75)
        shuibao("run", *common, "--shard", "1/2", code=2)  # its later stages gather
        shuibao("detect", *common)
        shuibao("delineate", *common)

    def test_order_of_the_catalogue(self):
        self.reference()
        items = sorted((self.archive / "catalog").glob("*.json"))
        backwards = "[" + ", ".join(str(p) for p in reversed(items)) + "]"
        store, output, _ = self.run_all("backwards", "--set", f"imagery.catalog={backwards}", "-j", 2)
        expected, got = self.reference(), Results(store, output)
        self.assertEqual(expected.store, got.store)
        self.assertEqual(expected.output, got.output)

    def test_collection_instead_of_items(self):
        self.reference()
        features = [json.loads(p.read_text()) for p in sorted((self.archive / "catalog").glob("*.json"))]
        collection = self.archive / "catalog" / "all" / "items.json"
        collection.parent.mkdir()
        self.addCleanup(shutil.rmtree, collection.parent)
        for feature in features:
            for asset in feature["assets"].values():
                asset["href"] = "../" + asset["href"]
        collection.write_text(json.dumps({"type": "FeatureCollection", "features": features[::-1]}))
        store, output, _ = self.run_all("collection", "--set", f"imagery.catalog={collection}", "-j", 2)
        self.assert_same(store, output, moved=True)

    def test_second_output(self):
        self.reference()
        store, output = self.place("reference")[0], self.base / "second" / "output"
        shuibao("run", "-c", self.config, "--store", store, "-o", output, "--set", TILE, "-q")
        self.assert_same(store, output)

    def test_another_place(self):
        self.reference()
        config = copy_archive(self.archive, self.base / "a longer way" / "到这里" / "archive")
        store = config.parent / "the store"
        output = config.parent / "results"
        shuibao("run", "-c", config, "--store", store, "-o", output, "--set", TILE, "-q", "-j", 2)
        self.assert_same(store, output, moved=True)
        there = (store / "scenes.json").read_text().replace(str(config.parent), str(self.archive))
        self.assertEqual((self.place("reference")[0] / "scenes.json").read_text(), there)

    def test_tile_size(self):
        self.reference()
        folder = self.place("reference")[1]
        expected = {layer: polygons(folder / "disturbances.gpkg", layer) for layer in ("disturbances", "suspects")}
        self.assertGreaterEqual(len(expected["disturbances"]), 4)
        tiles_at = {}
        for size in (100, 512, 2048):
            with self.subTest(tile_size=size):
                store, output, _ = self.run_all(f"size{size}", "-j", 2, tile=f"grid.tile_size={size}")
                tiles_at[size] = sum(f.startswith("batches/202405/changes/") for f in files(store))
                for layer, rows in expected.items():
                    self.assertEqual(rows, polygons(output / "disturbances.gpkg", layer))
                for name, digest in self.reference().output.items():
                    if name.startswith("export/"):
                        self.assertEqual(digest, Results(store, output).output[name], name)
        self.assertGreater(tiles_at[100], tiles_at[512])
        self.assertEqual(1, tiles_at[2048])


if __name__ == "__main__":
    main()
