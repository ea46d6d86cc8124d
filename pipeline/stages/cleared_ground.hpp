// SPDX-License-Identifier: Apache-2.0
// Ground that people looked at and hold nothing against (合规、非扰动、已销号): it counts in no sum that
// accuses others.
#pragma once

#include <string>
#include <vector>

#include "field_records.hpp"
#include <shuibao/io/box_index.hpp>
#include <shuibao/io/geometry.hpp>
#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

/// What people said before a batch is screened: of earlier batches by the ledger, of this one by the records
/// that came in since it was screened first.
class ClearedGround {
  public:
    /// Brings the ledger forward to the batch before. `crs`: of the shapes to be asked about.
    [[nodiscard]] static ClearedGround before(RunContext& context, const std::string& crs);

    /// A polygon of this batch, as it is numbered now. What people said of it stands for what they said of
    /// its ground before.
    struct Spot {
        const std::string& id;
        const io::Geometry& shape;
    };
    /// Tells the polygons of this batch that people spoke of. Once, before shapes are asked about.
    void meet(const std::vector<Spot>& spots);
    /// The part of a shape that counts. Reentrant.
    [[nodiscard]] io::Geometry without(const io::Geometry& shape) const;

    [[nodiscard]] bool empty() const { return m_before.empty() && m_said.empty(); }
    /// Of all that was said; empty where nothing was.
    [[nodiscard]] const std::string& hash() const { return m_hash; }

  private:
    struct Said {
        std::string spot;
        Point inside;  // EPSG:4490
        bool cleared = false;
    };
    ClearedGround(std::vector<io::Geometry> before, std::vector<Said> said, std::string crs);
    [[nodiscard]] static std::vector<Said> said_of(const std::vector<FieldRecord>& records);

    std::vector<io::Geometry> m_before;           // as the batch before left it
    std::vector<Said> m_said;                     // of this batch
    std::vector<io::Geometry> m_cleared, m_held;  // polygons of this batch
    io::BoxIndex m_before_index, m_cleared_index, m_held_index;
    std::string m_crs, m_hash;
};

}  // namespace shuibao::pipeline
