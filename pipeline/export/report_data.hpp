// SPDX-License-Identifier: Apache-2.0
// What the report of a batch says: numbers and rows, before anybody lays them out.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "hit_rates.hpp"
#include "mosaic.hpp"
#include "page_words.hpp"
#include "zones.hpp"
#include <shuibao/engine/problems.hpp>
#include <shuibao/pipeline/exporter.hpp>

namespace shuibao::pipeline {

struct Tally {
    std::size_t count = 0;
    double area = 0;          ///< m²
    std::size_t overdue = 0;  ///< of suspects: those whose next step was due before the end of the batch
};
/// Counts and areas by one property, in the order they are shown.
using Tallies = std::vector<std::pair<std::string, Tally>>;

/// Cases of one fate since the batch before, by the ledger.
struct CaseChange {
    std::string code;            ///< new, grown, shrunk, same, finished, absorbed, unseen
    std::size_t count = 0;       ///< cases
    std::size_t suspects = 0;    ///< of them those on this batch's list
    double before = 0, now = 0;  ///< m², after the batch before and after this one
};

struct BatchSummary {
    Tally disturbances, suspects;
    Date end;                      ///< of the batch
    Tallies verdicts;              ///< of all disturbances, by code; "confirmed" where people have been there
    Tallies tiers;                 ///< of all disturbances, by code
    Tallies counties, industries;  ///< of the suspects; "" = not known
    std::optional<double> unobserved, smallest;  ///< m²; smallest: median of what could be found
    std::optional<double> share_with_range;      ///< of the approved projects
    std::string previous;                        ///< the batch before this one in the store; empty = none
    Tallies previous_verdicts;
    std::vector<CaseChange> changes;        ///< those that there are, in the order of the codes above
    HitRates hits;                          ///< of all batches in the store
    std::vector<NamedArea> counties_drawn;  ///< borders to draw, CRS of the suspects, simplified for a screen
    std::vector<io::Geometry> unobserved_drawn;  ///< CRS of the suspects
    std::set<std::string> rule_sets;             ///< that the suspects were judged by
    std::string approvals;                       ///< name of the file with the ranges; empty = none was given
    std::vector<engine::Problem> problems;
    std::vector<std::string> dates;  ///< of the looks in the store, each with its platform
};

/// What became of each case between two states of the ledger; "unseen" are those that this batch does not
/// show, whatever the reason: silence says nothing.
[[nodiscard]] std::vector<CaseChange> changes_between(const engine::Store& store, const std::string& before,
                                                      const ExportInput& input);
/// Hit rates of one group (HitRates::by) as they are shown: tiers from the gravest on, the rest by how many
/// were checked; "" where what was sent out said nothing.
[[nodiscard]] std::vector<std::pair<std::string, HitRate>> hit_rows(const HitRates& rates, const char* group,
                                                                    const PageWords& words);
/// County borders near `bounds` (CRS of the suspects), with no more detail than a screen shows.
[[nodiscard]] std::vector<NamedArea> borders_near(const ExportInput& input, const Bounds& bounds);

/// Reads what lies beside the ranked layers: observation.gpkg, screened.json, the batch before, the ledger.
[[nodiscard]] BatchSummary summary_of(const ExportInput& input, const PageWords& words);
/// Files beside the ranked layers that the summary reads: name → hash.
[[nodiscard]] std::map<std::string, std::string> summary_hashes(const RunContext& context,
                                                                const std::string& batch);

/// Everything that the report's page works with. Coordinates are metres (or degrees × 111 320) east and north
/// of the map's lower left corner, whole; rings are flat lists [x, y, x, y …].
[[nodiscard]] nlohmann::ordered_json report_json(const ExportInput& input, const BatchSummary& summary,
                                                 const Mosaic& mosaic, const PageWords& words);

}  // namespace shuibao::pipeline
