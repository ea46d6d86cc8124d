// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "rules.hpp"
#include <shuibao/algorithms/risk.hpp>
#include <shuibao/core/error.hpp>
#include <shuibao/engine/hash.hpp>
#include <shuibao/engine/resources.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/archive.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {
namespace {

using algorithms::Tier;
using io::FieldType;
using io::Value;

struct Ranked {
    const io::VectorFeature* feature = nullptr;
    algorithms::RankKey key;
    algorithms::Risk risk;
    std::int64_t rank = 0;
};

Value get(const io::VectorFeature& f, const char* name) {
    const auto it = f.values.find(name);
    return it == f.values.end() ? Value() : it->second;
}
double number(const io::VectorFeature& f, const char* name) {
    return io::to_number(get(f, name)).value_or(0);
}
std::string text(const io::VectorFeature& f, const char* name) {
    return io::to_text(get(f, name));
}

// Fields of the contract, in its order; where each value comes from stands beside it.
struct OutputField {
    io::Field field;
    Value (*value)(const Ranked&, const std::string& reasons, const engine::Dictionary& words);
};

// A field that screen gave, passed on.
template <std::size_t n>
struct Name {
    char text[n];  // NOLINT(modernize-avoid-c-arrays): a template argument must be structural
    constexpr Name(const char (&t)[n]) { std::copy_n(t, n, text); }  // NOLINT
};
template <Name name>
OutputField passed(FieldType type) {
    return {{name.text, type}, [](const Ranked& r, const std::string&, const engine::Dictionary&) {
                return get(*r.feature, name.text);
            }};
}

// A field whose data no stage has yet: null, never a guess.
OutputField unknown(const char* name, FieldType type) {
    return {{name, type},
            [](const Ranked&, const std::string&, const engine::Dictionary&) { return Value(); }};
}

std::vector<OutputField> output_fields() {
    using Words = engine::Dictionary;
    return {
        passed<"case_id">(FieldType::text),
        passed<"batch">(FieldType::text),
        {{"rank", FieldType::integer},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.rank); }},
        {{"tier", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return Value(w.text("tiers", algorithms::tier_code(r.risk.tier)));
         }},
        {{"action", FieldType::text},
         [](const Ranked& r, const std::string&, const Words& w) {
             return Value(w.text("actions", r.risk.wait && r.risk.tier != Tier::none
                                                ? "wait"
                                                : algorithms::tier_code(r.risk.tier)));
         }},
        {{"severity", FieldType::real},
         [](const Ranked& r, const std::string&, const Words&) { return Value(r.risk.severity); }},
        passed<"confidence">(FieldType::real),
        passed<"verdict">(FieldType::text),
        passed<"verdict_zh">(FieldType::text),
        passed<"why">(FieldType::text),
        passed<"flags">(FieldType::text),
        passed<"notices">(FieldType::text),
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
        passed<"owner">(FieldType::text),
        passed<"project_type">(FieldType::text),
        passed<"industry">(FieldType::text),
        passed<"qtype">(FieldType::text),
        unknown("county", FieldType::text),
        unknown("zones", FieldType::text),
        unknown("slope_deg", FieldType::real),
        unknown("erosion_class", FieldType::text),
        unknown("change_type", FieldType::text),
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
        t.add({.key = "rank.capacity",
               .type = OptionType::integer,
               .fallback = "0",
               .help = "At most so many suspects, the first in rank; 0 = all",
               .min = 0,
               .max = 1e9});
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
        const auto rules = load_rules(c);
        const auto words = load_words(c);
        const auto output = c.output / "disturbances.gpkg";
        engine::Unit u;
        // Every output folder has its own state: a second folder gets its own copy.
        u.id = fmt::format("{} {}", c.batch, output.string());
        u.inputs = rule_hashes(c);
        u.inputs["screened"] = engine::hash_file(input.string());
        u.inputs["option rank.capacity"] = c.settings.text("rank.capacity");
        for (const char* style : {"disturbances", "suspects"})
            u.inputs[std::string("style ") + style] =
                engine::hash_file(engine::config_file(fmt::format("styles/{}.qml", style)).string());
        u.outputs = {output};
        u.work = [&] {
            const auto layer = io::read_layer(input.string());
            const auto ranked = rank(layer, rules);
            write(c, output, layer.crs, ranked, rules, words);
        };
        const auto counts = c.executor.run("rank", {u});
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

    static std::vector<Ranked> rank(const io::VectorLayer& layer, const engine::RuleSet& rules) {
        const algorithms::Rules number_of = [&](std::string_view item) { return rules.number(item); };
        std::vector<Ranked> list;
        for (const auto& f : layer.features) {
            algorithms::RiskFacts facts;
            facts.verdict = algorithms::verdict_from_code(text(f, "verdict")).value();
            facts.area = number(f, "area_m2");
            facts.offending_area =
                algorithms::offending_area(facts.verdict, facts.area, number(f, "outside_tolerant_m2"));
            facts.exceed_share = number(f, "exceed_share");
            facts.credit = text(f, "credit");
            facts.confidence = number(f, "confidence");
            Ranked r;
            r.feature = &f;
            r.risk = algorithms::score(facts, number_of);
            r.key = {r.risk.tier, r.risk.severity, facts.offending_area, text(f, "case_id")};
            list.push_back(std::move(r));
        }
        std::sort(list.begin(), list.end(),
                  [](const Ranked& a, const Ranked& b) { return algorithms::ranks_before(a.key, b.key); });
        std::int64_t n = 0;
        for (auto& r : list) r.rank = ++n;
        return list;
    }

    static std::string style(const char* name) {
        std::ifstream in(engine::config_file(fmt::format("styles/{}.qml", name)));
        std::stringstream qml;
        qml << in.rdbuf();
        return qml.str();
    }

    static void write(const RunContext& c, const std::filesystem::path& output, const std::string& crs,
                      const std::vector<Ranked>& ranked, const engine::RuleSet& rules,
                      const engine::Dictionary& words) {
        const auto fields = output_fields();
        std::vector<io::LayerData> layers(2);
        layers[0].name = "disturbances";
        layers[1].name = "suspects";
        for (auto& l : layers) {
            l.crs = crs;
            l.style = style(l.name.c_str());
            for (const auto& f : fields) l.fields.push_back(f.field);
        }
        const auto capacity = c.settings.integer("rank.capacity");
        std::map<Tier, std::size_t> tiers;
        for (const auto& r : ranked) {
            const auto reasons = reasons_of(r, rules);
            io::LayerData::Row row{r.feature->shape, {}};
            for (const auto& f : fields) row.values.push_back(f.value(r, reasons, words));
            ++tiers[r.risk.tier];
            if (r.risk.tier != Tier::none && (capacity == 0 || r.rank <= capacity))
                layers[1].rows.push_back(row);
            layers[0].rows.push_back(std::move(row));
        }
        io::write_geopackage(output, layers);
        c.log.write(engine::LogLevel::info,
                    fmt::format("{} suspects ({} {}, {} {}, {} {}) of {} disturbances → {}",
                                layers[1].rows.size(), words.text("tiers", "high"), tiers[Tier::high],
                                words.text("tiers", "medium"), tiers[Tier::medium],
                                words.text("tiers", "low"), tiers[Tier::low], ranked.size(), output.string()),
                    "rank");
    }
};

const Registration<Stage, RankStage> registration{"rank", 60};

}  // namespace
}  // namespace shuibao::pipeline
