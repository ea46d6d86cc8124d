// SPDX-License-Identifier: Apache-2.0
#include "disturbance_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

namespace shuibao::pipeline {
namespace {

constexpr std::array<std::pair<ChangeKind, std::string_view>, 6> kinds = {{
    {ChangeKind::none, ""},
    {ChangeKind::vegetation_to_bare, "vegetation_to_bare"},
    {ChangeKind::vegetation_to_built, "vegetation_to_built"},
    {ChangeKind::bare_to_built, "bare_to_built"},
    {ChangeKind::surface, "surface"},
    {ChangeKind::water_to_bare, "water_to_bare"},
}};

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

// Of the first field whose name is one of these.
std::optional<std::size_t> place_of(const io::Attributes& values, const std::vector<std::string>& names) {
    for (const auto& name : names)
        for (std::size_t i = 0; i < values.size(); ++i)
            if (same_name(values.name(i), name)) return i;
    return std::nullopt;
}

template <class T>
io::Value optional_value(const std::optional<T>& v) {
    return v ? io::Value(*v) : io::Value();
}

}  // namespace

std::string_view kind_name(ChangeKind kind) {
    for (const auto& [k, name] : kinds)
        if (k == kind) return name;
    return "";
}

ChangeKind kind_from_name(std::string_view name) {
    for (const auto& [k, n] : kinds)
        if (n == name) return k;
    return ChangeKind::none;
}

void write_disturbances(const std::filesystem::path& path, const std::string& crs,
                        const std::vector<Disturbance>& list, const Measures& measures) {
    io::LayerData layer;
    layer.name = "disturbances";
    layer.crs = crs;
    using io::FieldType;
    layer.fields = {{"id", FieldType::integer},         {"kind", FieldType::text},
                    {"onset_from", FieldType::date},    {"onset_to", FieldType::date},
                    {"confidence", FieldType::real},    {"magnitude", FieldType::real},
                    {"area_m2", FieldType::real},       {"full_pixels", FieldType::integer},
                    {"core_share", FieldType::real},    {"ground_sample", FieldType::real},
                    {"image_type", FieldType::text},    {"image_type_zh", FieldType::text},
                    {"type_evidence", FieldType::text}, {"completion", FieldType::text},
                    {"bare_share", FieldType::real}};
    for (const auto& name : measures.names) layer.fields.push_back({name, FieldType::real});
    for (const auto& d : list) {
        layer.rows.push_back(
            {io::Geometry(d.shape),
             {d.id, std::string(kind_name(d.kind)), optional_value(d.onset_from), optional_value(d.onset_to),
              d.confidence, d.magnitude, d.area_m2, static_cast<std::int64_t>(d.full_pixels), d.core_share,
              optional_value(d.ground_sample), io::or_null(d.image_type), io::or_null(d.image_type_zh),
              io::or_null(d.type_evidence), io::or_null(d.completion), optional_value(d.bare_share)}});
        if (measures.names.empty()) continue;
        auto& values = layer.rows.back().values;
        for (const double v : measures.values[layer.rows.size() - 1]) values.emplace_back(v);
    }
    io::write_geopackage(path, std::span(&layer, 1));
}

io::Value field_value(const io::Attributes& values, const std::vector<std::string>& names) {
    const auto place = place_of(values, names);
    return place ? values[*place] : io::Value();
}
io::Value field_value(const io::VectorFeature& f, const std::vector<std::string>& names) {
    return field_value(f.values, names);
}

const io::Value& FieldFinder::operator()(const io::VectorFeature& row, std::string_view ours) {
    static const io::Value none;
    if (m_names != row.values.names()) {
        m_names = row.values.names();
        m_places.clear();
    }
    auto it = m_places.find(ours);
    if (it == m_places.end())
        it = m_places.emplace(ours, place_of(row.values, m_words.values("fields", ours))).first;
    return it->second ? row.values[*it->second] : none;
}

}  // namespace shuibao::pipeline
