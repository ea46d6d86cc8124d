// SPDX-License-Identifier: Apache-2.0
#include "feedback_photos.hpp"

#include <cmath>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "feedback_columns.hpp"
#include <shuibao/core/error.hpp>
#include <shuibao/core/text.hpp>
#include <shuibao/io/photo.hpp>

namespace shuibao::pipeline {
namespace {
namespace fs = std::filesystem;

// m: whoever stood so far away looked at something else.
constexpr double farthest = 5000;

// Metres between two places less than a few degrees apart (sphere of 6 371 km).
double metres(Point a, Point b) {
    constexpr double degree = 111195;
    const double east = (a.x - b.x) * std::cos(a.y * 3.14159265358979 / 180);
    return degree * std::hypot(east, a.y - b.y);
}

FieldPhoto photograph(const std::string& number, const std::string& folder, const LedgerCase& known,
                      Point inside) {
    FieldPhoto photo{number, "", {}, {}};
    if (folder.empty()) return photo;
    if (number.find('/') != std::string::npos || number.starts_with("."))
        throw Refusal{"photo", fmt::format("'{}' is no number of a photograph.", number), "Correct ZPBH."};
    fs::path file;
    for (const char* end : {"", ".jpg", ".JPG", ".jpeg", ".png"}) {
        std::error_code error;
        if (file.empty() && fs::is_regular_file(fs::path(folder) / (number + end), error))
            file = fs::path(folder) / (number + end);
    }
    if (file.empty())
        throw Refusal{"photo", fmt::format("The photograph {} is not in {}.", number, folder),
                      "Send it along, or correct ZPBH."};
    photo.file = file.filename().string();
    try {
        const auto p = io::photo_place(file.string());
        photo.place = p.place;
        photo.azimuth = p.azimuth;
    } catch (const Error& e) {
        throw Refusal{"photo", e.what(), e.hint()};
    }
    if (photo.place && metres_beyond(*photo.place, known, inside))
        throw Refusal{"photo_far_away",
                      fmt::format("The photograph {} was taken {:.1f} km from case {}.", number,
                                  metres(*photo.place, inside) / 1000, known.id),
                      "Correct ZPBH or QDNM."};
    return photo;
}

}  // namespace

std::optional<double> metres_beyond(Point stood, const LedgerCase& known, Point inside) {
    const double far = metres(stood, inside) - std::sqrt(known.area);
    return far > farthest ? std::optional(far) : std::nullopt;
}

std::vector<FieldPhoto> photographs(const std::string& numbers, const std::string& folder,
                                    const LedgerCase& known, Point inside) {
    std::vector<FieldPhoto> photos;
    std::string number;
    const auto end = [&] {
        if (number = trimmed(number); !number.empty())
            photos.push_back(photograph(number, folder, known, inside));
        number.clear();
    };
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto here = std::string_view(numbers).substr(i);
        const std::size_t wide =
            here.starts_with("，") || here.starts_with("、") || here.starts_with("；") ? 3 : 0;
        if (wide > 0 || numbers[i] == ',' || numbers[i] == ';') {
            end();
            i += wide > 0 ? wide - 1 : 0;
        } else {
            number += numbers[i];
        }
    }
    end();
    return photos;
}

}  // namespace shuibao::pipeline
