// SPDX-License-Identifier: Apache-2.0
// The ledger as people and other programs read it: one GeoPackage, and a summary for `status`.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ledger.hpp"
#include "rules.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>

namespace shuibao::pipeline {
namespace {

using io::FieldType;
using io::LayerData;
using io::or_null;
using io::Value;
using nlohmann::ordered_json;

LayerData table(const char* name, std::vector<io::Field> fields) {
    LayerData t;
    t.name = name;
    t.fields = std::move(fields);
    t.spatial = false;
    return t;
}

class Writer {
  public:
    explicit Writer(RunContext& c, std::vector<std::string> batches)
        : m_c(c), m_batches(std::move(batches)), m_records(read_field_records(c.store)) {}

    void operator()(const std::filesystem::path& gpkg, const std::filesystem::path& summary) {
        m_lineage = table("lineage", {{"batch"}, {"case_id"}, {"goes_on_in"}, {"how"}});
        m_checks = table("checks", {{"case_id"},
                                    {"batch"},
                                    {"spot"},
                                    {"day", FieldType::date},
                                    {"checker"},
                                    {"verdict"},
                                    {"meaning"},
                                    {"notice", FieldType::date},
                                    {"rectify_by", FieldType::date},
                                    {"recheck", FieldType::date},
                                    {"closed", FieldType::date},
                                    {"photos"},
                                    {"kept"},
                                    {"source"}});
        m_history.name = "history";
        m_history.fields = {{"batch"},
                            {"case_id"},
                            {"spot"},
                            {"verdict"},
                            {"tier"},
                            {"severity", FieldType::real},
                            {"state"},
                            {"confirmed"},
                            {"change"},
                            {"construction"},
                            {"area_m2", FieldType::real},
                            {"gained_m2", FieldType::real}};
        m_parts.name = "parts";
        m_parts.fields = {{"case_id"}, {"batch"}, {"verdict"}};
        LedgerState last;
        for (const auto& b : m_batches) {
            const auto file = m_c.store.batch(b) / "cases.gpkg";
            // Everything in the CRS of the newest batch.
            auto state = read_ledger_state(file, b, crs());
            add(state, last);
            last = std::move(state);
        }
        auto cases = ledger_layer(last);
        cases.fields.push_back({"overdue", FieldType::integer});
        const auto today = end_of_batch(m_batches.back());
        for (std::size_t i = 0; i < last.cases.size(); ++i)
            cases.rows[i].values.emplace_back(
                std::int64_t{last.cases[i].due && *last.cases[i].due < today ? 1 : 0});
        m_history.crs = m_parts.crs = last.crs;
        std::vector<LayerData> layers = {std::move(cases), std::move(m_history), std::move(m_lineage),
                                         std::move(m_checks), std::move(m_parts)};
        io::write_geopackage(gpkg, layers);
        io::write_text(summary, summary_of(last).dump(1) + "\n");
    }

  private:
    [[nodiscard]] const std::string& crs() {
        if (m_crs.empty())
            m_crs = read_ledger_state(m_c.store.batch(m_batches.back()) / "cases.gpkg", "", "").crs;
        return m_crs;
    }

    void add(const LedgerState& state, const LedgerState& before) {
        std::map<std::string, const LedgerCase*> known;
        for (const auto& k : before.cases) known[k.id] = &k;
        const auto issued = issued_cases(m_c.store, state.batch);
        for (const auto& k : state.cases) {
            const auto it = known.find(k.id);
            const auto* old = it == known.end() ? nullptr : it->second;
            if (k.present) {
                const auto sent = issued.value(k.id, ordered_json::object());
                m_history.rows.push_back(
                    {k.shape,
                     {state.batch, k.id, k.spot, or_null(k.verdict),
                      or_null(sent.value("tier", std::string())),
                      sent.contains("severity") ? Value(sent.at("severity").get<double>()) : Value(), k.state,
                      or_null(k.confirmed), or_null(k.change), or_null(k.construction), k.area, k.gained}});
            }
            const auto edge = [&](const std::string& from, const std::string& to, const char* how) {
                m_lineage.rows.push_back({{}, {state.batch, from, to, std::string(how)}});
            };
            if (old == nullptr)
                for (const auto& p : k.parents)
                    if (known.contains(p)) edge(p, k.id, "split");
            if (!k.merged_into.empty() && (old == nullptr || old->merged_into.empty()))
                edge(k.id, k.merged_into, k.folded ? "merged" : "merged by people");
        }
        const SpotFinder find(state);
        for (const auto& r : m_records) {
            if (r.batch != state.batch) continue;
            const auto i = find(r.spot, r.inside);
            const auto id = i ? Value(state.cases[*i].id) : Value();
            auto photos = ordered_json::array();
            for (const auto& p : r.photos) photos.push_back(photo_json(p));
            m_checks.rows.push_back(
                {{},
                 {id, r.batch, r.spot, r.date, r.by, or_null(r.verdict), or_null(r.meaning),
                  or_null(r.notice), or_null(r.rectify_by), or_null(r.recheck), or_null(r.closed),
                  photos.empty() ? Value() : Value(dumped(photos)),
                  r.kept.empty() ? Value() : Value(dumped(ordered_json(r.kept))), r.source}});
            const io::Transformation move("EPSG:4490", state.crs);
            for (const auto& p : r.parts)
                m_parts.rows.push_back(
                    {move(io::Geometry::from_wkt(p.wkt)), {id, r.batch, or_null(p.verdict)}});
        }
    }

    static std::string dumped(const ordered_json& j) {
        return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    }

    static ordered_json summary_of(const LedgerState& state) {
        ordered_json j = {{"batch", state.batch}, {"cases", state.cases.size()}};
        std::map<std::string, std::size_t> states;
        std::size_t seen = 0;
        std::vector<const LedgerCase*> due;
        for (const auto& k : state.cases) {
            ++states[k.state];
            seen += k.present ? 1 : 0;
            if (k.due) due.push_back(&k);
        }
        j["seen"] = seen;
        j["states"] = states;
        std::sort(due.begin(), due.end(), [](const LedgerCase* a, const LedgerCase* b) {
            return std::pair(*a->due, a->id) < std::pair(*b->due, b->id);
        });
        j["due"] = ordered_json::array();
        for (const auto* k : due) {
            j["due"].push_back({{"case", k->id}, {"state", k->state}, {"due", k->due->iso()}});
            if (!k->county.empty()) j["due"].back()["county"] = k->county;
        }
        return j;
    }

    RunContext& m_c;
    std::vector<std::string> m_batches;
    std::vector<FieldRecord> m_records;
    std::string m_crs;
    LayerData m_history, m_lineage, m_checks, m_parts;
};

}  // namespace

void write_ledger(RunContext& c) {
    const auto batches = screened_batches(c.store);
    if (batches.empty()) return;
    engine::Unit u;
    u.id = "all";
    for (const auto& b : batches) {
        u.inputs["state " + b] = ledger_hash(c.store, b);
        const auto issued = issued_file(c.store, b);
        std::error_code error;
        if (std::filesystem::exists(issued, error))
            u.inputs["issued " + b] = engine::hash_file(issued.string());
    }
    const auto records = c.store.field_records_file();
    std::error_code error;
    if (std::filesystem::exists(records, error)) u.inputs["feedback"] = engine::hash_file(records.string());
    const auto gpkg = c.store.ledger_file(), summary = c.store.ledger_summary_file();
    u.outputs = {gpkg, summary};
    u.work = [&] { Writer(c, batches)(gpkg, summary); };
    c.executor.run("ledger", {u});
}

}  // namespace shuibao::pipeline
