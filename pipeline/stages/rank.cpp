// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dictionaries.hpp"
#include "issued.hpp"
#include "ledger.hpp"
#include "overrides.hpp"
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
using io::FieldType;
using io::Value;

struct Ranked {
    std::int64_t row = 0;                        // of the layer that screen wrote
    const io::VectorFeature* feature = nullptr;  // that row, while it is written
    std::string county;
    algorithms::RankKey key;
    algorithms::Risk risk;
    std::int64_t rank = 0;
    double confidence = 1;                                       // after what field teams taught, and found
    algorithms::Verdict verdict = algorithms::Verdict::pending;  // after what people decided
    std::string decided;                                         // by whom, when, why, what was before
    const LedgerCase* memory = nullptr;                          // the case that this polygon belongs to
};

// The words that are written for codes.
struct Words {
    const engine::Dictionary& verdicts;
    const engine::Dictionary& disturbances;
    engine::Dictionary states;  // of configs/dictionaries/feedback.yaml
};

// Fields of the contract, in its order; where each value comes from stands beside it.
struct OutputField {
    io::Field field;
    Value (*value)(const Ranked&, const std::string& reasons, const Words& words);
};

// A field that screen gave, passed on.
template <std::size_t n>
struct Name {
    char text[n];  // NOLINT(modernize-avoid-c-arrays): a template argument must be structural
    constexpr Name(const char (&t)[n]) { std::copy_n(t, n, text); }  // NOLINT
};
template <Name name>
OutputField passed(FieldType type) {
    return {{name.text, type}, [](const Ranked& r, const std::string&, const Words&) {
                return row_value(*r.feature, name.text);
            }};
}

std::vector<OutputField> output_fields() {
    return {
        {{"case_id", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.memory->id); }},
        passed<"batch">(FieldType::text),
        {{"rank", FieldType::integer},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.rank); }},
        {{"tier", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return Value(w.verdicts.text("tiers", algorithms::tier_code(r.risk.tier)));
         }},
        {{"action", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return Value(w.verdicts.text("actions", r.risk.wait && r.risk.tier != Tier::none
                                                         ? "wait"
                                                         : algorithms::tier_code(r.risk.tier)));
         }},
        {{"severity", FieldType::real},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.risk.severity); }},
        {{"confidence", FieldType::real},
         [](const Ranked& r, const std::string&, const Words&) {
             return Value(std::round(r.confidence * 1e4) / 1e4);
         }},
        {{"verdict", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) {
             return Value(std::string(algorithms::verdict_code(r.verdict)));
         }},
        {{"verdict_zh", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return Value(w.verdicts.text("verdicts", algorithms::verdict_code(r.verdict)));
         }},
        passed<"second_verdict">(FieldType::text),
        passed<"why">(FieldType::text),
        {{"tier_reason", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) { return io::or_null(r.risk.tier_reason); }},
        {{"decided", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) { return io::or_null(r.decided); }},
        passed<"flags">(FieldType::text),
        passed<"notices">(FieldType::text),
        passed<"rule_set">(FieldType::text),
        passed<"kind">(FieldType::text),
        passed<"onset_from">(FieldType::date),
        passed<"onset_to">(FieldType::date),
        passed<"area_m2">(FieldType::real),
        passed<"outside_m2">(FieldType::real),
        passed<"outside_tolerant_m2">(FieldType::real),
        passed<"outside_depth_m">(FieldType::real),
        passed<"overlap_ratio">(FieldType::real),
        passed<"exceed_share">(FieldType::real),
        passed<"approval_id">(FieldType::text),
        passed<"approval_name">(FieldType::text),
        passed<"approval_date">(FieldType::date),
        passed<"other_approvals">(FieldType::text),
        passed<"relocated_from">(FieldType::text),
        passed<"owner">(FieldType::text),
        passed<"project_type">(FieldType::text),
        passed<"industry">(FieldType::text),
        passed<"qtype">(FieldType::text),
        passed<"image_type">(FieldType::text),
        passed<"image_type_zh">(FieldType::text),
        passed<"county">(FieldType::text),
        passed<"township">(FieldType::text),
        passed<"zones">(FieldType::text),
        passed<"slope_deg">(FieldType::real),
        passed<"erosion_class">(FieldType::text),
        passed<"erosion_zh">(FieldType::text),
        passed<"erosion_range">(FieldType::text),
        passed<"erosion_method">(FieldType::text),
        {{"change_type", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return io::or_null(w.disturbances.text("changes", r.memory->change));
         }},
        {{"growth_m2", FieldType::real},
         [](const Ranked& r, const std::string&, const Words&) {
             return Value(std::round(r.memory->gained * 100) / 100);
         }},
        {{"construction", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return io::or_null(w.disturbances.text("construction", r.memory->construction));
         }},
        {{"first_batch", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.memory->first_batch); }},
        {{"parents", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) {
             return io::or_null(fmt::format("{}", fmt::join(r.memory->parents, ",")));
         }},
        {{"state", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return Value(w.states.text("states", r.memory->state));
         }},
        {{"due", FieldType::date},
         [](const Ranked& r, const std::string&, const Words&) { return io::or_null(r.memory->due); }},
        {{"confirmed", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) { return io::or_null(r.memory->confirmed); }},
        {{"spot", FieldType::text},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.memory->spot); }},
        {{"reasons", FieldType::text},
         [](const Ranked&, const std::string& reasons, const Words&) { return Value(reasons); }},
    };
}

std::string reasons_of(const Ranked& r, const engine::RuleSet& rules) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& item : r.risk.items)
        list.push_back({{"item", item.item},
                        {"value", item.value},
                        {"points", item.points},
                        {"basis", rules.item(item.rule).basis},
                        {"source", item.source},
                        {"rule", fmt::format("{}:{}", rules.name, item.rule)}});
    return list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

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
        t.add({.key = "rank.capacity",
               .type = OptionType::integer,
               .fallback = "0",
               .help = "At most so many suspects, the first in rank; 0 = all",
               .min = 0,
               .max = 1e9});
        t.add({.key = "rank.county_capacity",
               .type = OptionType::integer,
               .fallback = "0",
               .help = "At most so many suspects for each county, the first in rank; 0 = all",
               .min = 0,
               .max = 1e9});
        t.add({.key = "rank.overrides",
               .type = OptionType::path,
               .help = "What people decided otherwise: a YAML list of {case, tier and/or verdict, by, date, "
                       "reason}"});
    }

    [[nodiscard]] std::filesystem::path first_input(const RunContext& c) const override {
        return c.batch.empty() ? c.store.acquisitions_file() : std::filesystem::path();
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
        std::map<std::string, Override> overrides;
        if (c.settings.has("rank.overrides"))
            overrides = read_overrides(c.settings.path("rank.overrides"), words);
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
        for (const char* option : {"rank.capacity", "rank.county_capacity"})
            u.inputs[std::string("option ") + option] = c.settings.text(option);
        u.inputs.merge(RiskWords::hashes(c));
        u.inputs["dictionary feedback"] =
            engine::hash_file(engine::config_file("dictionaries/feedback.yaml").string());
        if (c.settings.has("rank.overrides")) {
            const auto file = c.settings.path("rank.overrides");
            u.inputs["overrides"] = c.inputs[file] = engine::hash_file(file);
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
                  {words, risk_words.disturbances,
                   load_dictionary("feedback")});
        };
        const auto counts = c.executor.run("rank", {u});
        record_issued(c, output);
        write_reranked(c);
        write_ledger(c);
        deliver_observation(c);
        if (counts.skipped > 0)
            c.log.write(engine::LogLevel::info, fmt::format("{} is up to date", output.string()), "rank");
    }

  private:
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
        constexpr std::size_t at_once = 4096;
        const auto rules = rules_of(set);
        std::map<std::string, const LedgerCase*> memory;
        for (const auto& k : means.ledger.cases)
            if (k.present) memory[k.spot] = &k;
        std::vector<Ranked> list;
        io::LayerReader reader(input.string(), {.fields = {"case_id", "verdict", "change_type", "credit",
                                                           "confidence", "county", "facts", "context"},
                                                .shapes = false});
        for (auto rows = reader.next(at_once); !rows.empty(); rows = reader.next(at_once)) {
            const auto first = list.size();
            list.resize(first + rows.size());
            c.executor.parallel_for(
                rows.size(), [&](std::size_t i) { list[first + i] = one(rows[i], rules, memory, means); });
        }
        std::set<std::string> known;
        for (const auto& r : list) {
            known.insert(r.memory->id);
            known.insert(r.memory->spot);
            if (!r.decided.empty())
                c.log.write(engine::LogLevel::info, fmt::format("{}: {}", r.key.case_id, r.decided), "rank");
        }
        for (const auto& [id, o] : means.overrides)
            if (id.starts_with(c.batch + "-") && !known.contains(id))
                c.problems.add({"rank", fmt::format("{}:{}", c.settings.path("rank.overrides"), o.line),
                                "unknown_case", fmt::format("The batch has no case {}.", id),
                                "Correct the case id."});
        std::sort(list.begin(), list.end(),
                  [](const Ranked& a, const Ranked& b) { return algorithms::ranks_before(a.key, b.key); });
        std::int64_t n = 0;
        for (auto& r : list) r.rank = ++n;
        return list;
    }

    static Ranked one(const io::VectorFeature& row, const algorithms::Rules& rules,
                      const std::map<std::string, const LedgerCase*>& memory, const Means& means) {
        const auto& words = means.words;
        Ranked r;
        r.row = row.id;
        r.county = row_text(row, "county");
        auto facts = read_screened(row, means.risk_words, rules);
        const auto known = memory.find(row_text(row, "case_id"));
        if (known == memory.end())
            throw Error(ErrorCode::failed,
                        fmt::format("The ledger knows no case of the polygon {}.", row_text(row, "case_id")),
                        "Run `shuibao screen` again.");
        r.memory = known->second;
        const auto& id = r.memory->id;
        const auto measured = facts.risk.verdict;
        facts.risk.confidence = means.calibration(facts.risk.confidence);
        remember(*r.memory, facts.risk, facts.facts);
        const auto* decision = decision_on(means.overrides, {r.memory->id, r.memory->spot});
        std::string before;
        if (decision != nullptr && decision->verdict && *decision->verdict != facts.risk.verdict) {
            before = words.text("verdicts", algorithms::verdict_code(facts.risk.verdict));
            judge_as(facts.risk, *decision->verdict, facts.facts);
        }
        r.verdict = facts.risk.verdict;
        r.confidence = facts.risk.confidence;
        r.risk = algorithms::score(facts.risk, rules);
        if (!r.memory->merged_into.empty()) {
            r.risk.tier = Tier::none;
            r.risk.tier_reason = "现场复核：并入 " + r.memory->merged_into;
        }
        if (decision != nullptr && decision->tier && *decision->tier != r.risk.tier) {
            before += (before.empty() ? "" : "，") + words.text("tiers", algorithms::tier_code(r.risk.tier));
            r.risk.tier = *decision->tier;
            r.risk.wait = false;
            r.risk.tier_reason = "人工认定";
        }
        if (decision != nullptr)
            r.decided = fmt::format("{}（{}）：{}{}", decision->by, decision->day.iso(), decision->reason,
                                    before.empty() ? std::string() : "；原为 " + before);
        else if (r.memory->decided())
            r.decided =
                fmt::format("{}（{}）：现场复核 {}；原为 {}", r.memory->confirmed_by,
                            r.memory->confirmed_on ? r.memory->confirmed_on->iso() : std::string(),
                            r.memory->confirmed, words.text("verdicts", algorithms::verdict_code(measured)));
        r.key = {r.risk.tier, r.risk.severity, facts.risk.offending_area, id};
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
                      const engine::RuleSet& rules, const Words& words) {
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
        const auto capacity = c.settings.integer("rank.capacity"),
                   county_capacity = c.settings.integer("rank.county_capacity");
        std::map<std::string, std::int64_t> of_county;
        std::map<Tier, std::size_t> tiers;
        std::vector<std::size_t> suspects;
        for (std::size_t i = 0; i < ranked.size(); ++i) {
            const auto& r = ranked[i];
            ++tiers[r.risk.tier];
            if (r.risk.tier != Tier::none && (capacity == 0 || r.rank <= capacity) &&
                (county_capacity == 0 || ++of_county[r.county] <= county_capacity))
                suspects.push_back(i);
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
        const std::array<io::RowSource, 2> rows = {
            rows_ahead(c.executor, ranked.size(), row),
            rows_ahead(c.executor, suspects.size(), [&](std::size_t k) { return row(suspects[k]); })};
        io::write_geopackage(output, layers, rows);
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} suspects ({} {}, {} {}, {} {}) of {} disturbances → {}", suspects.size(),
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
