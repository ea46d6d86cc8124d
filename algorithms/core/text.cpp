// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>
#include <cstdint>

#include <shuibao/core/text.hpp>

namespace shuibao {
namespace {

constexpr std::uint32_t malformed = 0xFFFFFFFF;

// The character that begins at `at`, which moves behind it; behind one byte only where there is none. Follows
// the table of well-formed byte sequences of the Unicode Standard (3-7): no overlong forms, no surrogates.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    const std::uint32_t lead = byte(at);
    const int more = lead < 0x80   ? 0
                     : lead < 0xC2 ? -1
                     : lead < 0xE0 ? 1
                     : lead < 0xF0 ? 2
                     : lead < 0xF5 ? 3
                                   : -1;
    if (more < 0) return ++at, malformed;
    std::uint32_t c = more == 0 ? lead : lead & (0x3FU >> more);
    for (int i = 1; i <= more; ++i) {
        const auto b = byte(at + static_cast<std::size_t>(i));
        if ((b & 0xC0U) != 0x80) return ++at, malformed;
        c = (c << 6U) | (b & 0x3FU);
    }
    const bool overlong = (more == 2 && c < 0x800) || (more == 3 && c < 0x10000);
    if (overlong || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF) return ++at, malformed;
    at += static_cast<std::size_t>(more) + 1;
    return c;
}

bool is_break(std::uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_left_out(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || (c >= 0xFDD0 && c <= 0xFDEF) ||
           (c & 0xFFFEU) == 0xFFFE;
}

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();)
        if (next_character(text, at) == malformed) return false;
    return true;
}

std::string trimmed(std::string_view text) {
    constexpr std::array<std::string_view, 6> blanks = {" ", "\t", "\r", "\n", "\u3000", "\u00a0"};
    for (bool more = true; more;) {
        more = false;
        for (const auto blank : blanks) {
            if (text.starts_with(blank)) {
                text.remove_prefix(blank.size());
                more = true;
            }
            if (text.ends_with(blank)) {
                text.remove_suffix(blank.size());
                more = true;
            }
        }
    }
    return std::string(text);
}

std::string plain_text(std::string_view text) {
    std::string out;
    bool broken = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto begin = at;
        const auto c = next_character(text, at);
        if (c != malformed && is_break(c)) {
            broken = !out.empty();
            continue;
        }
        if (c != malformed && is_left_out(c)) continue;
        if (broken) out += ' ';
        broken = false;
        if (c == malformed)
            out += "\xEF\xBF\xBD";
        else
            out += text.substr(begin, at - begin);
    }
    return out;
}

std::string xml_text(std::string_view text) {
    std::string out;
    for (const char c : plain_text(text)) switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    return out;
}

}  // namespace shuibao
