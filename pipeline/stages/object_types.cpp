// SPDX-License-Identifier: Apache-2.0
#include "object_types.hpp"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "ground.hpp"
#include "layer_files.hpp"
#include "rounded.hpp"
#include "type_rules.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/geometry.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::TypeInputs;
using nlohmann::ordered_json;

constexpr double beside = 200;  // m: how far a larger disturbance may lie to be of interest

ordered_json condition_of(const algorithms::TypeRule::Condition& c, const TypeInputs& inputs) {
    ordered_json j = {{"input", c.input}};
    const auto it = inputs.find(c.input);
    j["value"] = it == inputs.end() ? ordered_json() : ordered_json(rounded(it->second));
    if (c.least) j["at_least"] = *c.least;
    if (c.most) j["at_most"] = *c.most;
    return j;
}

// What decided, or of each rule what spoke against it; then all that was measured.
std::string evidence_of(const algorithms::TypeRules& rules, const algorithms::TypeDecision& d,
                        const TypeInputs& inputs) {
    ordered_json j = {{"type", d.type}};
    if (d.rule != nullptr) {
        j["because"] = d.rule->because;
        for (const auto& c : d.rule->conditions) j["holds"].push_back(condition_of(c, inputs));
        if (d.rule->most_confidence) j["most_confidence"] = *d.rule->most_confidence;
    }
    for (std::size_t k = 0; k < d.failed.size(); ++k) {
        ordered_json against = {{"type", rules.rules[k].type}};
        against.update(condition_of(*d.failed[k], inputs));
        j["against"].push_back(std::move(against));
    }
    for (const auto& [name, value] : inputs) j["inputs"][name] = rounded(value);
    return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// m to the nearest larger disturbance of the batch that began no later, where one lies near.
std::vector<std::optional<double>> distances_to_larger(const RunContext& c,
                                                       const std::vector<Disturbance>& list) {
    std::vector<io::Geometry> shapes;
    std::vector<Bounds> boxes;
    for (const auto& d : list) {
        shapes.emplace_back(d.shape);
        boxes.push_back(shapes.back().bounds());
    }
    const io::BoxIndex index(boxes);
    std::vector<std::optional<double>> nearest(list.size());
    c.executor.parallel_for(list.size(), [&](std::size_t i) {
        for (const auto k : index.near(boxes[i], beside)) {
            const auto &a = list[i], &b = list[k];
            if (k == i || b.area_m2 <= a.area_m2 || (a.onset_to && b.onset_to && *a.onset_to < *b.onset_to))
                continue;
            const double distance = shapes[i].distance(shapes[k]);
            if (distance <= beside && (!nearest[i] || distance < *nearest[i])) nearest[i] = distance;
        }
    });
    return nearest;
}

}  // namespace

std::filesystem::path type_rules_file(const engine::Settings& settings) {
    return settings.has("delineate.types") ? std::filesystem::path(settings.path("delineate.types"))
                                           : engine::config_file("objects/types.yaml");
}

std::map<std::string, std::string> type_inputs(const RunContext& c) {
    std::map<std::string, std::string> inputs = {
        {"types", engine::hash_file(type_rules_file(c.settings).string())}};
    if (const auto model = elevation_option(c.settings); !model.empty())
        inputs["heights"] = engine::hash_file(c.settings.path(model));
    if (c.settings.has("delineate.hotspots")) {
        inputs["hotspots"] = hash_vector(c.settings.path("delineate.hotspots"));
        inputs["dictionary hotspots"] = engine::hash_file(engine::config_file("dictionaries/hotspots.yaml"));
    }
    return inputs;
}

ObjectTypes::ObjectTypes(const RunContext& context, const Grid& grid, const Hotspots* hotspots)
    : m_context(context),
      m_grid(grid),
      m_rules(load_type_rules(type_rules_file(context.settings))),
      m_hotspots(hotspots) {
    if (const auto model = elevation_option(context.settings); !model.empty())
        m_heights.emplace(context.settings.path(model));
}

TypeInputs ObjectTypes::inputs_of(const algorithms::Segment& s, const Disturbance& d) const {
    const double pixel = m_grid.gsd(), n = static_cast<double>(s.pixels);
    const auto shape = algorithms::shape_of(s);
    const auto share = [&](std::initializer_list<ChangeKind> kinds) {
        return std::accumulate(kinds.begin(), kinds.end(), 0.0, [&](double sum, ChangeKind k) {
            return sum + static_cast<double>(s.kinds[static_cast<std::size_t>(k)]) / n;
        });
    };
    TypeInputs in = {{"area_m2", d.area_m2},
                     {"length_m", shape.length * pixel},
                     {"width_m", shape.width * pixel},
                     {"widest_m", shape.widest * pixel},
                     {"elongation", shape.elongation},
                     {"fill", shape.fill},
                     {"convexity", shape.convexity},
                     {"confidence", d.confidence},
                     {"beside_water", s.by_water},
                     {"built_share", share({ChangeKind::vegetation_to_built, ChangeKind::bare_to_built})},
                     {"water_share", share({ChangeKind::water_to_bare})}};
    if (s.evidence)
        for (std::size_t k = 0; k < algorithms::measure_count; ++k)
            in[std::string(name_of(static_cast<algorithms::Measure>(k)))] = (*s.evidence)[k];
    const io::Geometry outline(d.shape);
    if (m_heights)
        if (const auto terrain = m_heights->under(outline, m_grid.crs(), {}))
            in["slope_deg"] = terrain->slope;
    if (m_hotspots != nullptr)
        in["hotspots"] = static_cast<double>(m_hotspots->count(outline, d.onset_from, d.onset_to));
    return in;
}

void ObjectTypes::tell(const std::vector<algorithms::Segment>& segments,
                       std::vector<Disturbance>& list) const {
    const auto larger = distances_to_larger(m_context, list);
    m_context.executor.parallel_for(list.size(), [&](std::size_t i) {
        auto& d = list[i];
        auto inputs = inputs_of(segments[i], d);
        if (larger[i]) inputs["to_larger_m"] = *larger[i];
        const auto decision = algorithms::decide_type(m_rules, inputs);
        d.image_type = decision.type;
        d.image_type_zh = m_rules.words.at(decision.type);
        d.type_evidence = evidence_of(m_rules, decision, inputs);
        if (decision.rule != nullptr && decision.rule->most_confidence)
            d.confidence = std::min(d.confidence, *decision.rule->most_confidence);
    });
}

}  // namespace shuibao::pipeline
