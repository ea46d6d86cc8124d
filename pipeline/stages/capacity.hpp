// SPDX-License-Identifier: Apache-2.0
// How many suspects people can visit: of the whole batch, of each county, of a county by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <shuibao/pipeline/stage.hpp>

namespace shuibao::pipeline {

void declare_capacity(OptionTable& table);

/// Lets cases pass in the order of their rank until the capacity is used up.
class Capacity {
  public:
    /// Throws Error(usage) for a number in rank.capacity_of that is none.
    explicit Capacity(const RunContext& context);
    [[nodiscard]] bool limited() const { return m_all > 0 || m_each > 0 || !m_of.empty(); }
    /// Whether the next suspect of the list goes out; then it counts. 0 by name means none of that county.
    [[nodiscard]] bool takes(const std::string& county);
    /// Names in rank.capacity_of that are none of these counties are problems, with the nearest name.
    void tell_unknown(RunContext& context, const std::set<std::string>& counties) const;

  private:
    std::int64_t m_all = 0, m_each = 0, m_taken = 0;
    std::map<std::string, std::int64_t> m_of, m_taken_of;
    std::string m_origin;
};

/// Counts in a disturbances.gpkg what was cut off by the capacity and tells it, per county, in the log and in
/// the notes of the run; nothing where no capacity is set.
void tell_cut_off(RunContext& context, const std::filesystem::path& ranked, const std::string& tier_none);

}  // namespace shuibao::pipeline
