// SPDX-License-Identifier: Apache-2.0
// What `tile` finds out about a scene before it is cut: shift against the reference, radiometric sanity.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <shuibao/algorithms/registration.hpp>
#include <shuibao/engine/executor.hpp>
#include <shuibao/engine/scene.hpp>

namespace shuibao::pipeline {

struct SceneReport {
    std::string id, reference;  ///< scene ids; the reference reports on itself with an empty reference
    /// "reference", "aligned", "shifted", "not reliable: not shifted", "off"; of refused ones also
    /// "misplaced", "reference, misplaced" and "one value"
    std::string decision;
    algorithms::Shift shift;          ///< against the reference
    double shift_x = 0, shift_y = 0;  ///< what is applied, px
    double jump_share =
        0;            ///< share of pixels more than 0.05 brighter or darker than the reference in all bands
    double jump = 0;  ///< median of that difference over bands
    std::string refused;               ///< reason, when the scene must not be used
    std::vector<std::string> against;  ///< ids of the scenes that say so
};

struct SceneCheckOptions {
    bool registration = true;
    double threshold = 0.2;  ///< px
    double max_shift = 3;    ///< px
};

/// Measures the shift against the reference in windows of the grid's lattice, several at once, of whose
/// pixels at least 70 % are usable in both scenes, and looks for a jump of all bands by about 0.1; reads only
/// those. A scene of which half of the tie points, at least five, agree on more than max_shift is misplaced
/// and refused; so is one with a band that holds one value everywhere. Deterministic.
[[nodiscard]] SceneReport check_scene(const engine::Scene& scene, const engine::Scene& reference,
                                      const Grid& grid, const SceneCheckOptions& options,
                                      const engine::Executor& executor);

/// What the scenes next in time say of one.
struct Accusation {
    std::string refused;               ///< reason, when the scene must not be used
    std::vector<std::string> against;  ///< ids of the scenes that say so
};

/// So many neighbours must differ alike before a scene is refused, while at most one agrees with it: of two
/// scenes that differ, either may be the wrong one.
constexpr std::size_t accusers = 3;

/// Looks for a jump of all bands by about 0.1 against the scenes next in time, nearest first: across seasons
/// the ground itself differs too much to tell, and the reference may be the wrong one. Mostly one band of two
/// of them decides. Deterministic.
[[nodiscard]] Accusation compare_with_neighbours(const engine::Scene& scene,
                                                 std::span<const engine::Scene* const> neighbours,
                                                 const Grid& grid, const engine::Executor& executor);

/// Where most scenes lie beside a reference it is the reference that is misplaced: refuses it. What it said
/// of the others is taken back by forgive_what_a_refused_reference_says.
void accuse_misplaced_references(std::span<SceneReport> reports);

/// Takes back what was refused on the word of a reference that is itself refused.
void forgive_what_a_refused_reference_says(std::span<SceneReport> reports);

[[nodiscard]] std::string report_text(const SceneReport& report);
/// Nothing when the text is no report.
[[nodiscard]] std::optional<SceneReport> report_from(const std::string& text);

[[nodiscard]] std::string accusation_text(const Accusation& accusation);
[[nodiscard]] std::optional<Accusation> accusation_from(const std::string& text);

}  // namespace shuibao::pipeline
