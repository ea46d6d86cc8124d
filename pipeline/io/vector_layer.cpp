// SPDX-License-Identifier: Apache-2.0
#include "vector_layer.hpp"

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

OGRFieldType ogr_type(FieldType t) {
    switch (t) {
        case FieldType::integer:
            return OFTInteger64;
        case FieldType::real:
            return OFTReal;
        case FieldType::date:
            return OFTDate;
        case FieldType::text:
            return OFTString;
    }
    return OFTString;
}

void set_value(OGRFeature& f, int i, const Value& value) {
    if (const auto* n = std::get_if<std::int64_t>(&value))
        f.SetField(i, static_cast<GIntBig>(*n));
    else if (const auto* d = std::get_if<double>(&value))
        f.SetField(i, *d);
    else if (const auto* s = std::get_if<std::string>(&value))
        f.SetField(i, s->c_str());
    else if (const auto* date = std::get_if<Date>(&value)) {
        int y = 0, m = 0, d2 = 0;
        if (std::sscanf(date->iso().c_str(), "%d-%d-%d", &y, &m, &d2) == 3) f.SetField(i, y, m, d2);
    } else {
        f.SetFieldNull(i);
    }
}

}  // namespace

void write_row(OGRLayer& layer, const LayerData& data, const LayerData::Row& row, const fs::path& path,
               const GdalMessages& messages) {
    OGRFeature f(layer.GetLayerDefn());
    for (std::size_t i = 0; i < data.fields.size(); ++i) set_value(f, static_cast<int>(i), row.values[i]);
    if (data.spatial) f.SetGeometry(row.shape.ogr());
    check(layer.CreateFeature(&f) == OGRERR_NONE, path, messages);
}

void fill_layer(OGRLayer& layer, const LayerData& data, bool widths, const fs::path& path,
                const GdalMessages& messages) {
    for (const auto& field : data.fields) {
        OGRFieldDefn definition(field.name.c_str(), ogr_type(field.type));
        if (widths) {
            definition.SetWidth(field.width);
            definition.SetPrecision(field.decimals);
        }
        check(layer.CreateField(&definition) == OGRERR_NONE, path, messages);
    }
    for (const auto& row : data.rows) write_row(layer, data, row, path, messages);
}

}  // namespace shuibao::io
