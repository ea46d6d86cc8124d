# SPDX-License-Identifier: Apache-2.0
"""The ledger in PostGIS (issue: "PostGIS through the same OGR code where a user has one"), against a real server that
the test starts in a temporary folder, on a socket only. The oracle is the GeoPackage of the same run elsewhere."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from osgeo import ogr

from harness import command, environment, main, shuibao
from layers import box, write_layer
from story import BATCHES, X, Y, sites, write_batch

ogr.UseExceptions()
BIN = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "")
LAYERS = ("cases", "history", "lineage", "checks", "parts")


def has_postgis():
    if not BIN or not os.path.exists(f"{BIN}/initdb"):
        return False
    return os.path.exists(f"/usr/share/postgresql/{Path(BIN).parent.name}/extension/postgis.control")


@unittest.skipUnless(has_postgis(), "no PostgreSQL server with PostGIS here (Debian: postgresql-15-postgis-3)")
@unittest.skipIf(os.geteuid() == 0 and "postgres" not in {u.pw_name for u in pwd.getpwall()}, "root may not run the server")
class PostGis(unittest.TestCase):
    maxDiff = 3000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.base = Path(cls.folder.name)
        cls.base.chmod(0o755)
        cls.server = cls.base / "server"
        cls.server.mkdir()
        cls.as_user = []
        if os.geteuid() == 0:
            shutil.chown(cls.server, "postgres", "postgres")
            cls.as_user = ["runuser", "-u", "postgres", "--"]
        cls.postgres("initdb", "-D", cls.server / "data", "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "-N")
        cls.postgres("pg_ctl", "-D", cls.server / "data", "-w", "-l", cls.server / "log", "-o",
                     f"-c listen_addresses='' -c unix_socket_directories={cls.server} -c fsync=off", "start")
        cls.addClassCleanup(cls.postgres, "pg_ctl", "-D", cls.server / "data", "-m", "immediate", "stop")
        cls.sql("CREATE EXTENSION postgis")
        cls.target = f"PG:host={cls.server} dbname=postgres user=postgres"
        cls.drawn = cls.base / "drawn"
        cls.drawn.mkdir()
        cls.sites = sites(seed=7, n=16)
        for t in range(3):
            write_batch(cls.drawn / f"{BATCHES[t]}.gpkg", cls.sites, t)
        write_layer(cls.base / "ranges.gpkg", 4546, {"PRID": ogr.OFTString}, [(box(X - 9e4, Y, X - 8.9e4, Y + 100), {"PRID": "far"})])

    @classmethod
    def postgres(cls, program, *args):
        # Output to a file: the server keeps what it inherits.
        with open(cls.base / "tool.log", "a", encoding="utf8") as log:
            subprocess.run([*cls.as_user, f"{BIN}/{program}", *map(str, args)], check=True, stdout=log, stderr=log, cwd="/")

    @classmethod
    def sql(cls, text):
        done = subprocess.run([f"{BIN}/psql", "-h", cls.server, "-U", "postgres", "-qAtc", text], text=True,
                              capture_output=True, check=True, cwd="/")
        return done.stdout.strip()

    def where(self, name, t):
        return ["--batch", BATCHES[t], "--store", self.base / name / "store", "-o", self.base / name / "out", "-q"]

    def rank_all(self, name, *args):
        for t in range(3):
            shuibao("screen", "--disturbances", self.drawn / f"{BATCHES[t]}.gpkg", "--approvals", self.base / "ranges.gpkg",
                    *self.where(name, t))
            shuibao("rank", *self.where(name, t), *args)

    def into_database(self):
        return ["--set", f"ledger.path={self.target}", "--allow-network"]

    def rows(self, source, prefix=""):
        def rounded(value):  # OGR's driver hands reals over with 15 digits
            return float(f"{value:.12g}") if isinstance(value, float) else value

        data = ogr.Open(source)
        return {layer: [({k: rounded(v) for k, v in f.items().items()}, f.GetGeometryRef().ExportToWkt() if f.GetGeometryRef() else None)
                        for f in data.GetLayerByName(prefix + layer)] for layer in LAYERS}

    def in_database(self):
        return self.rows(self.target, "shuibao.")

    def test_life_in_a_database(self):
        self.rank_all("files")
        want = self.rows(str(self.base / "files/store/ledger.gpkg"))
        self.assertGreater(len(want["cases"]), 16)
        self.assertGreater(len(want["lineage"]), 0)
        self.rank_all("database", *self.into_database())
        self.assertEqual(self.in_database(), want)
        self.assertFalse((self.base / "database/store/ledger.gpkg").exists())
        self.assertEqual((self.base / "database/store/ledger.json").read_bytes(), (self.base / "files/store/ledger.json").read_bytes())
        self.assertEqual(self.sql("SELECT ST_SRID(geom), GeometryType(geom) FROM shuibao.cases LIMIT 1"), "4546|MULTIPOLYGON")

        # Again: nothing is written. What somebody removed or an older program wrote is made again.
        table = self.sql("SELECT 'shuibao.cases'::regclass::oid")
        shuibao("rank", *self.where("database", 2), *self.into_database())
        self.assertEqual(self.sql("SELECT 'shuibao.cases'::regclass::oid"), table)
        for harm in ("DROP SCHEMA shuibao CASCADE", "UPDATE shuibao.written SET mark = 'old'; DELETE FROM shuibao.cases"):
            self.sql(harm)
            shuibao("rank", *self.where("database", 2), *self.into_database())
            self.assertEqual(self.in_database(), want)

        # Killed at any moment: the old rows stand until the new ones do.
        killed = 0
        for k in range(4):
            self.sql("UPDATE shuibao.written SET mark = 'old'")
            process = subprocess.Popen(command("rank", *self.where("database", 2), *self.into_database()),
                                       stderr=subprocess.DEVNULL, env=environment())
            time.sleep(0.08 * (k + 1))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            self.assertEqual(self.in_database(), want)
            shuibao("rank", *self.where("database", 2), *self.into_database())
            self.assertEqual(self.in_database(), want)
            self.assertNotEqual(self.sql("SELECT mark FROM shuibao.written"), "old")
        self.assertGreaterEqual(killed, 2)

        # What others built on the tables is not torn down.
        self.sql("CREATE VIEW public.ours AS SELECT case_id FROM shuibao.cases; UPDATE shuibao.written SET mark = 'old'")
        told = shuibao("rank", *self.where("database", 2), *self.into_database(), code=1).stderr
        self.assertIn("The database refuses: ", told)
        self.assertIn("view ours depends on table shuibao.cases", told)
        self.assertEqual(self.in_database(), want)
        self.sql("DROP VIEW public.ours")

    def test_sentences(self):
        shuibao("screen", "--disturbances", self.drawn / f"{BATCHES[0]}.gpkg", "--approvals", self.base / "ranges.gpkg",
                *self.where("refused", 0))
        self.sql("CREATE DATABASE plain")
        for path, network, code, words in (
                (self.target, False, 2, "The ledger is to go into a database, and the network is closed."),
                (self.target + " password=geheim", True, 2, "The connection to the database holds a password"),
                (f"PG:host={self.base}/nobody dbname=postgres user=postgres", True, 1, "The database cannot be reached: "),
                (self.target.replace("dbname=postgres", "dbname=plain"), True, 1, "The database has no PostGIS: ")):
            done = shuibao("rank", *self.where("refused", 0), "--set", f"ledger.path={path}",
                           *(["--allow-network"] if network else []), code=code)
            self.assertIn(words, done.stderr)
            self.assertNotIn("geheim", done.stderr)


if __name__ == "__main__":
    main()
