// SPDX-License-Identifier: Apache-2.0
// What the evidence page of one suspect says, before anybody lays it out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "case_past.hpp"
#include "chips.hpp"
#include "page_words.hpp"
#include "zones.hpp"
#include <shuibao/algorithms/figure.hpp>
#include <shuibao/io/picture.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {

struct EvidenceFact {
    std::string zh, en, value;
    std::string value_en = {};
    bool strong = false;  ///< what is judged first
};
struct ScoreLine {
    std::string item, value, points, basis, source;
};

struct EvidenceContent {
    std::string case_id, batch, county, rank, tier, tier_code, action, verdict, verdict_en, severity;
    std::vector<EvidenceFact> facts;
    std::vector<ScoreLine> score;
    std::string tier_reason;
    std::vector<std::string> articles, articles_en;
    std::string longitude, latitude;  ///< degrees CGCS2000, of a point inside
    std::string geo;                  ///< RFC 5870, what the QR code says
    io::QrCode code;
    std::string rule_set;
    ChipPair chips;
    std::optional<algorithms::Figure> outlines, locator_marks;  ///< over the chips, in their pixels
    std::optional<algorithms::Figure> series;
    std::string series_note;  ///< why there is none
};

/// What people read for the verdict of a row: theirs, where they have been there.
struct VerdictWords {
    std::string code;  ///< of the verdict, or "confirmed"
    std::string zh, en;
};
[[nodiscard]] VerdictWords verdict_words(const io::VectorFeature& row, const PageWords& words);
/// Why the program thought so, and what it noticed: nothing where people decided otherwise since, because
/// that is of a verdict that does not hold any more.
[[nodiscard]] std::string measured_text(const io::VectorFeature& row, const char* field,
                                        const CasePast* past);
/// "2023-11-11（已逾期）" with what is left to do until `today`; empty where nothing is due.
[[nodiscard]] std::string due_text(const io::VectorFeature& row, Date today);
/// Due before `today`.
[[nodiscard]] bool overdue(const io::VectorFeature& row, Date today);

/// Everything but pictures and series. `point` in degrees; `past` may be none.
[[nodiscard]] EvidenceContent evidence_content(const io::VectorFeature& row, Point point,
                                               const CasePast* past, const PageWords& words);

/// For scale bars: 1, 2 or 5 times a power of ten, not above `about` (m); and how it is written.
[[nodiscard]] double nice_length(double about);
[[nodiscard]] std::string length_text(double metres);
/// Outline of the disturbance (yellow) and of the ranges (red), scale bar and north arrow, in pixels of a
/// chip of cols × rows over `frame`.
[[nodiscard]] algorithms::Figure chip_outlines(const io::Geometry& shape,
                                               const std::vector<const io::Geometry*>& ranges,
                                               const Bounds& frame, int cols, int rows);
/// The frame of the chips in the locator, with borders and names of the counties (CRS of the frame) and
/// north.
[[nodiscard]] algorithms::Figure locator_marks(const ChipPair& chips, const std::vector<NamedArea>& counties);

/// The text of a field as pages may show it: no marks in it turn the direction of what follows.
[[nodiscard]] std::string plain_of(const io::VectorFeature& row, const std::string& field);
/// "2023-05-06": dates as people write them, whatever the driver gave.
[[nodiscard]] std::string day_text(const io::VectorFeature& row, const std::string& field);

[[nodiscard]] std::string evidence_html(const EvidenceContent& content, const PageWords& words);
/// Writes one page of A4. Throws Error as io::PageFile.
void write_evidence_pdf(const std::filesystem::path& path, const EvidenceContent& content,
                        const PageWords& words);

}  // namespace shuibao::pipeline
