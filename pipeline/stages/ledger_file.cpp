// SPDX-License-Identifier: Apache-2.0
// A ledger's state as a layer, and back.
#include <sstream>

#include <fmt/format.h>

#include "ledger.hpp"
#include "risk_input.hpp"
#include "rows_ahead.hpp"

namespace shuibao::pipeline {
namespace {

using io::FieldType;
using io::Value;

Value to_value(const std::string& v) {
    return io::or_null(v);
}
Value to_value(double v) {
    return v;
}
Value to_value(std::int64_t v) {
    return v;
}
Value to_value(bool v) {
    return std::int64_t{v ? 1 : 0};
}
Value to_value(const std::optional<Date>& v) {
    return io::or_null(v);
}
Value to_value(const std::optional<double>& v) {
    return v ? Value(*v) : Value();
}
Value to_value(const std::vector<std::string>& v) {
    return to_value(fmt::format("{}", fmt::join(v, ",")));
}

void from_value(const Value& value, std::string& v) {
    v = io::to_text(value);
}
void from_value(const Value& value, double& v) {
    v = io::to_number(value).value_or(0);
}
void from_value(const Value& value, std::int64_t& v) {
    v = static_cast<std::int64_t>(io::to_number(value).value_or(0));
}
void from_value(const Value& value, bool& v) {
    v = io::to_number(value).value_or(0) != 0;
}
void from_value(const Value& value, std::optional<Date>& v) {
    v = io::to_date(value);
}
void from_value(const Value& value, std::optional<double>& v) {
    v = io::to_number(value);
}
void from_value(const Value& value, std::vector<std::string>& v) {
    v.clear();
    std::stringstream list(io::to_text(value));
    for (std::string item; std::getline(list, item, ',');) v.push_back(item);
}

FieldType type_of(const std::string& /*v*/) {
    return FieldType::text;
}
FieldType type_of(double /*v*/) {
    return FieldType::real;
}
FieldType type_of(std::int64_t /*v*/) {
    return FieldType::integer;
}
FieldType type_of(bool /*v*/) {
    return FieldType::integer;
}
FieldType type_of(const std::optional<Date>& /*v*/) {
    return FieldType::date;
}
FieldType type_of(const std::optional<double>& /*v*/) {
    return FieldType::real;
}
FieldType type_of(const std::vector<std::string>& /*v*/) {
    return FieldType::text;
}

// Every member once, in the order of the columns.
template <class C, class Visit>
void members(C& c, Visit visit) {
    visit("case_id", c.id);
    visit("spot", c.spot);
    visit("issuer_id", c.issuer_id);
    visit("first_batch", c.first_batch);
    visit("last_batch", c.last_batch);
    visit("changed_batch", c.changed_batch);
    visit("present", c.present);
    visit("state", c.state);
    visit("due", c.due);
    visit("verdict", c.verdict);
    visit("confirmed", c.confirmed);
    visit("confirmed_as", c.confirmed_as);
    visit("confirmed_by", c.confirmed_by);
    visit("confirmed_type", c.confirmed_type);
    visit("confirmed_on", c.confirmed_on);
    visit("confirmed_area_m2", c.confirmed_area);
    visit("conflict", c.conflict);
    visit("checked_confidence", c.checked_confidence);
    visit("checked_real", c.checked_real);
    visit("checks", c.checks);
    visit("area_m2", c.area);
    visit("area_before_m2", c.area_before);
    visit("gained_m2", c.gained);
    visit("change", c.change);
    visit("change_by", c.change_by);
    visit("change_limit_m2", c.change_limit);
    visit("construction", c.construction);
    visit("completion", c.completion);
    visit("bare_low", c.bare_low);
    visit("crept", c.crept);
    visit("outside_m2", c.outside);
    visit("after_notice", c.after_notice);
    visit("notice_between", c.notice_between);
    visit("notice_on", c.notice_on);
    visit("rectify_by", c.rectify_by);
    visit("recheck_on", c.recheck_on);
    visit("closed_on", c.closed_on);
    visit("parents", c.parents);
    visit("merged_into", c.merged_into);
    visit("folded", c.folded);
    visit("onset_from", c.onset_from);
    visit("onset_to", c.onset_to);
    visit("county", c.county);
    visit("industry", c.industry);
    visit("closed_since", c.closed_since);
    visit("finished_on", c.finished_on);
    visit("tilled_before", c.tilled);
}

}  // namespace

io::LayerData ledger_layer(const std::string& crs) {
    io::LayerData layer;
    layer.name = "cases";
    layer.crs = crs;
    LedgerCase none;
    members(none, [&](const char* field, const auto& v) { layer.fields.push_back({field, type_of(v)}); });
    return layer;
}

io::LayerData::Row ledger_row(const LedgerCase& c) {
    io::LayerData::Row row{c.shape, {}};
    members(c, [&](const char*, const auto& v) { row.values.push_back(to_value(v)); });
    return row;
}

void write_ledger_state(const engine::Executor& executor, const std::filesystem::path& file,
                        const LedgerState& state) {
    auto layer = ledger_layer(state.crs);
    layer.indexed = false;
    io::write_geopackage(file, {&layer, 1}, [&](const io::PutRow& put) {
        rows_ahead(
            executor, state.cases.size(), [&](std::size_t i) { return ledger_row(state.cases[i]); },
            [&](std::size_t, const auto& row) { put(0, row); });
    });
}

LedgerState read_ledger_state(const std::filesystem::path& file, const std::string& batch,
                              const std::string& to_crs, bool shapes) {
    io::LayerReader reader(file.string(),
                           {.layer = "cases", .to_crs = to_crs, .ours = true, .shapes = shapes});
    LedgerState state{batch, reader.layer().crs, {}};
    state.cases.reserve(reader.expected());
    io::VectorFeature f;
    while (reader.next(f)) {
        LedgerCase c;
        c.shape = std::move(f.shape);
        members(c, [&](const char* field, auto& v) { from_value(row_value(f, field), v); });
        state.cases.push_back(std::move(c));
    }
    return state;
}

std::optional<algorithms::Verdict> LedgerCase::decided_verdict() const {
    if (!decided()) return std::nullopt;
    // Put right and struck off: nothing is held against it until it grows.
    if (state == "closed" || confirmed_as == "not_works") return algorithms::Verdict::compliant;
    return algorithms::verdict_from_code(confirmed_as);
}

}  // namespace shuibao::pipeline
