// SPDX-License-Identifier: Apache-2.0
// What field teams found, kept for good in the store: a set of records, whatever the order they came in.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <shuibao/core/date.hpp>
#include <shuibao/core/polygon.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/engine/store.hpp>

namespace shuibao::pipeline {

struct FieldPhoto {
    std::string number, file;
    std::optional<Point> place;     ///< longitude, latitude
    std::optional<double> azimuth;  ///< degrees from north
};

[[nodiscard]] nlohmann::ordered_json photo_json(const FieldPhoto& photo);

/// One polygon that the team drew on site where there was one of ours (a split).
struct FieldPart {
    std::string wkt, verdict;  ///< EPSG:4490; in their words
};

/// One visit to one polygon of one batch.
struct FieldRecord {
    std::string batch, spot;  ///< polygon (case_id of `screen`) that it speaks of
    Point inside;             ///< a point of that polygon, EPSG:4490: it is found again by it
    std::string verdict;      ///< in their words
    std::string meaning;      ///< code of a verdict, "compliant" or "not_works"
    std::string by;
    Date date;
    std::string type, construction, change;
    std::optional<Date> notice, rectify_by, recheck, closed;
    std::string merge_into;            ///< polygon of the same batch
    std::optional<Point> merge_point;  ///< inside that one
    std::vector<FieldPart> parts;
    std::string split;  ///< the same for all records that split the polygon together; empty: of all of it
    std::string part;   ///< of a split: the same for all visits to one part
    std::vector<FieldPhoto> photos;
    std::map<std::string, std::string> kept;  ///< what else they wrote
    std::string source;                       ///< file and row; not part of what the record says
    std::string key;                          ///< hash of what it says
    std::string replaced_by;  ///< file and row of what the same person said later of the same visit
};

/// All records that hold, by batch, polygon, day and content; none when nobody sent any. Those that were
/// replaced stay in the file and are not given. Throws Error(input) for a damaged file.
[[nodiscard]] std::vector<FieldRecord> read_field_records(const engine::Store& store);
struct AddedRecords {
    std::size_t added = 0;
    std::vector<std::string> replaced;  ///< a sentence for each record that another one stands for now
};
/// Adds those that are not there yet, in their order. One of the same person, day and ground replaces what
/// was said before: it is a correction, no second opinion. Atomic.
AddedRecords add_field_records(const engine::Store& store, std::vector<FieldRecord> records);
[[nodiscard]] std::string field_record_key(const FieldRecord& record);

/// Whether a meaning holds nothing against the ground.
[[nodiscard]] bool harmless(std::string_view meaning);

/// What settles one polygon: of its records the one of the latest day that says what it is; where people
/// split it, the gravest of what settles its parts. `conflict` says where people of one day disagree; then
/// nothing is settled.
struct Finding {
    const FieldRecord* record = nullptr;
    std::string conflict;
};
/// `records` are those of one polygon by day.
[[nodiscard]] Finding settle(const std::vector<const FieldRecord*>& records);

}  // namespace shuibao::pipeline
