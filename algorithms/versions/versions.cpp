// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>
#include <opencv2/core/utility.hpp>

#include <shuibao/algorithms/versions.hpp>

namespace shuibao::algorithms {

std::string library_versions() {
    const auto part = [](int number) { return std::to_string(number); };
    return "OpenCV " + std::string(cv::getVersionString()) + ", Eigen " + part(EIGEN_WORLD_VERSION) + "." +
           part(EIGEN_MAJOR_VERSION) + "." + part(EIGEN_MINOR_VERSION);
}

}  // namespace shuibao::algorithms
