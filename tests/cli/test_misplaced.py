#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A scene whose files lie farther beside the others than registration corrects is set aside; where most scenes say so of
the reference, the reference is. Contract 6: a wrongly referenced scene is set aside, named and counted."""
from osgeo import gdal

from harness import ArchiveTest, main, shuibao

gdal.UseExceptions()


class Misplaced(ArchiveTest):
    size, sites, seed = 600, 6, 3

    def move(self, name, metres):
        """Shifts the georeference of an image, not its pixels, and back when the test is over."""
        def shift(by):
            image = gdal.Open(str(self.archive / "images" / f"{name}.tif"), gdal.GA_Update)
            left, *others = image.GetGeoTransform()
            image.SetGeoTransform((left + by, *others))
            image = None
        shift(metres)
        self.addCleanup(shift, -metres)

    def tiled(self, name):
        common = ["-c", self.archive / "run.yaml", "--store", self.base / name]
        shuibao("catalog", *common, "-q")
        return shuibao("tile", *common, code=3).stderr

    def test_one_of_four(self):
        self.move("demo_20240525", 50)
        words = self.tiled("one")
        self.assertRegex(words, r"The scene demo_20240525 is set aside: it lies 50 m \(\+5\.0, [+-]0\.0 px\) beside demo_20230506, "
                                r"as \d+ of \d+ tie points say\. Check the geotransform")
        self.assertNotIn("demo_20240510 is set aside", words)

    def test_the_reference(self):
        self.move("demo_20230506", 50)
        words = self.tiled("reference")
        self.assertIn("The scene demo_20230506 is set aside: 3 of the 3 scenes that were compared with it lie elsewhere", words)
        self.assertNotIn("demo_20240525 is set aside", words)


if __name__ == "__main__":
    main()
