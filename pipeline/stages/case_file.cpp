// SPDX-License-Identifier: Apache-2.0
#include "case_file.hpp"

#include <cmath>

#include <fmt/format.h>

#include "disturbance_file.hpp"
#include "rounded.hpp"

namespace shuibao::pipeline {
namespace {

using algorithms::Facts;
using io::FieldType;
using io::or_null;
using io::Value;
using nlohmann::json;
using nlohmann::ordered_json;

// Every plain member of Facts once, for both ways.
template <class F, class Visit>
void numbers_and_switches(F& f, Visit visit) {
    visit("area_m2", f.area);
    visit("valid", f.valid);
    visit("vanished", f.vanished);
    visit("drawn", f.drawn);
    visit("full_pixels", f.full_pixels);
    visit("core_share", f.core_share);
    visit("water_became_bare", f.water_became_bare);
    visit("tolerance_m", f.tolerance);
    visit("outside_m2", f.outside);
    visit("outside_tolerant_m2", f.outside_tolerant);
    visit("depth_m", f.depth);
    visit("overlap_ratio", f.overlap_ratio);
    visit("yard_share", f.yard_share);
    visit("yard_schematic", f.yard_schematic);
    visit("parts_known", f.parts_known);
    visit("linked", f.linked);
    visit("schematic_near", f.schematic_near);
    visit("ranges_known", f.ranges_known);
    visit("project_outside_m2", f.project_outside);
    visit("project_area_m2", f.project_area);
    visit("linear", f.profile.linear);
    visit("dots", f.profile.dots);
    visit("pit", f.profile.pit);
    visit("revegetates", f.profile.revegetates);
    visit("drawdown", f.profile.drawdown);
}
template <class F, class Visit>
void days(F& f, Visit visit) {
    visit("approved", f.approved);
    visit("accepted", f.accepted);
    visit("onset_from", f.onset_from);
    visit("onset_to", f.onset_to);
    visit("seen", f.seen);
}

std::string dumped(const ordered_json& j) {
    return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json context_of(const Case& c, const Zones& zones) {
    ordered_json j = {{"zones", ordered_json::array()}, {"below", ordered_json::array()}};
    for (const auto& h : c.zones) {
        const auto& z = zones.zone(h.zone);
        j["zones"].push_back(
            {{"kind", z.kind}, {"name", z.name}, {"share", std::round(h.share * 1e6) / 1e6}});
    }
    for (const auto z : c.below)
        j["below"].push_back({{"kind", zones.zone(z).kind}, {"name", zones.zone(z).name}});
    j["clues"] = c.clues;
    const auto& g = c.ground;
    if (g.slope) j["slope_deg"] = *g.slope;
    if (g.steep_share) j["steep_share"] = *g.steep_share;
    if (g.erosion) j["erosion"] = erosion_to_json(*g.erosion);
    return j;
}

}  // namespace

ordered_json facts_to_json(const Facts& f) {
    ordered_json j;
    j["type"] = algorithms::ground_type_code(f.type);
    numbers_and_switches(f, [&](const char* name, const auto& v) { j[name] = v; });
    days(f, [&](const char* name, const std::optional<Date>& d) {
        if (d) j[name] = d->iso();
    });
    if (f.cleared > 0) j["cleared_m2"] = f.cleared;
    if (!f.new_key_areas.empty()) j["new_key_areas"] = f.new_key_areas;
    if (f.displaced_share) j["displaced_share"] = *f.displaced_share;
    if (f.in_scope) j["in_scope"] = *f.in_scope;
    if (!f.relocation_tried.empty()) j["relocation_tried"] = f.relocation_tried;
    if (const auto& r = f.relocation)
        j["relocation"] = {{"project", r->project},
                           {"name", r->name},
                           {"distance_m", r->distance},
                           {"area_ratio", r->area_ratio},
                           {"same_owner", r->same_owner}};
    return j;
}

Facts facts_from_json(const json& j) {
    Facts f;
    f.type = algorithms::ground_type_from_code(j.at("type").get<std::string>())
                 .value_or(algorithms::GroundType::other);
    numbers_and_switches(f, [&](const char* name, auto& v) { j.at(name).get_to(v); });
    days(f, [&](const char* name, std::optional<Date>& d) {
        if (j.contains(name)) d = Date::parse(j.at(name).get<std::string>());
    });
    f.cleared = j.value("cleared_m2", 0.0);
    if (j.contains("new_key_areas")) j.at("new_key_areas").get_to(f.new_key_areas);
    if (j.contains("displaced_share")) f.displaced_share = j.at("displaced_share").get<double>();
    if (j.contains("in_scope")) f.in_scope = j.at("in_scope").get<bool>();
    f.relocation_tried = j.value("relocation_tried", std::string());
    if (j.contains("relocation")) {
        const auto& r = j.at("relocation");
        f.relocation = {r.at("project").get<std::string>(), r.at("name").get<std::string>(),
                        r.at("distance_m").get<double>(), r.at("area_ratio").get<double>(),
                        r.at("same_owner").get<bool>()};
    }
    return f;
}

io::LayerData case_layer(const std::string& crs) {
    io::LayerData layer;
    layer.name = "screened";
    layer.crs = crs;
    layer.fields = {{"case_id", FieldType::text},
                    {"issuer_id", FieldType::text},
                    {"batch", FieldType::text},
                    {"confidence", FieldType::real},
                    {"verdict", FieldType::text},
                    {"verdict_zh", FieldType::text},
                    {"second_verdict", FieldType::text},
                    {"why", FieldType::text},
                    {"flags", FieldType::text},
                    {"notices", FieldType::text},
                    {"rule_set", FieldType::text},
                    {"kind", FieldType::text},
                    {"qtype", FieldType::text},
                    {"image_type", FieldType::text},
                    {"image_type_zh", FieldType::text},
                    {"type_evidence", FieldType::text},
                    {"change_type", FieldType::text},
                    {"onset_from", FieldType::date},
                    {"onset_to", FieldType::date},
                    {"area_m2", FieldType::real},
                    {"outside_m2", FieldType::real},
                    {"outside_tolerant_m2", FieldType::real},
                    {"outside_depth_m", FieldType::real},
                    {"overlap_ratio", FieldType::real},
                    {"approval_id", FieldType::text},
                    {"approval_name", FieldType::text},
                    {"other_approvals", FieldType::text},
                    {"relocated_from", FieldType::text},
                    {"owner", FieldType::text},
                    {"project_type", FieldType::text},
                    {"industry", FieldType::text},
                    {"approval_date", FieldType::date},
                    {"approval_authority", FieldType::text},
                    {"credit", FieldType::text},
                    {"credit_source", FieldType::text},
                    {"exceed_share", FieldType::real},
                    {"county", FieldType::text},
                    {"township", FieldType::text},
                    {"zones", FieldType::text},
                    {"slope_deg", FieldType::real},
                    {"erosion_class", FieldType::text},
                    {"erosion_zh", FieldType::text},
                    {"erosion_range", FieldType::text},
                    {"erosion_method", FieldType::text},
                    {"construction", FieldType::text},
                    {"completion", FieldType::text},
                    {"bare_share", FieldType::real},
                    {"tilled", FieldType::real},
                    {"facts", FieldType::text},
                    {"context", FieldType::text}};
    return layer;
}

io::LayerData::Row case_row(const Case& c, const CaseWords& w) {
    const auto& projects = w.projects;
    const auto& zones = w.zones;
    const auto& f = c.facts;
    const auto code = std::string(algorithms::verdict_code(c.judgement.verdict));
    std::vector<std::string> flags, notices, others, names;
    for (const auto& flag : c.judgement.flags) {
        flags.push_back(flag.code);
        notices.push_back(flag.text);
    }
    for (std::size_t k = 1; c.project && k < c.overlaps.size(); ++k)
        others.push_back(projects[c.overlaps[k].first].key);
    for (const auto& h : c.zones) names.push_back(zones.zone(h.zone).name);
    const auto erosion_class =
        c.ground.erosion ? std::string(algorithms::erosion_code(c.ground.erosion->intensity)) : std::string();
    const Project none, &p = c.project ? projects[*c.project] : none;
    // What kind of works it is and how its owner stands is known of a site that moved, too; its range is not.
    const auto* moved = f.relocation ? w.register_of_projects.by_key(f.relocation->project) : nullptr;
    const Project& works = moved != nullptr && !c.project ? *moved : p;
    const auto& owner = p.owner.empty() ? c.source->owner : p.owner;
    const auto credit = w.register_of_projects.credit_of(works, owner);
    return {
        c.shape,
        {c.id,
         or_null(c.source->issuer_id),
         w.batch,
         c.source->confidence,
         code,
         w.words.text("verdicts", code),
         c.judgement.second ? Value(std::string(algorithms::verdict_code(*c.judgement.second))) : Value(),
         or_null(c.judgement.why),
         or_null(fmt::format("{}", fmt::join(flags, ","))),
         or_null(fmt::format("{}", fmt::join(notices, "；"))),
         or_null(c.law->name),
         or_null(std::string(kind_name(c.source->kind))),
         or_null(c.source->qtype),
         or_null(c.source->image_type),
         or_null(c.source->image_type_zh),
         or_null(c.source->type_evidence),
         or_null(c.source->change_type),
         or_null(f.onset_from),
         or_null(f.onset_to),
         rounded(f.area, 100),
         rounded(f.outside, 100),
         rounded(f.outside_tolerant, 100),
         rounded(f.depth, 100),
         rounded(f.overlap_ratio, 1e6),
         or_null(p.key),
         or_null(p.name),
         or_null(fmt::format("{}", fmt::join(others, ","))),
         or_null(f.relocation ? f.relocation->project : ""),
         or_null(owner),
         or_null(works.type),
         or_null(w.industries.of(works.type).group),
         or_null(f.approved),
         or_null(p.authority),
         or_null(credit.grade),
         or_null(credit.source),
         c.project && f.project_area > 0 ? Value(rounded(f.project_outside / f.project_area, 1e6)) : Value(),
         or_null(c.county),
         or_null(c.township),
         or_null(fmt::format("{}", fmt::join(names, "、"))),
         c.ground.slope ? Value(rounded(*c.ground.slope, 10)) : Value(),
         or_null(erosion_class),
         or_null(c.ground.erosion ? w.erosion_words.text("classes", erosion_class) : std::string()),
         or_null(c.ground.erosion ? c.ground.erosion->range : std::string()),
         or_null(c.ground.erosion ? c.ground.erosion->method : std::string()),
         or_null(c.source->construction),
         or_null(c.source->completion),
         c.source->bare_share ? Value(*c.source->bare_share) : Value(),
         c.source->tilled ? Value(rounded(*c.source->tilled, 1000)) : Value(),
         dumped(facts_to_json(f)),
         dumped(context_of(c, zones))}};
}

}  // namespace shuibao::pipeline
