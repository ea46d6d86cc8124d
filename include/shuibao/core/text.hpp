// SPDX-License-Identifier: Apache-2.0
// Text from strangers made harmless: what a contractor typed is shown, and does nothing.
#pragma once

#include <string>
#include <string_view>

namespace shuibao {

/// One line of well-formed UTF-8: line breaks, tabs and their likes become one space; other control
/// characters, marks that turn the direction of what follows (U+202A…202E, U+2066…2069: text can be made to
/// read as another with them) and non-characters are left out; bytes that are no UTF-8 become U+FFFD. Text in
/// right-to-left scripts stays: its own letters give its direction. O(n).
[[nodiscard]] std::string plain_text(std::string_view text);

/// Whether all of it is well-formed UTF-8 (no overlong forms, no surrogates). O(n).
[[nodiscard]] bool is_utf8(std::string_view text);

/// Without blanks at both ends, the ideographic and the no-break one among them.
[[nodiscard]] std::string trimmed(std::string_view text);

/// plain_text with & < > " ' written as entities: for XML and HTML, as content and inside quoted attributes.
[[nodiscard]] std::string xml_text(std::string_view text);

}  // namespace shuibao
