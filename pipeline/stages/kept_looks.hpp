// SPDX-License-Identifier: Apache-2.0
// Looks in memory, shown to a series detector as if they came one by one.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include <shuibao/algorithms/detector.hpp>

namespace shuibao::pipeline {

class KeptLooks final : public algorithms::LookSource {
  public:
    /// `bands`: in which the series is followed.
    explicit KeptLooks(std::vector<Band> bands) : m_bands(std::move(bands)) {}
    /// In time order.
    void add(Image image) {
        m_dates.push_back(image.date);
        m_images.push_back(std::move(image));
    }
    /// From now on there are the first `count` looks, of which the state holds the first `taken`.
    void show(std::size_t taken, std::size_t count) {
        m_taken = taken;
        m_count = count;
    }
    [[nodiscard]] std::span<const Date> dates() const override { return std::span(m_dates).first(m_count); }
    [[nodiscard]] std::span<const Band> bands() const override { return m_bands; }
    [[nodiscard]] std::size_t applied() const override { return m_taken; }
    [[nodiscard]] const Image& read(std::size_t i) override { return m_images[i]; }

    /// All that were added, shown or not.
    [[nodiscard]] const std::vector<Image>& images() const { return m_images; }
    [[nodiscard]] const std::vector<Date>& all_dates() const { return m_dates; }

  private:
    std::vector<Band> m_bands;
    std::vector<Image> m_images;
    std::vector<Date> m_dates;
    std::size_t m_taken = 0, m_count = 0;
};

}  // namespace shuibao::pipeline
