// SPDX-License-Identifier: Apache-2.0
// Vector layers in and out: any OGR format in, GeoPackage, Shapefile and CSV out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <shuibao/core/date.hpp>
#include <shuibao/io/attributes.hpp>
#include <shuibao/io/geometry.hpp>

namespace shuibao::io {

[[nodiscard]] std::string to_text(const Value& value);  ///< empty for null; shortest round-trip numbers
[[nodiscard]] std::optional<double> to_number(const Value& value);  ///< numbers, and texts that are numbers
/// Dates, and texts that are dates: what Date::parse takes, and 2021/5/6, 2021.5.6, 2021年5月6日, with or
/// without a local time of day behind it.
[[nodiscard]] std::optional<Date> to_date(const Value& value);

/// Null for an empty text or an absent day: how either is written where nothing is known.
[[nodiscard]] inline Value or_null(std::string text) {
    return text.empty() ? Value() : Value(std::move(text));
}
[[nodiscard]] inline Value or_null(const std::optional<Date>& day) {
    return day ? Value(*day) : Value();
}

/// Something that was mended or passed over while reading; `row` counts from 1 as the format does (0 = the
/// layer).
struct LayerNote {
    std::int64_t row = 0;
    std::string code, text;
};

/// A row with its geometry in the layer's CRS (VectorLayer::crs), x east, y north whatever the CRS's
/// authority says.
struct VectorFeature {
    std::int64_t row = 0;
    std::int64_t id = 0;  ///< the format's own number of the row, for LayerReader::at
    Geometry shape;
    Attributes values;  ///< by field name as in the file
};

enum class FieldType { integer, real, text, date };

struct VectorLayer {
    std::string name,
        crs;  ///< crs: "EPSG:n" or WKT, of all its shapes; ReadOptions::to_crs where that was asked for
    std::vector<std::string> fields;
    std::vector<FieldType> types;          ///< of the fields; what is no number and no day is text
    std::vector<VectorFeature> features;   ///< in file order; rows without an area are left out and noted
    std::vector<VectorFeature> shapeless;  ///< rows without a geometry: what they say, nothing on the map
    std::vector<LayerNote> notes;
};

struct ReadOptions {
    std::string layer = {};  ///< name; default: the first
    /// Of a shapefile's texts: "UTF-8", "GBK" …; default: its .cpg, checked against the bytes.
    std::string encoding = {};
    std::string to_crs = {};               ///< reproject; default: keep
    std::vector<std::string> fields = {};  ///< only these are read (ASCII names); default: all
    bool ours = false;                     ///< this program wrote it: shapes are valid, and not checked again
    /// Points and lines become areas by so much on each side (unit of to_crs); 0: left out.
    double widen = 0;
    bool shapes = true;  ///< false: no geometry is read, and no row left out for want of one
    /// Of tables without `layer`: the first layer that has a column of one of these names (upper and lower
    /// case alike), as the sheet people fill in need not be the first. Where none has, the first.
    std::vector<std::string> column = {};
};

/// A layer of polygons row by row, for layers of which it is not enough memory, or not worth the time, to
/// hold them whole. Mends, leaves out and notes what read_layer() does; throws as it does.
class LayerReader {
  public:
    explicit LayerReader(const std::string& path, const ReadOptions& options = {});
    ~LayerReader();
    LayerReader(LayerReader&&) noexcept;
    /// Name, CRS, fields and types; the notes of what has been read, and the rows that came without a shape.
    [[nodiscard]] VectorLayer& layer();
    /// About how many rows there are, to make room for: what the format says, which may be wrong, and no more
    /// than is worth it; 0 where it would have to count them.
    [[nodiscard]] std::size_t expected() const;
    /// The next row with an area; false at the end.
    [[nodiscard]] bool next(VectorFeature& feature);
    /// The next `most` rows; fewer at the end, none after it.
    [[nodiscard]] std::vector<VectorFeature> next(std::size_t most);
    /// The row with this `id`, at any time; next() is not disturbed. Throws Error(input) where there is none.
    [[nodiscard]] VectorFeature at(std::int64_t id);

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// Reads a whole layer of polygons; invalid rings are repaired and noted. Texts declared UTF-8 that are not
/// are read as GBK and noted. Throws Error(input): unreadable file, unknown layer, no CRS (.prj), or a datum
/// that cannot be trusted here (Beijing 1954, Xian 1980, GCJ-02).
[[nodiscard]] VectorLayer read_layer(const std::string& path, const ReadOptions& options = {});

struct Place {
    Point at;
    std::int64_t row = 0;  ///< as people count: in a CSV the line of names is 1
    Attributes values;     ///< by field name as in the file
};
struct Places {
    std::vector<Place> places;
    std::vector<LayerNote> notes;  ///< rows that have no place on the earth, and texts that were mended
};
/// The places of a layer: points as they are, parts of collections one by one, the inside of anything else.
/// Of a CSV without shapes the columns longitude and latitude, where `columns_in` says what CRS those are in.
/// Throws Error(input) as read_layer.
[[nodiscard]] Places read_places(const std::string& path, const std::string& to_crs,
                                 const std::string& columns_in = {});

/// A row of a table, with or without a place on the map.
struct TableRow {
    std::int64_t row = 0;  ///< as people count: in spreadsheets and CSV the line of names is 1
    std::map<std::string, Value> values;
    Geometry shape;              ///< polygons it came with, in `to_crs`; empty without
    std::optional<Point> place;  ///< point it came with, in `to_crs`
};
struct Table {
    std::vector<std::string> fields;  ///< unique: the second column of a name gets its number behind it
    std::vector<TableRow> rows;       ///< in file order, empty ones left out
    std::vector<LayerNote> notes;
};

/// A name in Table::fields as it stands in the file.
[[nodiscard]] std::string column_name(const std::string& field);

/// The rows of any OGR source, layers without geometries included (XLSX, CSV: names in the first line). The
/// first layer, unless one is named or has the column that is asked for. Throws Error(input): unreadable
/// file, unknown layer, shapes without a CRS or in a datum that cannot be trusted.
[[nodiscard]] Table read_table(const std::string& path, const ReadOptions& options);

/// Every file that the source consists of, sorted: what GDAL names of a dataset and the .cpg beside a
/// shapefile, all files below a directory. None for what is no file (a database). Throws Error(input) as
/// read_layer.
[[nodiscard]] std::vector<std::string> files_of(const std::string& path);
/// The bytes of a file, of one inside an archive (/vsizip/ and its like) too. Throws Error(input).
[[nodiscard]] std::string bytes_of(const std::string& path);

struct LayerExtent {
    std::string crs;
    Bounds bounds;
};
/// Extent and CRS of the first layer. Throws Error(input) as read_layer.
[[nodiscard]] LayerExtent layer_extent(const std::string& path);

struct Field {
    std::string name;
    FieldType type = FieldType::text;
    int width = 0, decimals = 0;  ///< for shapefiles; text width in bytes
};

/// One layer to write: every row has one value per field, in order.
struct LayerData {
    std::string name, crs;  ///< crs: of all rows, which lie x east, y north in it
    std::vector<Field> fields;
    struct Row {
        Geometry shape;
        std::vector<Value> values;
    };
    std::vector<Row> rows;
    std::string style = {};  ///< QML for QGIS (GeoPackage: layer_styles)
    bool spatial = true;     ///< false: a table without geometries (GeoPackage)
    /// False: no spatial index; only this program reads it, from end to end (GeoPackage).
    bool indexed = true;
};

/// One GeoPackage with these layers; no time of writing inside, so the same rows give the same bytes.
void write_geopackage(const std::filesystem::path& path, std::span<const LayerData> layers);
/// Takes the next row of a layer, by its place among the layers.
using PutRow = std::function<void(std::size_t layer, const LayerData::Row& row)>;
/// Rows made one at a time while they are written, where one copy of them is enough to hold, or too much: it
/// is called once, and may put a row into several layers.
using RowSource = std::function<void(const PutRow& put)>;
/// The same with rows from a source (the layers' own rows come first).
void write_geopackage(const std::filesystem::path& path, std::span<const LayerData> layers,
                      const RowSource& source);
/// .shp .shx .dbf .prj .cpg beside each other; `encoding` is "UTF-8" or "GBK". Texts are cut on a character.
void write_shapefile(const std::filesystem::path& shp, const LayerData& layer, const std::string& encoding);
/// UTF-8 with byte order mark, RFC 4180; a text that a spreadsheet would run as a formula gets a leading '.
void write_csv(const std::filesystem::path& path, const LayerData& layer);

/// RFC 7946: WGS 84 in degrees with seven decimals (a centimetre), right-handed rings, dates as ISO texts.
/// CGCS2000 and WGS 84 are taken as one, as everywhere here (below a metre apart). Same rows, same bytes.
void write_geojson(const std::filesystem::path& path, const LayerData& layer);
/// FlatGeobuf with its packed index, in the layer's CRS. Same rows, same bytes.
void write_flatgeobuf(const std::filesystem::path& path, const LayerData& layer);

/// The longest prefix of at most `bytes` bytes in the encoding that cuts no character (input and output
/// UTF-8).
[[nodiscard]] std::string cut_text(const std::string& utf8, std::size_t bytes, const std::string& encoding);

}  // namespace shuibao::io
