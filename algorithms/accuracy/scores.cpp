// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <shuibao/algorithms/scores.hpp>

namespace shuibao::algorithms {

void Reliability::add(double confidence, bool hit) {
    auto& bin = m_bins[static_cast<std::size_t>(std::clamp(confidence * 10, 0.0, 9.0))];
    ++bin.n;
    bin.hits += hit ? 1 : 0;
    bin.sum += confidence;
    const double miss = confidence - (hit ? 1 : 0);
    m_squares += miss * miss;
    ++m_n;
}

}  // namespace shuibao::algorithms
