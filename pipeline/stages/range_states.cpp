// SPDX-License-Identifier: Apache-2.0
#include "range_states.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "rounded.hpp"

namespace shuibao::pipeline {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 5> states = {
    {{"accepted", "已验收"},
     {"disturbed", "有扰动"},
     {"not_observed", "未观测"},
     {"not_started", "未开工（本期未见扰动）"},
     {"schematic", "示意性范围，不作判定"}}};

std::vector<io::Geometry> shapes_of(const std::filesystem::path& file, const std::string& crs) {
    std::vector<io::Geometry> shapes;
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return shapes;
    for (auto& f : io::read_layer(file.string(), {.to_crs = crs}).features)
        shapes.push_back(std::move(f.shape));
    return shapes;
}

std::vector<Bounds> bounds_of(const std::vector<io::Geometry>& shapes) {
    std::vector<Bounds> list;
    for (const auto& s : shapes) list.push_back(s.bounds());
    return list;
}

}  // namespace

Unobserved::Unobserved(const std::filesystem::path& file, const std::string& crs)
    : m_shapes(shapes_of(file, crs)), m_index(bounds_of(m_shapes)) {}

double Unobserved::share(const io::Geometry& shape) const {
    const double all = shape.area();
    double hidden = 0;
    for (const auto i : m_index.near(shape.bounds())) hidden += shape.intersection(m_shapes[i]).area();
    return all > 0 ? std::min(1.0, hidden / all) : 0;
}

std::string range_state(const Project& p, const RangeLook& look, const algorithms::Rules& rules) {
    if (p.accepted) return "accepted";
    if (p.exact.empty()) return "schematic";
    if (look.disturbed >= rules("min_overlap") * p.exact.area()) return "disturbed";
    return 1 - look.unobserved < rules("range_seen_share") ? "not_observed" : "not_started";
}

std::optional<double> share_with_range(const engine::Store& store, const std::string& batch) {
    std::ifstream in(store.batch(batch) / "screened.json");
    const auto j = nlohmann::json::parse(in, nullptr, false);
    if (!j.is_object() || !j.contains("approvals") || !j["approvals"].contains("share_with_range")) return {};
    return j["approvals"]["share_with_range"].get<double>();
}

io::LayerData range_layer(const std::vector<Project>& projects, const std::vector<RangeLook>& looks,
                          const algorithms::Rules& rules, const std::string& crs) {
    using io::FieldType;
    io::LayerData layer;
    layer.name = "ranges";
    layer.crs = crs;
    layer.fields = {{"approval_id", FieldType::text},     {"approval_name", FieldType::text},
                    {"owner", FieldType::text},           {"project_type", FieldType::text},
                    {"approval_date", FieldType::date},   {"status", FieldType::text},
                    {"range_state", FieldType::text},     {"range_state_zh", FieldType::text},
                    {"disturbed_share", FieldType::real}, {"unobserved_share", FieldType::real}};
    for (std::size_t i = 0; i < projects.size(); ++i) {
        const auto& p = projects[i];
        const auto code = range_state(p, looks[i], rules);
        const auto word =
            std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.first == code; });
        const double all = p.exact.area();
        layer.rows.push_back(
            {p.exact.empty() ? p.schematic : p.exact,
             {p.key, io::or_null(p.name), io::or_null(p.owner), io::or_null(p.type), io::or_null(p.approved),
              io::or_null(p.status), code, std::string(word->second),
              all > 0 ? io::Value(rounded(std::min(1.0, looks[i].disturbed / all), 1e6)) : io::Value(),
              all > 0 ? io::Value(rounded(looks[i].unobserved, 1e6)) : io::Value()}});
    }
    return layer;
}

}  // namespace shuibao::pipeline
