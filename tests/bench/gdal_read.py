#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every band of these rasters once through GDAL with N threads, block row by block row, and prints the wall
time in seconds: the floor that detection is measured against.

  gdal_read.py THREADS FILE...
"""
import sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from osgeo import gdal, gdal_array
gdal.UseExceptions()
gdal.SetCacheMax(192 << 20)


def read(path):
    d = gdal.Open(path)
    for b in range(1, d.RasterCount + 1):
        band = d.GetRasterBand(b)
        step = band.GetBlockSize()[1]
        out = np.empty((step, d.RasterXSize), gdal_array.GDALTypeCodeToNumericTypeCode(band.DataType))
        for row in range(0, d.RasterYSize, step):
            rows = min(step, d.RasterYSize - row)
            band.ReadAsArray(0, row, d.RasterXSize, rows, buf_obj=out[:rows])


start = time.monotonic()
with ThreadPoolExecutor(int(sys.argv[1])) as pool:
    list(pool.map(read, sys.argv[2:]))
print(f"{time.monotonic() - start:.3f}")
