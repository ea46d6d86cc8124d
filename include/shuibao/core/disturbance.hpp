// SPDX-License-Identifier: Apache-2.0
// A disturbance (扰动图斑): one polygon of opened ground with what the images say of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <shuibao/core/change.hpp>
#include <shuibao/core/date.hpp>
#include <shuibao/core/polygon.hpp>

namespace shuibao {

/// Attributes that delineation gives; verdict and rank are added by later stages (verdict.hpp).
struct Disturbance {
    std::int64_t id = 0;                 ///< unique in its layer; order of the seeds' (row, col)
    std::string issuer_id;  ///< 图斑编号 under which somebody else sent it (QDNM); empty: ours
    MultiPolygon shape;                  ///< valid, in the CRS of the layer
    double area_m2 = 0;                  ///< geodesic, CGCS2000 ellipsoid
    std::optional<Date> onset_from;      ///< last day seen undisturbed
    std::optional<Date> onset_to;        ///< first day seen disturbed
    double confidence = 0;               ///< 0–1 that this is lasting, man-made disturbance
    double magnitude = 0;                ///< mean spectral change, null standard deviations
    ChangeKind kind = ChangeKind::none;  ///< most frequent kind of its pixels
    std::string qtype;                   ///< 扰动图斑类型 where known (digitised input), else empty
    std::string image_type;  ///< what images take it for (configs/objects/types.yaml); no 扰动图斑类型
    std::string image_type_zh;  ///< the same in a word for people
    std::string type_evidence;  ///< JSON: the rule that said so, or what spoke against each, and all measures
    std::string owner;          ///< 建设单位 where known, else empty
    std::string change_type;    ///< 扰动变化类型 where the layer states it, else empty
    std::string construction;   ///< 建设状态 where the layer states it, else empty
    std::string completion;     ///< how it ended (硬化, 植被恢复, 复耕), where stated
    std::optional<double> bare_share;     ///< 0–1, bare ground left in it, where the layer states it
    std::optional<double> tilled;         ///< 0–1, share that was tilled before, where a history tells
    bool vanished = false;                ///< the layer says that the next epoch shows it no more
    std::optional<double> ground_sample;  ///< m; absent for polygons that people digitised
    int full_pixels = 0;                  ///< whole pixels inside (reliability gate, rules §2)
    double core_share = 1;                ///< share of pixels left under a half-pixel inward buffer
};

}  // namespace shuibao
