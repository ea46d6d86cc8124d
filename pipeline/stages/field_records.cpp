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
    r.key = field_record_key(r);
    return r;
}

std::string dumped(const ordered_json& j, int indent) {
    return j.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
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

std::size_t add_field_records(const engine::Store& store, std::vector<FieldRecord> records) {
    auto all = read_field_records(store);
    std::set<std::string> known;
    for (const auto& r : all) known.insert(r.key);
    std::size_t added = 0;
    for (auto& r : records) {
        r.key = field_record_key(r);
        if (!known.insert(r.key).second) continue;
        ++added;
        all.push_back(std::move(r));
    }
    if (added == 0) return 0;
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
        j["records"].push_back(std::move(one));
    }
    io::write_text(store.field_records_file(), dumped(j, 1) + "\n");
    return added;
}

Finding settle(const std::vector<const FieldRecord*>& records) {
    Finding f;
    for (const auto* r : records) {
        if (r->meaning.empty()) continue;
        if (f.record == nullptr || f.record->date < r->date)
            f = {r, {}};
        else if (f.record->meaning != r->meaning)
            f.conflict =
                fmt::format("on {} {} found {} ({}) and {} found {} ({})", r->date.iso(), f.record->by,
                            f.record->verdict, f.record->source, r->by, r->verdict, r->source);
    }
    return f;
}

}  // namespace shuibao::pipeline
