// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>

#include <shuibao/core/date.hpp>

namespace shuibao {
namespace {

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

std::optional<std::int32_t> day_number(int y, int m, int d) {
    namespace c = std::chrono;
    const c::year_month_day ymd{c::year{y}, c::month{static_cast<unsigned>(m)},
                                c::day{static_cast<unsigned>(d)}};
    if (!ymd.ok()) return std::nullopt;
    return static_cast<std::int32_t>(c::sys_days{ymd}.time_since_epoch().count());
}

// Minutes after midnight UTC of the time part "hh:mm[:ss[.fff]](Z|±hh:mm)", may be negative or past 1440.
std::optional<int> utc_minutes(std::string_view t) {
    const auto h = digits(t, 0, 2), min = digits(t, 3, 2);
    if (!h || !min || t[2] != ':' || *h > 23 || *min > 59) return std::nullopt;
    std::size_t at = 5;
    if (at < t.size() && t[at] == ':') {
        const auto s = digits(t, at + 1, 2);
        if (!s || *s > 60) return std::nullopt;
        at += 3;
        if (at < t.size() && (t[at] == '.' || t[at] == ',')) {
            const std::size_t first = ++at;
            while (at < t.size() && t[at] >= '0' && t[at] <= '9') ++at;
            if (at == first) return std::nullopt;
        }
    }
    int minutes = *h * 60 + *min;
    if (at == t.size()) return minutes;  // no zone given: taken as UTC
    if ((t[at] == 'Z' || t[at] == 'z') && at + 1 == t.size()) return minutes;
    if (t[at] != '+' && t[at] != '-') return std::nullopt;
    const auto zh = digits(t, at + 1, 2), zm = digits(t, at + 4, 2);
    if (!zh || !zm || t[at + 3] != ':' || at + 6 != t.size() || *zh > 23 || *zm > 59) return std::nullopt;
    const int zone = *zh * 60 + *zm;
    return t[at] == '+' ? minutes - zone : minutes + zone;
}

}  // namespace

std::optional<Date> Date::parse(std::string_view text) {
    const auto y = digits(text, 0, 4);
    if (!y) return std::nullopt;
    if (text.size() == 8) {
        const auto m = digits(text, 4, 2), d = digits(text, 6, 2);
        if (!m || !d) return std::nullopt;
        const auto n = day_number(*y, *m, *d);
        return n ? std::optional(Date(*n)) : std::nullopt;
    }
    if (text.size() < 10 || (text[4] != '-' && text[4] != '/') || text[7] != text[4]) return std::nullopt;
    const auto m = digits(text, 5, 2), d = digits(text, 8, 2);
    if (!m || !d) return std::nullopt;
    auto n = day_number(*y, *m, *d);
    if (!n) return std::nullopt;
    if (text.size() > 10) {
        if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
        const auto minutes = utc_minutes(text.substr(11));
        if (!minutes) return std::nullopt;
        if (*minutes < 0) --*n;
        if (*minutes >= 1440) ++*n;
    }
    return Date(*n);
}

std::string Date::iso() const {
    const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{m_days}}};
    char text[24];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(ymd.year()),
                  static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()));
    return text;
}

std::string Date::compact() const {
    std::string text = iso();
    std::erase(text, '-');
    return text;
}

}  // namespace shuibao
