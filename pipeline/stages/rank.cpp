// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "capacity.hpp"
#include "case_risk.hpp"
#include "dictionaries.hpp"
#include "issued.hpp"
#include "ledger.hpp"
#include "override_ground.hpp"
#include "ranked_rows.hpp"
#include "reranked.hpp"
#include "risk_input.hpp"
#include "rows_ahead.hpp"
#include "rules.hpp"
#include "zones.hpp"
#include <shuibao/algorithms/risk.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Tier;

class RankStage final : public Stage {
  public:
    [[nodiscard]] StageInfo info() const override {
        return {.summary = "Score, sort and write what to look at first",
                .description =
                    "Verdicts → severity (0–100, itemised), tier 高/中/低/无 and rank; writes "
                    "<output>/disturbances.gpkg with the layers disturbances and suspects.",
                .example = {"shuibao rank -c run.yaml", "shuibao rank -c run.yaml --capacity 50"}};
    }

    void declare(OptionTable& t) const override {
        declare_ledger(t);
        declare_capacity(t);
        t.add({.key = "rank.overrides",
               .type = OptionType::path,
               .help = "What people decided otherwise: a YAML list of {case, tier and/or verdict, by, date, "
                       "reason}. Each holds for the ground that its case had when it was first applied"});
    }
    void require(const RunContext& c) const override { static_cast<void>(Capacity(c)); }

    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.batch.empty() ? c.store.acquisitions_file() : std::filesystem::path();
    }
    void check(RunContext& c) const override {
        const auto words = load_words(c);
        std::size_t decided = 0;
        if (c.settings.has("rank.overrides"))
            decided = read_overrides(c.settings.path("rank.overrides"), words).size();
        c.out << fmt::format("rank: suspects into {}, {} decisions of people\n", c.output.string(), decided);
    }
    void run(RunContext& c) const override {
        const auto input = c.store.batch(resolve_batch(c)) / "screened.gpkg";
        if (!std::filesystem::exists(input)) {
            if (c.executor.options().dry_run) return;
            throw Error(ErrorCode::usage, fmt::format("Batch {} has no verdicts yet.", c.batch),
                        "Run `shuibao screen` first, or `shuibao run`.");
        }
        const RuleBook book(c);
        const auto& rules = book.of_batch();
        const auto words = load_words(c);
        bring_forward(c);
        const RiskWords risk_words(c);
        const auto overrides = decisions(c, words);
        const auto output = c.output / "disturbances.gpkg";
        engine::Unit u;
        // Every output folder has its own state: a second folder gets its own copy.
        u.id = fmt::format("{} {}", c.batch, output.string());
        u.inputs = rule_hashes(c);
        u.inputs["screened"] = engine::hash_file(input.string());
        u.inputs["ledger"] = ledger_hash(c.store, c.batch);
        const auto calibration = calibration_before(c.store, c.batch);
        if (calibration.n > 0)
            u.inputs["calibration"] = fmt::format("{} {} {}", calibration.n, calibration.a, calibration.b);
        for (const char* option : {"rank.capacity", "rank.county_capacity", "rank.capacity_of"})
            u.inputs[std::string("option ") + option] = c.settings.text(option);
        u.inputs.merge(RiskWords::hashes(c));
        u.inputs["dictionary feedback"] =
            engine::hash_file(engine::config_file("dictionaries/feedback.yaml").string());
        if (c.settings.has("rank.overrides")) {
            const auto file = c.settings.path("rank.overrides");
            c.inputs[file] = engine::hash_file(file);
            u.inputs["overrides"] = overrides_hash(overrides);
        }
        for (const char* style : {"disturbances", "suspects"})
            u.inputs[std::string("style ") + style] =
                engine::hash_file(engine::config_file(fmt::format("styles/{}.qml", style)).string());
        u.outputs = {output};
        u.work = [&] {
            const auto state = ledger_of(c.store, c.batch, false);
            if (!state)
                throw Error(ErrorCode::failed, fmt::format("The ledger has no state after {}.", c.batch),
                            "See why above, and run the same command again.");
            auto ranked = rank(c, input, rules, {risk_words, overrides, words, *state, calibration});
            write(c, input, output, ranked, rules,
                  {words, risk_words.disturbances, load_dictionary("feedback")});
        };
        const auto counts = c.executor.run("rank", {u});
        record_issued(c, output, overrides);
        write_reranked(c);
        write_ledger(c);
        deliver_observation(c);
        tell_counties(c);
        tell_cut_off(c, output, words.text("tiers", algorithms::tier_code(Tier::none)));
        if (counts.skipped > 0)
            c.log.write(engine::LogLevel::info, fmt::format("{} is up to date", output.string()), "rank");
    }

  private:
    static Overrides decisions(RunContext& c, const engine::Dictionary& words) {
        if (!c.settings.has("rank.overrides")) return {};
        const auto state = ledger_of(c.store, c.batch, true);
        if (!state) return read_overrides(c.settings.path("rank.overrides"), words);  // said below
        return overrides_in_force(c, words, *state, !c.executor.options().dry_run);
    }

    // The counties that have a capacity of their own must be counties.
    static void tell_counties(RunContext& c) {
        if (c.settings.map("rank.capacity_of").empty()) return;
        std::set<std::string> known;
        if (const auto state = ledger_of(c.store, c.batch, false)) {
            for (const auto& k : state->cases) known.insert(k.county);
            for (const auto& area : areas_of_kind(c, "county", state->crs)) known.insert(area.name);
        }
        Capacity(c).tell_unknown(c, known);
    }

    // What was not observed and what could not have been seen goes out beside what was found.
    static void deliver_observation(RunContext& c) {
        const auto output = c.output / "observation.gpkg";
        engine::Unit u;
        u.id = fmt::format("{} {}", c.batch, output.string());
        std::vector<std::filesystem::path> files;
        for (const char* name : {"unobserved.gpkg", "sight.gpkg"}) {
            const auto file = c.store.batch(c.batch) / name;
            if (!std::filesystem::exists(file))
                return;  // polygons of another origin: nothing is known of looks
            u.inputs[name] = engine::hash_file(file.string());
            files.push_back(file);
        }
        u.outputs = {output};
        u.work = [&] {
            std::vector<io::LayerData> layers;
            for (const auto& file : files) layers.push_back(copy_of(io::read_layer(file.string())));
            io::write_geopackage(output, layers);
        };
        c.executor.run("rank", {u});
    }

    static io::LayerData copy_of(const io::VectorLayer& from) {
        io::LayerData to;
        to.name = from.name;
        to.crs = from.crs;
        const std::map<std::string, io::FieldType> types = {{"id", io::FieldType::integer},
                                                            {"looks", io::FieldType::integer},
                                                            {"clear_looks", io::FieldType::integer},
                                                            {"first_day", io::FieldType::date},
                                                            {"last_day", io::FieldType::date}};
        for (const auto& name : from.fields) {
            const auto it = types.find(name);
            to.fields.push_back({name, it == types.end() ? io::FieldType::real : it->second});
        }
        for (const auto& f : from.features) {
            io::LayerData::Row row{f.shape, {}};
            for (const auto& name : from.fields) row.values.push_back(f.values.at(name));
            to.rows.push_back(std::move(row));
        }
        return to;
    }

    struct Means {
        const RiskWords& risk_words;
        const std::map<std::string, Override>& overrides;
        const engine::Dictionary& words;
        const LedgerState& ledger;
        const algorithms::Calibration& calibration;
    };

    // What was judged is most of a row: it is read some rows at a time, scored and let go; `write` reads the
    // rest when it is due.
    static std::vector<Ranked> rank(const RunContext& c, const std::filesystem::path& input,
                                    const engine::RuleSet& set, const Means& means) {
        const auto rules = rules_of(set);
        std::map<std::string, const LedgerCase*> memory;
        for (const auto& k : means.ledger.cases)
            if (k.present) memory[k.spot] = &k;
        std::vector<Ranked> list;
        io::LayerReader reader(input.string(),
                               {.fields = {"case_id", "verdict", "change_type", "credit", "credit_source",
                                           "confidence", "county", "facts", "context"},
                                .shapes = false});
        list.reserve(memory.size());
        read_ahead(c.executor, reader, [&](std::span<io::VectorFeature> rows) {
            const auto first = list.size();
            list.resize(first + rows.size());
            c.executor.parallel_for(
                rows.size(), [&](std::size_t i) { list[first + i] = one(rows[i], rules, memory, means); });
        });
        for (const auto& r : list)
            if (!r.decided.empty())
                c.log.write(engine::LogLevel::info, fmt::format("{}: {}", r.key.case_id, r.decided), "rank");
        std::sort(list.begin(), list.end(),
                  [](const Ranked& a, const Ranked& b) { return algorithms::ranks_before(a.key, b.key); });
        std::int64_t n = 0;
        for (auto& r : list) r.rank = ++n;
        return list;
    }

    static Ranked one(const io::VectorFeature& row, const algorithms::Rules& rules,
                      const std::map<std::string, const LedgerCase*>& memory, const Means& means) {
        Ranked r;
        r.row = row.id;
        r.county = row_text(row, "county");
        const auto facts = read_screened(row, means.risk_words, rules);
        const auto known = memory.find(row_text(row, "case_id"));
        if (known == memory.end())
            throw Error(ErrorCode::failed,
                        fmt::format("The ledger knows no case of the polygon {}.", row_text(row, "case_id")),
                        "Run `shuibao screen` again.");
        r.memory = known->second;
        const auto* decision = decision_on(means.overrides, {r.memory->id, r.memory->spot});
        auto k = risk_of(facts, r.memory, decision,
                         {rules, means.words, means.risk_words.disturbances, means.calibration});
        k.risk.trace = {};  // `explain` asks again
        r.verdict = k.verdict;
        r.confidence = k.facts.confidence;
        r.decided = std::move(k.decided);
        r.risk = std::move(k.risk);
        r.key = {r.risk.tier, r.risk.severity, k.facts.offending_area, r.memory->id};
        return r;
    }

    static std::string style(const char* name) {
        std::ifstream in(engine::config_file(fmt::format("styles/{}.qml", name)));
        std::stringstream qml;
        qml << in.rdbuf();
        return qml.str();
    }

    static void write(const RunContext& c, const std::filesystem::path& input,
                      const std::filesystem::path& output, std::vector<Ranked>& ranked,
                      const engine::RuleSet& rules, const RankWords& words) {
        const auto fields = output_fields();
        io::ReadOptions needed{.ours = true};
        for (const auto& f : fields) needed.fields.push_back(f.field.name);
        io::LayerReader reader(input.string(), needed);
        std::vector<io::LayerData> layers(2);
        layers[0].name = "disturbances";
        layers[1].name = "suspects";
        for (auto& l : layers) {
            l.crs = reader.layer().crs;
            l.style = style(l.name.c_str());
            for (const auto& f : fields) l.fields.push_back(f.field);
        }
        Capacity capacity(c);
        std::map<Tier, std::size_t> tiers;
        std::vector<bool> sent;
        std::size_t suspects = 0;
        for (const auto& r : ranked) {
            ++tiers[r.risk.tier];
            sent.push_back(r.risk.tier != Tier::none && capacity.takes(r.county));
            suspects += sent.back() ? 1U : 0U;
        }
        const auto row = [&](std::size_t i) {
            auto& r = ranked[i];
            auto source = reader.at(r.row);
            r.feature = &source;
            const auto reasons = reasons_of(r, rules);
            io::LayerData::Row out{{}, {}};
            for (const auto& f : fields) out.values.push_back(f.value(r, reasons, words));
            out.shape = std::move(source.shape);
            return out;
        };
        io::write_geopackage(output, layers, [&](const io::PutRow& put) {
            rows_ahead(c.executor, ranked.size(), row, [&](std::size_t i, const auto& made) {
                put(0, made);
                if (sent[i]) put(1, made);
            });
        });
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} suspects ({} {}, {} {}, {} {}) of {} disturbances → {}", suspects,
                                words.verdicts.text("tiers", "high"), tiers[Tier::high],
                                words.verdicts.text("tiers", "medium"), tiers[Tier::medium],
                                words.verdicts.text("tiers", "low"), tiers[Tier::low], ranked.size(),
                                output.string()),
                    "rank");
    }
};

const Registration<Stage, RankStage> registration{"rank", 60};

}  // namespace
}  // namespace shuibao::pipeline
