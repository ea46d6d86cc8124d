# SPDX-License-Identifier: Apache-2.0
"""Polygon layers drawn by hand for the tests that drive the program from outside."""
from pathlib import Path

from osgeo import ogr, osr

ogr.UseExceptions()
osr.UseExceptions()


def reference(crs):
    """The CRS of an EPSG number or of any text that PROJ reads; east or longitude is the first axis."""
    srs = osr.SpatialReference()
    srs.SetFromUserInput(f"EPSG:{crs}" if isinstance(crs, int) else crs)
    srs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return srs


def box(x0, y0, x1, y1):
    return ogr.CreateGeometryFromWkt(f"POLYGON(({x0} {y0},{x1} {y0},{x1} {y1},{x0} {y1},{x0} {y0}))")


def write_layer(path, crs, fields, rows, name=None, kind=ogr.wkbPolygon):
    """A GeoPackage of one layer, called as the file unless `name` says otherwise. `fields`: name → OGR type; `rows`:
    (geometry, name → value)."""
    data = ogr.GetDriverByName("GPKG").CreateDataSource(str(path))
    layer = data.CreateLayer(name or Path(path).stem, reference(crs), kind)
    for field, field_type in fields.items():
        layer.CreateField(ogr.FieldDefn(field, field_type))
    data.StartTransaction()
    for shape, values in rows:
        f = ogr.Feature(layer.GetLayerDefn())
        for field, value in values.items():
            f[field] = value
        f.SetGeometry(shape)
        layer.CreateFeature(f)
    data.CommitTransaction()
