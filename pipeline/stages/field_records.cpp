// SPDX-License-Identifier: Apache-2.0
#include "field_records.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json point_json(const Point& p) {
    return {p.x, p.y};
}
Point point_of(const json& j) {
    return {j.at(0).get<double>(), j.at(1).get<double>()};
}

// Every plain member once, for both ways.
template <class R, class Visit>
void texts(R& r, Visit visit) {
    visit("batch", r.batch);
    visit("spot", r.spot);
    visit("verdict", r.verdict);
    visit("meaning", r.meaning);
    visit("by", r.by);
    visit("type", r.type);
    visit("construction", r.construction);
    visit("change", r.change);
    visit("merge_into", r.merge_into);
    visit("split", r.split);
    visit("part", r.part);
}
template <class R, class Visit>
void days(R& r, Visit visit) {
    visit("notice", r.notice);
    visit("rectify_by", r.rectify_by);
    visit("recheck", r.recheck);
    visit("closed", r.closed);
}

ordered_json content_of(const FieldRecord& r) {
    ordered_json j;
    texts(r, [&](const char* name, const std::string& v) {
        if (!v.empty()) j[name] = v;
    });
    j["date"] = r.date.iso();
    days(r, [&](const char* name, const std::optional<Date>& d) {
        if (d) j[name] = d->iso();
    });
    for (const auto& p : r.parts) j["parts"].push_back({{"wkt", p.wkt}, {"verdict", p.verdict}});
    for (const auto& p : r.photos) j["photos"].push_back(photo_json(p));
    if (!r.kept.empty()) j["kept"] = r.kept;
    return j;
}

FieldRecord record_of(const json& j) {
    FieldRecord r;
    texts(r, [&](const char* name, std::string& v) { v = j.value(name, std::string()); });
    r.date = Date::parse(j.at("date").get<std::string>()).value();
    days(r, [&](const char* name, std::optional<Date>& d) {
        if (j.contains(name)) d = Date::parse(j.at(name).get<std::string>());
    });
    for (const auto& p : j.value("parts", json::array()))
        r.parts.push_back({p.at("wkt").get<std::string>(), p.at("verdict").get<std::string>()});
    for (const auto& p : j.value("photos", json::array())) {
        FieldPhoto photo{p.at("number").get<std::string>(), p.value("file", std::string()), {}, {}};
        if (p.contains("place")) photo.place = point_of(p.at("place"));
        if (p.contains("azimuth")) photo.azimuth = p.at("azimuth").get<double>();
        r.photos.push_back(std::move(photo));
    }
    r.kept = j.value("kept", std::map<std::string, std::string>());
    r.inside = point_of(j.at("inside"));
    if (j.contains("merge_point")) r.merge_point = point_of(j.at("merge_point"));
    r.source = j.value("source", std::string());
    r.replaced_by = j.value("replaced_by", std::string());
    r.key = field_record_key(r);
    return r;
}

std::string dumped(const ordered_json& j, int indent) {
    return j.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

std::vector<FieldRecord> read_all(const engine::Store& store) {
    const auto path = store.field_records_file();
    std::vector<FieldRecord> records;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return records;
    try {
        std::ifstream in(path);
        const auto whole = json::parse(in);
        for (const auto& j : whole.at("records")) records.push_back(record_of(j));
    } catch (const std::exception& e) {
        throw Error(
            ErrorCode::input, fmt::format("{} cannot be read: {}.", path.string(), e.what()),
            "It holds what field teams sent: restore it from a backup, or move it away and give their "
            "files to `shuibao feedback` again.");
    }
    return records;
}

// Who looked at which polygon on which day.
using Visit = std::tuple<std::string, std::string, Date, std::string>;
Visit visit_of(const FieldRecord& r) {
    return {r.batch, r.spot, r.date, r.by};
}

using Records = std::vector<const FieldRecord*>;

struct Dated {
    Date day;
    Finding what;
};

bool graver(const std::string& a, const std::string& b) {
    static const std::vector<std::string> order = {
        "not_works", "compliant",  "before_approval", "exceeds",
        "relocated", "unapproved", "unapproved_spoil"};  // rules §3
    return std::find(order.begin(), order.end(), a) > std::find(order.begin(), order.end(), b);
}

// Of findings by day the last; what people of that day do not agree on settles nothing.
Dated latest(const std::vector<Dated>& findings) {
    Dated last;
    for (const auto& f : findings) {
        const auto* r = f.what.record;
        if (r == nullptr || r->meaning.empty()) continue;
        const auto* before = last.what.record;
        if (before == nullptr || last.day < f.day)
            last = f;
        else if (before->meaning != r->meaning)
            last.what.conflict =
                fmt::format("on {} {} found {} ({}) and {} found {} ({})", f.day.iso(), before->by,
                            before->verdict, before->source, r->by, r->verdict, r->source);
    }
    return last;
}

// The gravest of its parts is that of the whole.
Dated of_parts(const std::map<std::string, Records>& parts) {
    Dated whole;
    for (const auto& [part, visits] : parts) {
        std::vector<Dated> findings;
        for (const auto* r : visits) findings.push_back({r->date, {r, {}}});
        std::stable_sort(findings.begin(), findings.end(),
                         [](const Dated& a, const Dated& b) { return a.day < b.day; });
        const auto one = latest(findings);
        if (one.what.record == nullptr) continue;
        whole.day = whole.what.record == nullptr ? one.day : std::max(whole.day, one.day);
        if (whole.what.record == nullptr || graver(one.what.record->meaning, whole.what.record->meaning))
            whole.what.record = one.what.record;
        if (!one.what.conflict.empty()) whole.what.conflict = one.what.conflict;
    }
    return whole;
}

}  // namespace

ordered_json photo_json(const FieldPhoto& p) {
    ordered_json j = {{"number", p.number}};
    if (!p.file.empty()) j["file"] = p.file;
    if (p.place) j["place"] = point_json(*p.place);
    if (p.azimuth) j["azimuth"] = *p.azimuth;
    return j;
}

std::string field_record_key(const FieldRecord& r) {
    return engine::hash_bytes(dumped(content_of(r), -1));
}

std::vector<FieldRecord> read_field_records(const engine::Store& store) {
    auto records = read_all(store);
    std::erase_if(records, [](const FieldRecord& r) { return !r.replaced_by.empty(); });
    return records;
}

AddedRecords add_field_records(const engine::Store& store, std::vector<FieldRecord> records) {
    auto all = read_all(store);
    std::set<std::string> known;
    std::multimap<Visit, std::size_t> visits;
    for (std::size_t i = 0; i < all.size(); ++i) {
        known.insert(all[i].key);
        visits.emplace(visit_of(all[i]), i);
    }
    AddedRecords result;
    for (auto& r : records) {
        r.key = field_record_key(r);
        if (!known.insert(r.key).second) continue;
        ++result.added;
        const auto [first, last] = visits.equal_range(visit_of(r));
        for (auto it = first; it != last; ++it) {
            auto& old = all[it->second];
            if (!old.replaced_by.empty() || (old.split == r.split && old.part != r.part)) continue;
            old.replaced_by = r.source;
            result.replaced.push_back(fmt::format("{} says {} of {} on {} ({}), in place of {} ({}).", r.by,
                                                  r.verdict, r.spot, r.date.iso(), r.source, old.verdict,
                                                  old.source));
        }
        visits.emplace(visit_of(r), all.size());
        all.push_back(std::move(r));
    }
    if (result.added == 0) return result;
    std::sort(all.begin(), all.end(), [](const FieldRecord& a, const FieldRecord& b) {
        return std::tie(a.batch, a.spot, a.date, a.key) < std::tie(b.batch, b.spot, b.date, b.key);
    });
    ordered_json j = {{"what", "Field checks of all batches (现场复核); written by `shuibao feedback`"},
                      {"records", ordered_json::array()}};
    for (const auto& r : all) {
        auto one = content_of(r);
        one["inside"] = point_json(r.inside);
        if (r.merge_point) one["merge_point"] = point_json(*r.merge_point);
        one["source"] = r.source;
        if (!r.replaced_by.empty()) one["replaced_by"] = r.replaced_by;
        j["records"].push_back(std::move(one));
    }
    io::write_text(store.field_records_file(), dumped(j, 1) + "\n");
    return result;
}

bool harmless(std::string_view meaning) {
    return meaning == "compliant" || meaning == "not_works";
}

Finding settle(const std::vector<const FieldRecord*>& records) {
    // Splits first: each is one finding, of the day of its last visit.
    std::map<std::string, std::map<std::string, Records>> splits;
    std::vector<Dated> findings;
    for (const auto* r : records)
        if (r->split.empty())
            findings.push_back({r->date, {r, {}}});
        else
            splits[r->split][r->part].push_back(r);
    for (const auto& [split, parts] : splits) findings.push_back(of_parts(parts));
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Dated& a, const Dated& b) { return a.day < b.day; });
    return latest(findings).what;
}

}  // namespace shuibao::pipeline
