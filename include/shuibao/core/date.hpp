// SPDX-License-Identifier: Apache-2.0
// Calendar days: the only notion of time that tiles, changes and verdicts know.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shuibao {

/// A day of the proleptic Gregorian calendar in UTC, counted from 1970-01-01.
class Date {
  public:
    constexpr Date() = default;
    constexpr explicit Date(std::int32_t days_since_1970) : m_days(days_since_1970) {}

    /// Accepts `YYYY-MM-DD`, `YYYY/MM/DD`, `YYYYMMDD` and RFC 3339 date-times (an offset is applied, so the
    /// day is the UTC day). Anything else, and days that do not exist, give nothing.
    static std::optional<Date> parse(std::string_view text);

    [[nodiscard]] constexpr std::int32_t days() const { return m_days; }
    [[nodiscard]] std::string iso() const;      ///< `YYYY-MM-DD`
    [[nodiscard]] std::string compact() const;  ///< `YYYYMMDD`

    constexpr auto operator<=>(const Date&) const = default;

  private:
    std::int32_t m_days = 0;
};

}  // namespace shuibao
