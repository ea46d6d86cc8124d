// SPDX-License-Identifier: Apache-2.0
// The ledger as people and other programs read it: one GeoPackage, and a summary for `status`.
#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <map>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "issued.hpp"
#include "ledger.hpp"
#include "rows_ahead.hpp"
#include "rules.hpp"
#include <shuibao/engine/hash.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/database.hpp>

namespace shuibao::pipeline {
namespace {

using io::FieldType;
using io::LayerData;
using io::or_null;
using io::Value;
using nlohmann::ordered_json;

constexpr const char* schema = "shuibao";  // of a database

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
        : m_c(c),
          m_batches(std::move(batches)),
          m_records(read_field_records(c.store)),
          m_last(read(m_batches.back(), "")) {}

    using Write = std::function<void(std::span<const LayerData>, const io::RowSource&)>;
    void operator()(const Write& write, const std::filesystem::path& summary) {
        auto cases = ledger_layer(m_last.crs);
        cases.fields.push_back({"overdue", FieldType::integer});
        LayerData history;
        history.name = "history";
        history.crs = m_last.crs;
        history.fields = {{"batch"},
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
        auto lineage = table("lineage", {{"batch"}, {"case_id"}, {"goes_on_in"}, {"how"}});
        auto checks = table("checks", {{"case_id"},
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
        LayerData parts;
        parts.name = "parts";
        parts.crs = m_last.crs;
        parts.fields = {{"case_id"}, {"batch"}, {"verdict"}};
        const std::array<LayerData, 5> layers = {std::move(cases), std::move(history), std::move(lineage),
                                                 std::move(checks), std::move(parts)};
        // The history is as long as the store is old: one batch of it is held at a time, and what went out
        // after the next. What it tells on its
        // way of lineage and checks is little, and written when its turn comes.
        ask_issued(0);
        write(layers, [&](const io::PutRow& put) {
            put_cases([&](std::size_t, const auto& row) { put(0, row); });
            put_history([&](std::size_t, const auto& row) { put(1, row); });
            std::size_t layer = 2;
            for (const auto* rows : {&m_lineage, &m_checks, &m_parts}) {
                for (const auto& row : *rows) put(layer, row);
                ++layer;
            }
        });
        io::write_text(summary, summary_of(m_last).dump(1) + "\n");
    }

  private:
    using Put = std::function<void(std::size_t, const LayerData::Row&)>;

    // In the CRS of the newest batch.
    [[nodiscard]] LedgerState read(const std::string& batch, const std::string& crs) const {
        return read_ledger_state(m_c.store.batch(batch) / "cases.gpkg", batch, crs, true);
    }

    void put_cases(const Put& put) const {
        const auto today = end_of_batch(m_batches.back());
        const auto made = [&](std::size_t i) {
            const auto& k = m_last.cases[i];
            auto row = ledger_row(k);
            row.values.emplace_back(std::int64_t{k.due && *k.due < today ? 1 : 0});
            return row;
        };
        rows_ahead(m_c.executor, m_last.cases.size(), made, put);
    }

    // What went out after a batch is read while what comes before it in the file is written.
    void ask_issued(std::size_t batch) {
        m_issued = std::async(ahead(m_c.executor), [file = issued_file(m_c.store, m_batches[batch])] {
            return read_issued(file).cases;
        });
    }

    void put_history(const Put& put) {
        std::map<std::string, bool> known;  // cases of the batch before: whether each was part of another
        for (std::size_t n = 0; n < m_batches.size(); ++n) {
            const auto& b = m_batches[n];
            const bool newest = b == m_batches.back();
            const auto older = newest ? LedgerState() : read(b, m_last.crs);
            const auto& state = newest ? m_last : older;
            const auto issued = m_issued.get();
            if (!newest) ask_issued(n + 1);
            put_batch(state, issued, put);
            add_lineage(state, known);
            add_checks(state);
            known.clear();
            for (const auto& k : state.cases) known.emplace(k.id, !k.merged_into.empty());
        }
    }

    void put_batch(const LedgerState& state, const std::map<std::string, IssuedCase>& issued,
                   const Put& put) const {
        std::vector<const LedgerCase*> told;
        for (const auto& k : state.cases)  // works done are told where nothing is left to be shown
            if (k.present || k.change == "finished") told.push_back(&k);
        const auto made = [&](std::size_t i) {
            const auto& k = *told[i];
            const auto sent = issued.find(k.id);
            const bool went_out = sent != issued.end();
            return LayerData::Row{
                k.shape,
                {state.batch, k.id, k.spot, or_null(k.verdict),
                 went_out ? or_null(sent->second.tier) : Value(),
                 went_out ? Value(sent->second.severity) : Value(), k.state, or_null(k.confirmed),
                 or_null(k.change), or_null(k.construction), k.area, k.gained}};
        };
        rows_ahead(m_c.executor, told.size(), made, put);
    }

    void add_lineage(const LedgerState& state, const std::map<std::string, bool>& known) {
        const auto edge = [&](const std::string& from, const std::string& to, const char* how) {
            m_lineage.push_back({{}, {state.batch, from, to, std::string(how)}});
        };
        for (const auto& k : state.cases) {
            const auto old = known.find(k.id);
            if (old == known.end())
                for (const auto& p : k.parents)
                    if (known.contains(p)) edge(p, k.id, "split");
            if (!k.merged_into.empty() && (old == known.end() || !old->second))
                edge(k.id, k.merged_into, k.folded ? "merged" : "merged by people");
        }
    }

    void add_checks(const LedgerState& state) {
        if (std::none_of(m_records.begin(), m_records.end(),
                         [&](const FieldRecord& r) { return r.batch == state.batch; }))
            return;
        const SpotFinder find(state);
        const io::Transformation move("EPSG:4490", state.crs);
        for (const auto& r : m_records) {
            if (r.batch != state.batch) continue;
            const auto i = find(r.spot, r.inside);
            const auto id = i ? Value(state.cases[*i].id) : Value();
            auto photos = ordered_json::array();
            for (const auto& p : r.photos) photos.push_back(photo_json(p));
            m_checks.push_back({{},
                                {id, r.batch, r.spot, r.date, r.by, or_null(r.verdict), or_null(r.meaning),
                                 or_null(r.notice), or_null(r.rectify_by), or_null(r.recheck),
                                 or_null(r.closed), photos.empty() ? Value() : Value(dumped(photos)),
                                 r.kept.empty() ? Value() : Value(dumped(ordered_json(r.kept))), r.source}});
            for (const auto& p : r.parts)
                m_parts.push_back({move(io::Geometry::from_wkt(p.wkt)), {id, r.batch, or_null(p.verdict)}});
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
    LedgerState m_last;
    std::future<std::map<std::string, IssuedCase>> m_issued;
    std::vector<LayerData::Row> m_lineage, m_checks, m_parts;
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
    const auto summary = c.store.ledger_summary_file();
    const auto target = c.settings.has("ledger.path") ? c.settings.text("ledger.path") : std::string();
    if (!io::is_database(target)) {
        const auto gpkg =
            target.empty() ? c.store.ledger_file() : std::filesystem::path(c.settings.path("ledger.path"));
        u.outputs = {gpkg, summary};
        u.work = [&c, batches, gpkg, summary] {
            Writer(c, batches)([&](auto layers, auto rows) { io::write_geopackage(gpkg, layers, rows); },
                               summary);
        };
        c.executor.run("ledger", {u});
        return;
    }
    // What a database holds is not for a manifest to know: it is asked, and the files' record is not believed
    // where it holds something else.
    u.id = "database";
    const auto mark = engine::hash_values(u.inputs) + " " + c.executor.options().code_version;
    if (!c.executor.options().dry_run && io::database_mark(target, schema) != mark)
        std::filesystem::remove(summary, error);
    u.outputs = {summary};
    u.work = [&c, batches, target, mark, summary] {
        Writer(c, batches)(
            [&](auto layers, auto rows) { io::write_database(target, schema, layers, rows, mark); }, summary);
    };
    c.executor.run("ledger", {u});
}

void declare_ledger(OptionTable& t) {
    t.add({.key = "ledger.path",
           .type = OptionType::path,
           .help =
               "Where the ledger is written for people: a GeoPackage (default: ledger.gpkg in the store), or "
               "PG:dbname=… for a PostGIS database (its schema shuibao; passwords in ~/.pgpass)"});
}

}  // namespace shuibao::pipeline
