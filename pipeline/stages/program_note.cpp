// SPDX-License-Identifier: Apache-2.0
#include "program_note.hpp"

#include <shuibao/core/text.hpp>
#include <shuibao/io/vector.hpp>

namespace shuibao::pipeline {
namespace {

struct Marks {
    explicit Marks(const engine::Dictionary& deliverables)
        : before(deliverables.values("texts", "program_note").at(0)),
          behind(deliverables.values("texts", "program_note").at(1)) {}
    const std::string &before, &behind;
};

}  // namespace

std::string program_note(const engine::Dictionary& deliverables, const std::string& notice,
                         std::size_t bytes) {
    if (notice.empty()) return {};
    const Marks marks(deliverables);
    const auto room = bytes - marks.before.size() - marks.behind.size();
    return marks.before + io::cut_text(notice, room, "UTF-8") + marks.behind;
}

std::string without_program_note(const engine::Dictionary& deliverables, std::string note) {
    const Marks marks(deliverables);
    if (!note.starts_with(marks.before)) return note;
    const auto end = note.find(marks.behind, marks.before.size());
    return end == std::string::npos ? std::string() : trimmed(note.substr(end + marks.behind.size()));
}

}  // namespace shuibao::pipeline
