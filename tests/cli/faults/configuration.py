# SPDX-License-Identifier: Apache-2.0
"""Configuration, command line and places to write. Contract §2, §3: exit code 2, file:line, the nearest name."""
from faults import Fault, nothing


def config(text, replace=False):
    """Adds lines to run.yaml (its own lines stay where they are), or replaces it."""
    def spoil(world):
        path = world.path("run.yaml")
        path.write_text(text if replace else path.read_text() + text)
    return spoil


def extends_itself(world):
    world.path("other.yaml").write_text("extends: run.yaml\n")
    config("extends: other.yaml\n")(world)


def file_instead(name):
    return lambda w: w.path(name).write_text("I was here first.\n")


def untouched(name):
    def after(world, _result):
        assert world.path(name).read_text() == "I was here first.\n"
    return after


def locked_folder(name):
    def spoil(world):
        world.path(name).mkdir()
        world.path(name).chmod(0o555)
    return spoil


def nothing_made(world, _result):
    assert not world.path("store").exists() and not world.path("output").exists(), "a refused command wrote something"


def usage(name, spoil, says, command="run run.yaml", **more):
    more.setdefault("after", nothing_made)
    return Fault(name, spoil, says, code=2, command=command, **more)


def objects(text):
    """An object model of one's own; `text` follows the numbers, levels from line 5 on."""
    def spoil(world):
        world.path("objects.yaml").write_text("quiet: -1.6\nlikely: 0\nleast: 1\nbase: -2\n" + text)
        config("delineate:\n  objects: objects.yaml\n")(world)
    return spoil


# Line 11 is the first that config() adds: run.yaml of `simulate` has 7 lines, world.py adds 3.
TABLE = [
    usage("unknown key", config("detect:\n  methd: pair\n"),
          ["run.yaml:12: there is no key 'detect.methd'", "Did you mean 'detect.method'?"]),
    usage("object model that is not there", config("delineate:\n  objects: nowhere.yaml\n"),
          ["nowhere.yaml", "delineate.objects"]),
    usage("object model without trees", objects("levels: [-1, 0]\n"), ["objects.yaml:1: trees is missing.", "configs/objects"]),
    usage("object model with levels that fall", objects("levels: [0, -1]\ntrees: []\n"),
          ["objects.yaml:5: levels must ascend."]),
    usage("object model with a level that maps do not keep", objects("levels: [-9, 0]\ntrees: []\n"),
          ["objects.yaml:5: no level lies below -2.5"]),
    usage("object model that asks less of what is together", objects("together: -1\nlevels: [0]\ntrees: []\n"),
          ["objects.yaml:5: together lies below 0."]),
    usage("object model with a measure nobody takes", objects("levels: [0]\ntrees:\n  - [contrst, 1, [tilled, 1, 0, 0], 0]\n"),
          ["objects.yaml:7: there is no measure 'contrst'; did you mean 'contrast'?"]),
    usage("object model with half a tree", objects("levels: [0]\ntrees:\n  - [contrast, 1]\n"),
          ["objects.yaml:7: a tree is [measure, number, what holds if it is at most that, what else]"]),
    usage("object model with a word for a number", objects("levels: [0]\ntrees:\n  - [contrast, much, 0, 0]\n"),
          ["objects.yaml:7: this is no number."]),
    usage("object model with a word for log-odds", objects("levels: [0]\ntrees:\n  - [contrast, 1, 0, often]\n"),
          ["objects.yaml:7: this is no number."]),
    usage("object model that never stops asking", objects("levels: [0]\ntrees:\n  - " + "[contrast, 1, 0, " * 40 + "0" + "]" * 40 + "\n"),
          ["objects.yaml:7: a tree asks at most 32 questions in a row."]),
    usage("object model that gives up after more trees than it has",
          objects("levels: [0]\nhopeless: [2, -1]\ntrees:\n  - [contrast, 1, 0, 0]\n"),
          ["objects.yaml:6: hopeless counts some of the 1 trees."]),
    usage("object model that gives up without saying when", objects("levels: [0]\nhopeless: -1\ntrees:\n  - [contrast, 1, 0, 0]\n"),
          ["objects.yaml:6: hopeless is [a number of trees, the log-odds that must be reached by then]."]),
    usage("type rules that are not there", config("delineate:\n  types: nowhere.yaml\n"), ["nowhere.yaml", "delineate.types"]),
    usage("unknown section", config("imagry:\n  catalog: x\n"), ["run.yaml:11: there is no key 'imagry'", "shuibao init"]),
    usage("number that is none", config("delineate:\n  min_area: large\n"),
          ["run.yaml:12: 'delineate.min_area' cannot be 'large'", "It takes a number from 0 to 1000000000 in m²"]),
    usage("value out of range", config("tile:\n  max_shift: 1000\n"),
          ["run.yaml:12: 'tile.max_shift' cannot be '1000'", "from 0.5 to 20 in px"]),
    usage("negative value", config("delineate:\n  min_area: -1\n"), ["'delineate.min_area' cannot be '-1'"]),
    usage("huge value", config("delineate:\n  min_area: 1e400\n"), ["'delineate.min_area' cannot be '1e400'"]),
    usage("not a number", config("delineate:\n  min_area: .nan\n"), ["'delineate.min_area' cannot be '.nan'"]),
    usage("fraction of a pixel as tile size", nothing, ["--set: 'grid.tile_size' cannot be '100.5'", "a whole number"],
          command="run run.yaml --set grid.tile_size=100.5"),
    usage("unknown choice", config("detect:\n  method: magic\n"),
          ["run.yaml:12: 'detect.method' cannot be 'magic'", "It takes one of ", "pair"]),
    usage("key given twice", config("grid:\n  tile_size: 256\n"), ["run.yaml:11: the key 'grid' is given twice"]),
    usage("text where a section belongs", config("detect: pair\n"),
          ["run.yaml:11: 'detect' is a section and needs keys below it", "indented"]),
    usage("YAML syntax", config("detect:\n  method: [pair\n"), ["run.yaml:1", "this is not YAML", "Indent with spaces"]),
    usage("tab in YAML", config("detect:\n\tmethod: pair\n"), ["run.yaml:12: this is not YAML", "never tabs"]),
    usage("configuration is a list", config("- a\n- b\n", replace=True),
          ["run.yaml:1: a configuration is a mapping of keys to values"]),
    usage("binary configuration", lambda w: w.path("run.yaml").write_bytes(bytes(range(256)) * 4), ["run.yaml"]),
    usage("configuration in GBK", lambda w: w.path("run.yaml").write_bytes(w.path("run.yaml").read_bytes() + "output: 结果\n".encode("gbk")),
          ["run.yaml:11: this is no UTF-8.", "Save the file as UTF-8"]),
    usage("two documents in one configuration", config("---\ndetect: {method: pair}\n"),
          ["run.yaml:12: a second YAML document begins", "Remove the line '---'"]),
    usage("configuration that may not be read", lambda w: w.path("run.yaml").chmod(0),
          ["The configuration run.yaml cannot be read: Permission denied.", "the right to read it"], nobody=True),
    usage("store that is no path", nothing, ["--set: 'store' cannot be ''", "It takes a path"], command=["run", "run.yaml", "--set", "store="]),
    usage("configs folder that is none", nothing, ["SHUIBAO_CONFIGS names /nowhere, which is no folder.", "unset it"],
          env={"SHUIBAO_CONFIGS": "/nowhere"}),
    usage("tile outside the area", nothing, ["tile has no tile X0099_Y0099.", "There are "],
          command="tile run.yaml --tile X0099_Y0099", finished_first=True, after=nothing),
    usage("init as JSON", nothing, ["`shuibao init` does not write JSON.", "--json-usage"], command="init --json"),
    usage("configuration missing", lambda w: w.path("run.yaml").unlink(),
          ["The configuration run.yaml cannot be read", "shuibao init run.yaml"]),
    usage("configuration is a folder", nothing, ["The configuration catalog cannot be read", "is a folder"],
          command="run catalog"),
    usage("extends in a circle", extends_itself, ["`extends` goes round in a circle"]),
    usage("extends nothing", config("extends: absent.yaml\n"), ["absent.yaml cannot be read"]),
    usage("no catalogue given", config("approvals:\n  path: approvals.shp\n", replace=True),
          ["imagery.catalog is not set", "--catalog PATH"]),
    usage("no approvals given", config("imagery:\n  catalog: catalog\ngrid: {tile_size: 128}\n", replace=True),
          ["approvals.path is not set", "approvals.path: none"]),
    usage("no day", nothing, ["--set: 'imagery.from' cannot be 'May'", "YYYY-MM-DD"],
          command="run run.yaml --set imagery.from=May"),
    usage("unknown verb", nothing, ["There is no verb 'delinate'", "Did you mean 'delineate'?"], command="delinate run.yaml"),
    usage("no verb", nothing, ["A verb is missing", "`shuibao --help`"], command=""),
    usage("unknown option", nothing, ["`shuibao run` does not know '--memroy'", "Did you mean '--memory'?"],
          command="run run.yaml --memroy 1G"),
    usage("option without value", nothing, ["--store", "`shuibao tile --help` explains"], command="tile --store"),
    usage("unknown key in --set", nothing, ["--set: there is no key 'detect.methd'", "Did you mean 'detect.method'?"],
          command="run run.yaml --set detect.methd=pair"),
    usage("--set without value", nothing, ["--set", "takes KEY=VALUE, not 'detect.method'"],
          command="run run.yaml --set detect.method"),
    usage("no such month", nothing, ["--batch: 'batch' cannot be '202413'", "e.g. 202403"], command="run run.yaml --batch 202413"),
    usage("batch that climbs", nothing, ["'batch' cannot be '../../'"], command="run run.yaml --batch ../../"),
    usage("jobs below one", nothing, ["--jobs: 'jobs' cannot be '-3'", "1 to 1024"], command="run run.yaml --jobs=-3"),
    usage("jobs in the environment", nothing, ["SLURM_CPUS_PER_TASK: 'jobs' cannot be 'many'"], command="run run.yaml",
          env={"SLURM_CPUS_PER_TASK": "many"}),
    usage("memory that is no number", nothing, ["--memory: 'memory' cannot be 'nan'", "at least 200M"],
          command="run run.yaml --memory nan"),
    usage("memory beyond all machines", nothing, ["--memory: 'memory' cannot be 'infG'"], command="run run.yaml --memory infG"),
    usage("memory too small", nothing, ["--memory: 'memory' cannot be '1M'", "at least 200M"], command="run run.yaml --memory 1M"),
    usage("shard beyond the last", nothing, ["--shard cannot be '5/4'", "--shard 1/4"], command="tile run.yaml --shard 5/4"),
    usage("no tile name", nothing, ["'X3' is no tile name", "X0003_Y0004"], command="tile run.yaml --tile X3"),
    usage("tile list missing", nothing, ["The tile list absent.txt cannot be read"], command="tile run.yaml --tiles-from absent.txt"),
    usage("tile list of no tile", nothing, ["The tile list /dev/null names no tile", "drop --tiles-from for all tiles"],
          command="tile run.yaml --tiles-from /dev/null"),
    usage("waiting for not a number", nothing, ["--wait", "nan"], command="run run.yaml --wait nan"),
    usage("waiting less than nothing", nothing, ["--wait", "-5"], command="run run.yaml --wait=-5"),
    usage("progress to nobody", nothing, ["--progress-fd", "77", "not open"], command="run run.yaml --progress-fd 77"),
    usage("log file in no folder", nothing, ["The log file absent/log.txt cannot be opened"],
          command="run run.yaml --log-file absent/log.txt"),
    usage("gdal option without value", nothing, ["--gdal-config takes KEY=VALUE"], command="run run.yaml --gdal-config GDAL"),
    usage("init over a file", nothing, ["run.yaml exists", "--overwrite"], command="init run.yaml"),
    usage("archive over an archive", nothing, ["run.yaml exists", "--overwrite"], command="simulate {dir}"),
    usage("status of no store", nothing, ["There is no store at {dir}/store", "--store"], command="status run.yaml"),
    usage("no such exporter", nothing, ["--set: 'export.formats' cannot hold 'shapfile'", "Did you mean 'shapefile'?"],
          command="run run.yaml --set export.formats=shapfile"),
    usage("no such band to keep", nothing, ["--set: 'tile.bands' cannot hold 'rot'", "red"],
          command="run run.yaml --set tile.bands=[blue,rot]"),
    Fault("output is a file", file_instead("output"), ["{dir}/output", "Not a directory", "another folder"], code=1,
          after=untouched("output")),
    Fault("store is a file", file_instead("store"), ["The store {dir}/store cannot be created", "--store"], code=1,
          after=untouched("store")),
    Fault("output may not be written", locked_folder("output"), ["{dir}/output", "Permission denied", "the right to write there"],
          code=1, nobody=True),
    Fault("store may not be written", locked_folder("store"), ["The store {dir}/store cannot be locked: Permission denied"],
          code=1, nobody=True),
]
