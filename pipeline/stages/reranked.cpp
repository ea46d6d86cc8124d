// SPDX-License-Identifier: Apache-2.0
#include "reranked.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include <shuibao/engine/hash.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

using io::FieldType;
using Row = std::tuple<std::string, const IssuedCase*, const IssuedCase*>;

std::string points_text(const std::optional<double>& points) {
    return points ? fmt::format("{}", *points) : std::string("无");
}

std::vector<Row> rows_of(const Issued& before, const Issued& now) {
    std::vector<Row> rows;
    for (const auto& [id, k] : now.cases)
        if (const auto old = before.cases.find(id); old != before.cases.end() && differs(old->second, k))
            rows.emplace_back(id, &old->second, &k);
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return std::get<2>(a)->rank < std::get<2>(b)->rank; });
    return rows;
}

io::LayerData table_of(const std::vector<Row>& rows, const Issued& before, const Issued& now) {
    io::LayerData table;
    table.name = "reranked";
    table.spatial = false;
    table.fields = {{"case_id"},
                    {"spot"},
                    {"rule_set_before"},
                    {"rule_set"},
                    {"tier_before"},
                    {"tier"},
                    {"severity_before", FieldType::real},
                    {"severity", FieldType::real},
                    {"rank_before", FieldType::integer},
                    {"rank", FieldType::integer},
                    {"verdict_before"},
                    {"verdict"},
                    {"cause"}};
    for (const auto& [id, was, is] : rows)
        table.rows.push_back(
            {{},
             {id, is->spot, before.rule_set, now.rule_set, was->tier, is->tier, was->severity, is->severity,
              was->rank, is->rank, was->verdict, is->verdict, cause_of(*was, *is)}});
    return table;
}

std::string counts_of(const std::vector<Row>& rows, const Issued& before, const Issued& now) {
    std::size_t tier = 0, severity = 0, rank_only = 0;
    for (const auto& [id, was, is] : rows) {
        const bool other_tier = was->tier != is->tier, other_severity = was->severity != is->severity;
        tier += other_tier ? 1 : 0;
        severity += other_severity ? 1 : 0;
        rank_only += !other_tier && !other_severity ? 1 : 0;
    }
    return fmt::format(
        "Weights changed from rule set {} to {}: of {} cases {} have another tier, {} another severity, {} "
        "another "
        "rank only.",
        before.rule_set, now.rule_set, now.cases.size(), tier, severity, rank_only);
}

}  // namespace

bool differs(const IssuedCase& a, const IssuedCase& b) {
    return a.tier != b.tier || a.severity != b.severity || a.rank != b.rank;
}

std::vector<PointChange> changed_points(const IssuedCase& before, const IssuedCase& now) {
    const auto of = [](const IssuedCase& k, const std::string& rule) -> std::optional<double> {
        for (const auto& [name, points] : k.points)
            if (name == rule) return points;
        return std::nullopt;
    };
    std::vector<PointChange> list;
    for (const auto& [rule, points] : now.points)
        if (const auto was = of(before, rule); was != points) list.push_back({rule, was, points});
    for (const auto& [rule, points] : before.points)
        if (!of(now, rule)) list.push_back({rule, points, std::nullopt});
    return list;
}

std::string cause_of(const IssuedCase& before, const IssuedCase& now) {
    std::string text;
    for (const auto& p : changed_points(before, now))
        text += fmt::format("{}{} {}→{}", text.empty() ? "" : "；", p.rule, points_text(p.before),
                            points_text(p.now));
    if (before.tier != now.tier && (text.empty() || before.severity == now.severity))
        text += fmt::format("{}分级：{}→{}", text.empty() ? "" : "；", before.tier_reason, now.tier_reason);
    return text.empty() ? "本案分数未变，其他案件排位变化" : text;
}

void write_reranked(RunContext& c) {
    if (c.executor.options().dry_run) return;
    const auto before_file = issued_before_file(c.store, c.batch), file = issued_file(c.store, c.batch);
    const auto output = c.output / "reranked.csv";
    std::error_code error;
    if (!std::filesystem::exists(before_file, error)) {
        std::filesystem::remove(output, error);  // of polygons that are no longer these
        return;
    }
    const auto before = read_issued(before_file), now = read_issued(file);
    const auto rows = rows_of(before, now);
    const auto counts = counts_of(rows, before, now);
    engine::Unit u;
    u.id = fmt::format("{} {}", c.batch, output.string());
    u.inputs["before"] = engine::hash_file(before_file.string());
    u.inputs["now"] = engine::hash_file(file.string());
    u.outputs = {output};
    u.work = [&] { io::write_csv(output, table_of(rows, before, now)); };
    c.executor.run("rank", {u});
    c.notes.push_back(
        {"rank", c.batch, "reranked", counts, fmt::format("They are listed in {}.", output.string())});
    c.log.write(engine::LogLevel::info, counts, "rank", c.batch);
}

}  // namespace shuibao::pipeline
