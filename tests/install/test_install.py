# SPDX-License-Identifier: Apache-2.0
"""The installed program, away from the source tree: links for every verb, its own configs, a whole run."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD, SOURCE = Path(sys.argv[1]), Path(sys.argv[2])


def run(*words, code=0, cwd=None, **env):
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("SHUIBAO", "SLURM_"))}
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300, cwd=cwd, env={**keep, **env})
    if done.returncode != code:
        raise AssertionError(f"{words} ended with {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_install_")
        cls.base = Path(cls.folder.name)
        cls.prefix = cls.base / "a prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.bin = cls.prefix / "bin"
        cls.program = cls.bin / "shuibao"
        cls.configs = cls.prefix / "share" / "shuibao" / "configs"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_link_for_every_verb(self):
        verbs = run(self.program, "--list-verbs").stdout.split()
        self.assertGreaterEqual(set(verbs), {"run", "catalog", "tile", "detect", "delineate", "screen", "rank", "export",
                                             "init", "check", "status", "assess", "simulate"})
        links = {p.name for p in self.bin.iterdir() if p.is_symlink()}
        self.assertEqual({f"shuibao-{verb}" for verb in verbs}, links)
        for verb in verbs:
            link = self.bin / f"shuibao-{verb}"
            self.assertEqual("shuibao", os.readlink(link))  # relative: the prefix may move
            self.assertEqual(run(self.program, verb, "--help").stdout, run(link, "--help").stdout)

    def test_all_configs_are_there(self):
        def tree(folder):
            return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        self.assertEqual(tree(SOURCE / "configs"), tree(self.configs))

    def test_staged_install_and_moved_prefix(self):
        stage = self.base / "stage"
        run("cmake", "--install", BUILD, "--prefix", "/opt/shuibao", DESTDIR=str(stage))
        moved = self.base / "moved"
        (stage / "opt" / "shuibao").rename(moved)
        self.assertIn("detect", run(moved / "bin" / "shuibao-run", "--help").stdout)
        self.assertTrue((moved / "share" / "shuibao" / "configs" / "sensors" / "sentinel-2-l2a.yaml").exists())

    def test_a_whole_run_with_the_installed_configs(self):
        work = self.base / "work"
        work.mkdir()
        run(self.bin / "shuibao-simulate", "demo", "--size", 192, "--sites", 4, "-q", cwd=work)
        run(self.bin / "shuibao-run", "demo/run.yaml", "-q", cwd=work)
        table = (work / "demo/output/export/suspects_202405.csv").read_text(encoding="utf-8-sig")
        self.assertIn("unapproved", table)
        # Which copy of the rules was read shows when the installed one is spoiled.
        rules = self.configs / "rules" / "2023-03-01.yaml"
        good = rules.read_text()
        self.addCleanup(rules.write_text, good)
        rules.write_text("name: [")
        done = run(self.program, "screen", "demo/run.yaml", "-q", cwd=work, code=2)
        self.assertIn(str(rules), done.stderr)
        self.assertNotIn(str(SOURCE), done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
