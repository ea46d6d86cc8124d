// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <cpl_conv.h>
#include <fmt/format.h>

#include "vector_source.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/gdal_session.hpp>

namespace shuibao::io {
namespace {

bool has_column(OGRLayer& layer, const std::vector<std::string>& names, Decoder& decode) {
    const auto& definition = *layer.GetLayerDefn();
    for (int i = 0; i < definition.GetFieldCount(); ++i) {
        const auto field = decode(const_cast<OGRFeatureDefn&>(definition).GetFieldDefn(i)->GetNameRef(), 0);
        for (const auto& name : names)
            if (EQUAL(CPLString(field).Trim().c_str(), name.c_str())) return true;
    }
    return false;
}

OGRLayer& table_of(GDALDataset& d, const std::string& path, const ReadOptions& o, Decoder& decode) {
    if (!o.layer.empty()) return layer_of(d, path, o.layer);
    for (int i = 0; i < d.GetLayerCount(); ++i)
        if (has_column(*d.GetLayer(i), o.column, decode)) return *d.GetLayer(i);
    if (d.GetLayerCount() > 0) return *d.GetLayer(0);
    throw Error(ErrorCode::input, fmt::format("{} holds no table.", path),
                "Give a file with one line for each case.");
}

constexpr const char* numbered = " (column ";

bool without_content(const TableRow& row) {
    return row.shape.empty() && !row.place &&
           std::all_of(row.values.begin(), row.values.end(),
                       [](const auto& v) { return to_text(v.second).empty(); });
}

}  // namespace

std::string column_name(const std::string& field) {
    return field.ends_with(')') ? field.substr(0, field.rfind(numbered)) : field;
}

Table read_table(const std::string& path, const ReadOptions& o) {
    const auto extension = extension_of(path);
    const bool sheet = extension == ".xlsx" || extension == ".ods";
    // Left to guess, the drivers take a first line of names for data where all columns are texts.
    const CPLConfigOptionSetter xlsx("OGR_XLSX_HEADERS", "FORCE", false);
    const CPLConfigOptionSetter ods("OGR_ODS_HEADERS", "FORCE", false);
    std::vector<const char*> options;
    if (extension == ".csv") options.push_back("HEADERS=YES");
    const GDALDatasetUniquePtr d = open_vector(path, options);
    Table table;
    Decoder decode(path, o.encoding, table.notes);
    OGRLayer& source = table_of(*d, path, o, decode);
    std::optional<Transformation> move;
    if (source.GetGeomType() != wkbNone && !o.to_crs.empty()) move.emplace(crs_of(source, path), o.to_crs);
    const auto& definition = *source.GetLayerDefn();
    for (int i = 0; i < definition.GetFieldCount(); ++i) {
        auto name = decode(const_cast<OGRFeatureDefn&>(definition).GetFieldDefn(i)->GetNameRef(), 0);
        if (std::find(table.fields.begin(), table.fields.end(), name) != table.fields.end())
            name += fmt::format("{}{})", numbered, i + 1);
        table.fields.push_back(std::move(name));
    }
    const GdalMessages messages;
    source.ResetReading();
    std::int64_t row = sheet || extension == ".csv" ? 1 : 0;
    while (const std::unique_ptr<OGRFeature> f{source.GetNextFeature()}) {
        TableRow r;
        r.row = ++row;
        for (int i = 0; i < f->GetFieldCount(); ++i)
            r.values[table.fields[static_cast<std::size_t>(i)]] = value_of(*f, i, decode, row);
        if (const OGRGeometry* g = f->GetGeometryRef(); g != nullptr && g->IsEmpty() == 0 && move) {
            try {
                if (wkbFlatten(g->getGeometryType()) == wkbPoint) {
                    r.place = (*move)(Point{g->toPoint()->getX(), g->toPoint()->getY()});
                } else {
                    const Geometry shape(std::unique_ptr<OGRGeometry>(g->clone()));
                    r.shape = (*move)(shape.valid() ? shape : shape.made_valid());
                }
            } catch (const Error& e) {
                table.notes.push_back(
                    {row, "bad_geometry", std::string("Its shape was left out. ") + e.what()});
            }
        }
        if (!without_content(r)) table.rows.push_back(std::move(r));
    }
    if (!messages.errors().empty())
        throw Error(ErrorCode::input,
                    fmt::format("{} row {} cannot be read: {}.", path, row + 1, messages.reason()),
                    "The file is damaged: ask for it again.");
    return table;
}

}  // namespace shuibao::io
