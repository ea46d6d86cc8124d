// SPDX-License-Identifier: Apache-2.0
// The ledger (台账): every disturbance followed through all batches of a store, under one id for life.
//
// The state after a batch is a function of the verdicts of that batch, of the state after the batch before,
// and of what field teams said of that batch. So a batch that is run twice changes nothing, one that is run
// late brings those after it up to date, and nothing depends on when anything was run.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "case_ground.hpp"
#include "field_records.hpp"
#include <shuibao/algorithms/calibration.hpp>
#include <shuibao/algorithms/compliance.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/core/polygon.hpp>
#include <shuibao/engine/rule_set.hpp>
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/vector.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// A case as it stands after a batch. Codes of states: watched, found, confirmed, rectifying, rechecked,
/// closed, absorbed (its ground is part of another case now).
struct LedgerCase {
    std::string id;    ///< for life: that of the polygon under which it was first seen
    std::string spot;  ///< polygon (case_id of `screen`) in `last_batch`
    std::string issuer_id;  ///< number under which somebody else sent that polygon; empty: ours only
    std::string first_batch, last_batch;
    std::string changed_batch;    ///< the last that saw it appear, grow or shrink
    io::Geometry shape;           ///< as last seen, in the CRS of the layer
    double area = 0;              ///< m², geodesic
    double area_before = 0;       ///< m², of what it comes from, the batch before; 0 when new
    double gained = 0;            ///< m², of all polygons that share ground with it
    std::string change;           ///< new, grown, shrunk, same; empty where this batch did not show it
    std::string change_by;        ///< who says so: "layer", "field", or what the limit was: lineage.hpp
    double change_limit = 0;      ///< m²: what is beyond it is growth; 0 where nothing was compared
    std::string construction;     ///< working, stopped, finished
    std::string completion;       ///< how it ended, where somebody said so
    std::int64_t bare_low = 0;    ///< successive batches that saw next to no bare ground left
    std::int64_t crept = 0;       ///< successive batches in which its part outside grew within tolerance
    double outside = 0;           ///< m², EAREA, as last seen
    bool after_notice = false;    ///< it grew in this batch, and the batch before is no older than the notice
    bool notice_between = false;  ///< it grew, and the notice lies between the two batches
    std::string verdict;          ///< of the program, as a code
    std::string state = "found";  ///< see above
    std::string confirmed;        ///< what people found, in their words; empty: nobody decided
    std::string confirmed_as;     ///< code of a verdict, "compliant" or "not_works"
    std::string confirmed_by;
    std::string confirmed_type;  ///< QTYPE as people entered it on site; empty: as the layer says
    double confirmed_area = 0;  ///< m², of the polygon that they looked at
    std::optional<Date> confirmed_on, notice_on, rectify_by, recheck_on, closed_on;
    std::optional<Date> due;           ///< by which the next step is to be taken
    std::vector<std::string> parents;  ///< cases it comes from: what it was split off from, what it took in
    std::string merged_into;           ///< case that its ground, or by people's word it itself, belongs to
    std::string county, industry;
    std::optional<Date> onset_from, onset_to;
    std::int64_t checks = 0;  ///< field records that speak of it
    bool present = false;     ///< this batch has a polygon of it
    double checked_confidence =
        -1;                     ///< of the program, for the polygon that people looked at; -1: none, or drawn
    bool checked_real = false;  ///< and there were works
    bool folded = false;        ///< images show its ground as part of the case `merged_into`
    std::string conflict;       ///< what people of one day disagree on; then nothing is decided
    std::optional<Date> closed_since, finished_on;  ///< what images say of its end: algorithms::GroundRecord
    std::optional<double>
        tilled;  ///< share that was tilled before, where a history told when it was first seen

    /// People decided, and it has not grown since where they found nothing wrong.
    [[nodiscard]] bool decided() const { return !confirmed.empty(); }
    /// The verdict that people's finding amounts to.
    [[nodiscard]] std::optional<algorithms::Verdict> decided_verdict() const;
};

struct LedgerState {
    std::string batch, crs;
    std::vector<LedgerCase> cases;  ///< by id
};

/// The case that a field record is about: its polygon is found by its ground, because another run of the
/// batch may number polygons anew.
class SpotFinder {
  public:
    /// What both point to outlives this; null: a place in the list that has no polygon.
    struct Spot {
        const std::string* id = nullptr;
        const io::Geometry* shape = nullptr;
    };
    SpotFinder(std::vector<Spot> spots, const std::string& crs);
    /// Of the cases that the batch shows.
    explicit SpotFinder(const LedgerState& state);
    /// Number in the list, or in state.cases; `inside` in EPSG:4490.
    [[nodiscard]] std::optional<std::size_t> operator()(const std::string& spot, Point inside) const;

  private:
    std::vector<Spot> m_spots;
    std::map<std::string, std::size_t> m_by_spot;
    io::BoxIndex m_index;
    io::Transformation m_move;
};

/// What one batch brings.
struct BatchEvidence {
    std::string batch;
    Date end;                                 ///< last day of the batch
    const io::VectorLayer& screened;          ///< as `screen` wrote it
    const std::vector<FieldRecord>& records;  ///< of this batch's polygons
    const algorithms::Rules& rules;
    const engine::Dictionary& disturbances;  ///< configs/dictionaries/disturbances.yaml
    const GroundEvidence& ground;            ///< what the batch's looks show of the cases before
};

/// What people said that could not be followed.
struct LedgerDoubts {
    std::vector<std::string> lost;     ///< records that fit no polygon any more
    std::vector<std::string> circles;  ///< sentences: cases that are to be part of each other
};

/// The state after a batch. `before` is the state after the batch before it, in the same CRS, or empty.
/// `each(n, body)` runs body(0…n−1) in any order.
using LedgerEach = std::function<void(std::size_t, const std::function<void(std::size_t)>&)>;
[[nodiscard]] LedgerState step(const LedgerState& before, const BatchEvidence& now, const LedgerEach& each,
                               LedgerDoubts& doubts);

/// The layer `cases` without rows, and the row of a case.
[[nodiscard]] io::LayerData ledger_layer(const std::string& crs);
[[nodiscard]] io::LayerData::Row ledger_row(const LedgerCase& c);
/// The state as a GeoPackage with that layer, and back (in `to_crs`; empty: its own; without shapes where
/// nobody asks for them). Throws Error(input).
void write_ledger_state(const engine::Executor& executor, const std::filesystem::path& file,
                        const LedgerState& state);
[[nodiscard]] LedgerState read_ledger_state(const std::filesystem::path& file, const std::string& batch,
                                            const std::string& to_crs, bool shapes);

/// Batches of the store that have verdicts, in order.
[[nodiscard]] std::vector<std::string> screened_batches(const engine::Store& store);
/// Brings the states of all batches up to date, in order; what is up to date is left alone. Problems and
/// notes go to `context`. Afterwards every batch of screened_batches() has its state.
/// `until`: only those of batches before that one.
void bring_forward(RunContext& context, const std::string& until = "");
/// Hash of the state after a batch, for the manifest.
[[nodiscard]] std::string ledger_hash(const engine::Store& store, const std::string& batch);
/// State after a batch; nothing when it has none.
[[nodiscard]] std::optional<LedgerState> ledger_of(const engine::Store& store, const std::string& batch,
                                                   bool shapes);
/// State after the last batch before this one, in a CRS; nothing where there is none.
[[nodiscard]] std::optional<LedgerState> ledger_before(const engine::Store& store, const std::string& batch,
                                                       const std::string& crs);
/// <store>/ledger.gpkg, or what ledger.path names (cases, history, lineage, checks, parts), and ledger.json
/// from all states: for people and other programs; nothing here reads it but `status`.
void write_ledger(RunContext& context);
/// Option ledger.path: another GeoPackage, or a PostGIS database.
void declare_ledger(OptionTable& table);

/// Of the cases of a state those that people looked at, as calibrate() asks for them; of a state that is not
/// there none.
[[nodiscard]] std::vector<algorithms::Checked> checked_cases(const std::optional<LedgerState>& state);
/// Confidences learnt from what field teams found in earlier batches.
[[nodiscard]] algorithms::Calibration calibration_before(const engine::Store& store,
                                                         const std::string& batch);

}  // namespace shuibao::pipeline
