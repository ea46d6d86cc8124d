// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <cpl_conv.h>
#include <fmt/format.h>

#include "vector_layer.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::io {
namespace fs = std::filesystem;
namespace {

void write_styles(GDALDataset& d, std::span<const LayerData> layers, const fs::path& path,
                  const GdalMessages& messages) {
    if (std::all_of(layers.begin(), layers.end(), [](const LayerData& l) { return l.style.empty(); })) return;
    const char* const options[] = {"ASPATIAL_VARIANT=GPKG_ATTRIBUTES", "FID=id", nullptr};
    OGRLayer* table = d.CreateLayer("layer_styles", nullptr, wkbNone, const_cast<char**>(options));
    check(table != nullptr, path, messages);
    for (const char* name : {"f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column",
                             "styleName", "styleQML", "styleSLD", "useAsDefault", "description"}) {
        OGRFieldDefn field(name, std::string_view(name) == "useAsDefault" ? OFTInteger : OFTString);
        check(table->CreateField(&field) == OGRERR_NONE, path, messages);
    }
    for (const auto& layer : layers) {
        if (layer.style.empty()) continue;
        OGRFeature f(table->GetLayerDefn());
        f.SetField("f_table_catalog", "");
        f.SetField("f_table_schema", "");
        f.SetField("f_table_name", layer.name.c_str());
        f.SetField("f_geometry_column", "geom");
        f.SetField("styleName", layer.name.c_str());
        f.SetField("styleQML", layer.style.c_str());
        f.SetField("styleSLD", "");
        f.SetField("useAsDefault", 1);
        f.SetField("description", "");
        check(table->CreateFeature(&f) == OGRERR_NONE, path, messages);
    }
}

std::string recoded(const std::string& text, const char* from, const char* to) {
    const GdalMessages messages;
    char* out = CPLRecode(text.c_str(), from, to);
    std::string copy = out == nullptr ? "" : out;
    CPLFree(out);
    return copy;
}

// Bytes of the UTF-8 character that begins with this one.
std::size_t character_bytes(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// The text as GBK can hold it: an exponent without its raised form, '?' for other characters that it has not.
// Left to itself the recoding would drop them, and "hm²" would read "hm".
std::string for_gbk(const std::string& utf8) {
    const auto held = [](const std::string& t) {
        return recoded(recoded(t, CPL_ENC_UTF8, "GBK"), "GBK", CPL_ENC_UTF8);
    };
    if (held(utf8) == utf8) return utf8;
    std::string out;
    for (std::size_t at = 0; at < utf8.size();) {
        const auto n = character_bytes(static_cast<unsigned char>(utf8[at]));
        const std::string c = utf8.substr(at, n);
        at += n;
        out += c == "²" ? "2" : c == "³" ? "3" : held(c) == c ? c : "?";
    }
    return out;
}

}  // namespace

void write_geopackage(const fs::path& path, std::span<const LayerData> layers) {
    write_geopackage(path, layers, RowSource());
}

void write_geopackage(const fs::path& path, std::span<const LayerData> layers, const RowSource& source) {
    AtomicOutput out(path);
    {
        const GdalMessages messages;
        const char* const create[] = {"VERSION=1.2", "DATETIME_FORMAT=UTC", nullptr};
        GDALDatasetUniquePtr d(
            driver("GPKG").Create(out.temporary().c_str(), 0, 0, 0, GDT_Unknown, const_cast<char**>(create)));
        check(d != nullptr, path, messages);
        d->StartTransaction();
        std::vector<OGRLayer*> tables;
        for (const auto& data : layers) {
            const char* const index = data.indexed ? "SPATIAL_INDEX=YES" : "SPATIAL_INDEX=NO";
            const char* const on_map[] = {"GEOMETRY_NAME=geom", "FID=fid", index, nullptr};
            const char* const table[] = {"ASPATIAL_VARIANT=GPKG_ATTRIBUTES", "FID=fid", nullptr};
            auto srs = data.spatial ? reference(data.crs) : OGRSpatialReference();
            OGRLayer* layer = d->CreateLayer(data.name.c_str(), data.spatial ? &srs : nullptr,
                                             data.spatial ? wkbMultiPolygon : wkbNone,
                                             const_cast<char**>(data.spatial ? on_map : table));
            check(layer != nullptr, path, messages);
            fill_layer(*layer, data, false, path, messages);
            tables.push_back(layer);
        }
        if (source)
            source([&](std::size_t k, const LayerData::Row& row) {
                write_row(*tables[k], layers[k], row, path, messages);
            });
        write_styles(*d, layers, path, messages);
        check(d->CommitTransaction() == OGRERR_NONE, path, messages);
        d.reset();
        check(true, path, messages);
    }
    out.commit();
}

std::string cut_text(const std::string& utf8, std::size_t bytes, const std::string& encoding) {
    std::size_t used = 0, at = 0;
    while (at < utf8.size()) {
        const auto lead = static_cast<unsigned char>(utf8[at]);
        const std::size_t n = std::min(character_bytes(lead), utf8.size() - at);
        const std::size_t cost = encoding == "GBK" && lead >= 0x80 ? 2 : n;
        if (used + cost > bytes) break;
        used += cost;
        at += n;
    }
    return utf8.substr(0, at);
}

void write_shapefile(const fs::path& shp, const LayerData& layer, const std::string& encoding) {
    // Five files under temporary names, renamed together at the end: .shp last, because it is what people
    // look for.
    static constexpr std::array<const char*, 5> parts = {".dbf", ".shx", ".prj", ".cpg", ".shp"};
    // The parts as the driver names them. All but the .shp, which has an output's name already and may be
    // published later, are gone again whatever happens.
    struct Made {
        std::vector<fs::path> files;
        ~Made() {
            std::error_code ignored;
            for (std::size_t i = 0; i + 1 < files.size(); ++i) fs::remove(files[i], ignored);
        }
    } made;
    std::vector<std::unique_ptr<AtomicOutput>> outs;
    for (const char* part : parts)
        outs.push_back(std::make_unique<AtomicOutput>(fs::path(shp).replace_extension(part)));
    const fs::path stem = outs.back()->temporary();
    for (const char* part : parts) made.files.push_back(fs::path(stem).replace_extension(part));
    {
        const GdalMessages messages;
        GDALDatasetUniquePtr d(driver("ESRI Shapefile").Create(stem.c_str(), 0, 0, 0, GDT_Unknown, nullptr));
        check(d != nullptr, shp, messages);
        auto srs = reference(layer.crs);
        const std::string enc = "ENCODING=" + encoding;
        // The date of writing goes into the .dbf header: a fixed one keeps the same rows the same bytes.
        const char* const options[] = {enc.c_str(), "DBF_DATE_LAST_UPDATE=2000-01-01", nullptr};
        OGRLayer* out = d->CreateLayer(stem.stem().c_str(), &srs, wkbPolygon, const_cast<char**>(options));
        check(out != nullptr, shp, messages);
        LayerData cut = layer;
        for (auto& row : cut.rows)
            for (std::size_t i = 0; i < cut.fields.size(); ++i)
                if (auto* text = std::get_if<std::string>(&row.values[i])) {
                    std::replace_if(
                        text->begin(), text->end(),
                        [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
                    if (encoding == "GBK") *text = for_gbk(*text);
                    *text = cut_text(*text, static_cast<std::size_t>(cut.fields[i].width), encoding);
                }
        fill_layer(*out, cut, true, shp, messages);
        d.reset();
        check(true, shp, messages);
        if (!messages.warnings().empty())
            throw Error(
                ErrorCode::failed,
                fmt::format("GDAL is not content with {}: {}.", shp.string(), messages.warnings().front()),
                "This is our mistake: please report it.");
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        std::error_code error;
        if (made.files[i] != outs[i]->temporary()) fs::rename(made.files[i], outs[i]->temporary(), error);
        if (error)
            throw Error(ErrorCode::failed, fmt::format("Cannot write {}: {}.", shp.string(), error.message()),
                        "Check the disk and the folder, then run the same command again.");
    }
    for (auto& out : outs) out->commit();
}

void write_csv(const fs::path& path, const LayerData& layer) {
    const auto cell = [](std::string text) {
        if (!text.empty() && (text.front() == '=' || text.front() == '+' || text.front() == '-' ||
                              text.front() == '@' || text.front() == '\t' || text.front() == '\r'))
            text.insert(0, 1, '\'');
        if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
        std::string quoted = "\"";
        for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
        return quoted + "\"";
    };
    std::string text = "\xEF\xBB\xBF";
    for (std::size_t i = 0; i < layer.fields.size(); ++i)
        text += (i == 0 ? "" : ",") + cell(layer.fields[i].name);
    text += "\r\n";
    for (const auto& row : layer.rows) {
        for (std::size_t i = 0; i < row.values.size(); ++i)
            text += (i == 0 ? "" : ",") + (std::holds_alternative<std::string>(row.values[i])
                                               ? cell(std::get<std::string>(row.values[i]))
                                               : to_text(row.values[i]));
        text += "\r\n";
    }
    write_text(path, text);
}

}  // namespace shuibao::io
