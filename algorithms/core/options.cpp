// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <stdexcept>

#include <shuibao/core/options.hpp>

namespace shuibao {

Option number_option(const char* key, const char* fallback, const char* help, const char* unit, double min,
                     double max) {
    Option o;
    o.key = key;
    o.type = OptionType::number;
    o.fallback = fallback;
    o.help = help;
    o.unit = unit;
    o.min = min;
    o.max = max;
    return o;
}

OptionTable& OptionTable::add(Option option) {
    if (find(option.key) != nullptr) throw std::logic_error("option declared twice: " + option.key);
    if (option.long_name.empty()) {
        option.long_name = option.key.substr(option.key.rfind('.') + 1);
        std::replace(option.long_name.begin(), option.long_name.end(), '_', '-');
    }
    m_options.push_back(std::move(option));
    return *this;
}

const Option* OptionTable::find(std::string_view key) const {
    const auto it =
        std::find_if(m_options.begin(), m_options.end(), [&](const Option& o) { return o.key == key; });
    return it == m_options.end() ? nullptr : &*it;
}

std::string OptionTable::nearest(std::string_view key) const {
    std::vector<std::string> keys;
    for (const auto& o : m_options) keys.push_back(o.key);
    return nearest_of(key, keys);
}

int edit_distance(std::string_view a, std::string_view b) {
    // Optimal string alignment (Damerau 1964): insert, delete, replace, swap neighbours.
    std::vector<int> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[b.size()];
}

std::string nearest_of(std::string_view word, const std::vector<std::string>& candidates) {
    std::string best;
    int best_distance = std::max(1, static_cast<int>(word.size() / 3)) + 1;
    for (const auto& candidate : candidates)
        if (const int d = edit_distance(word, candidate); d < best_distance) {
            best = candidate;
            best_distance = d;
        }
    return best;
}

}  // namespace shuibao
