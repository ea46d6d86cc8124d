// SPDX-License-Identifier: Apache-2.0
#include "dictionaries.hpp"

#include <map>
#include <vector>

#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/engine/resources.hpp>

namespace shuibao::pipeline {
namespace {

using engine::DictionarySchema;
using Section = DictionarySchema::Section;

std::vector<std::string> zone_point_items() {
    std::vector<std::string> items;
    for (const auto& spec : algorithms::rule_items())
        if (spec.name.starts_with("points_zone_")) items.push_back(spec.name);
    return items;
}

std::map<std::string, DictionarySchema> schemas() {
    const Section any, codes_of_field_results{.entries = {"unapproved", "exceeds", "relocated",
                                                          "unapproved_spoil", "before_approval"}};
    const std::vector<std::string> tiers = {"high", "medium", "low", "none"};
    return {{"approvals",
             {{{"fields",
                {.entries = {"project", "name", "owner", "type", "authority", "date", "area", "part",
                             "part_area", "vector_type", "credit", "status", "accepted"}}},
               {"vector_types", {.entries = {"exact", "schematic"}}},
               {"status", {.entries = {"under_construction", "other"}}},
               {"yards", {.entries = {"spoil", "borrow"}}},
               {"credit", {.entries = {"listed"}}}}}},
            {"clues", {{{"fields", {.entries = {"number", "date"}}}}}},
            {"hotspots", {{{"fields", {.entries = {"date"}}}}}},
            {"deliverables",
             {{{"labels", any},
               {"ledger", {.entries_of = "labels"}},
               {"balloon", {.entries_of = "labels"}},
               {"form", any},
               {"record", any},
               {"states", any},
               {"qtypes", any},
               {"not_works", any},
               {"qdtypes", any},
               {"colours", {.entries = tiers}},
               {"files", any},
               {"texts",
                {.entries = {"lineage", "suspects", "disturbances", "ranges", "county", "title", "project",
                             "disclaimer", "unknown", "share_with_range", "program_note"}}}}}},
            {"disturbances",
             {{{"fields",
                {.entries = {"id",           "issuer_id",     "onset_from",    "onset_to",      "type",
                             "image_type",   "image_type_zh", "type_evidence", "owner",         "change_type",
                             "construction", "completion",    "bare_share",    "tilled",        "vanished",
                             "confidence",   "magnitude",     "kind",          "ground_sample", "full_pixels",
                             "core_share"}}},
               {"types", {.entries = {"spoil", "borrow", "non_production", "other"}}},
               {"vanished", {.entries = {"yes", "no"}}},
               {"changes", {.entries = {"new", "grown", "shrunk", "same", "finished"}}},
               {"construction", {.entries = {"working", "stopped", "finished", "not_started"}}},
               {"completion", {.entries = {"green", "tilled", "planted", "built"}}}}}},
            {"erosion",
             {{{"classes", {.entries = {"slight", "light", "moderate", "strong", "very_strong", "severe"}}},
               {"methods", {.entries = {"sl773", "csle", "grid"}}},
               {"forms", {.entries = {"turned_over", "face", "pile"}}}}}},
            {"explain", {{{"links", any}, {"facts", any}, {"context", any}, {"values", any}}}},
            {"feedback",
             {{{"fields",
                {.entries = {"case", "verdict", "conclusion", "reviewed", "type", "construction", "change",
                             "by", "date", "longitude", "latitude", "photos", "notice", "rectify_by",
                             "recheck", "closed", "merge_into"}}},
               {"kept", any},
               {"sent", any},
               {"reviewed", any},
               {"not_reviewed", any},
               {"violations", codes_of_field_results},
               {"lawful", any},
               {"not_works", any},
               {"undecided", any},
               {"states",
                {.entries = {"watched", "found", "confirmed", "rectifying", "rechecked", "closed",
                             "absorbed"}}}}}},
            {"industries",
             {{{"groups", any},
               {"names", any},
               {"profiles",
                {.entries = {"linear", "dots", "pit", "revegetates", "drawdown", "area"},
                 .values_of = "groups",
                 .values_are_words = true,
                 .may_be_empty = true}}}}},
            {"pages",
             {{{"verdicts_en", any},
               {"decided", any},
               {"confirmed_en", any},
               {"tiers_en", {.entries = tiers}},
               {"actions_en", {.entries = tiers}},
               {"kinds", any},
               {"changes", any},
               {"changes_en", any},
               {"articles", any},
               {"limits", any},
               {"form", any}}}},
            {"report", {{{"problems", any}, {"stages", any}, {"phrases", any}}}},
            {"verdicts",
             {{{"verdicts",
                {.entries = {"compliant", "unapproved", "exceeds", "relocated", "unapproved_spoil",
                             "before_approval", "pending"}}},
               {"tiers", {.entries = tiers}},
               {"actions", {.entries = {"high", "medium", "low", "none", "wait"}}}}}},
            {"zones",
             {{{"fields", {.entries = {"name"}}},
               {"kinds", any},
               {"points", {.entries_of = "kinds", .values = zone_point_items()}},
               {"articles", {.entries_of = "kinds"}},
               {"half_widths", {.entries_of = "kinds"}},
               {"roles",
                {.entries = {"key_area", "hill", "scope", "hazard", "river", "below", "settlement"},
                 .values_of = "kinds",
                 .may_be_empty = true}}}}}};
}

}  // namespace

engine::Dictionary load_dictionary(const std::string& name, const std::filesystem::path& file) {
    static const auto all = schemas();
    return engine::Dictionary::load(
        file.empty() ? engine::config_file("dictionaries/" + name + ".yaml") : file, all.at(name));
}

}  // namespace shuibao::pipeline
