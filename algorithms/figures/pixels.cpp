// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include <shuibao/algorithms/figure.hpp>

namespace shuibao::algorithms {
namespace {

constexpr int factor = 2;     // drawn twice as large, then averaged: strokes of letters look even
constexpr int sub_pixel = 4;  // bits behind the point of coordinates

struct Painter {
    cv::Mat& image;

    static cv::Scalar scalar(const Colour& c) { return {double(c.red), double(c.green), double(c.blue)}; }
    static cv::Point fixed(const Point& p) {
        const auto at = [](double v) {
            return static_cast<int>(std::lround(std::clamp(v, -4000.0, 20000.0) * factor * (1 << sub_pixel)));
        };
        return {at(p.x), at(p.y)};
    }
    static std::vector<cv::Point> fixed(const std::vector<Point>& points) {
        std::vector<cv::Point> out;
        for (const auto& p : points) out.push_back(fixed(p));
        return out;
    }

    void operator()(const FigureArea& a) const {
        const std::vector<std::vector<cv::Point>> rings = {fixed(a.points)};
        if (a.colour.opacity >= 1) {
            cv::fillPoly(image, rings, scalar(a.colour), cv::LINE_AA, sub_pixel);
            return;
        }
        cv::Mat over = image.clone();
        cv::fillPoly(over, rings, scalar(a.colour), cv::LINE_AA, sub_pixel);
        cv::addWeighted(over, a.colour.opacity, image, 1 - a.colour.opacity, 0, image);
    }
    void operator()(const FigureLine& l) const {
        const int width = std::max(1, static_cast<int>(std::lround(l.width * factor)));
        if (!l.dashed) {
            const std::vector<std::vector<cv::Point>> lines = {fixed(l.points)};
            cv::polylines(image, lines, false, scalar(l.colour), width, cv::LINE_AA, sub_pixel);
            return;
        }
        constexpr double on = 6, period = 10;
        double walked = 0;
        for (std::size_t i = 0; i + 1 < l.points.size(); ++i) {
            const Point a = l.points[i], b = l.points[i + 1];
            const double length = std::hypot(b.x - a.x, b.y - a.y);
            for (double t = 0; t < length;) {
                const double phase = std::fmod(walked + t, period);
                const double to = std::min(length, t + (phase < on ? on : period) - phase);
                const auto at = [&](double s) {
                    return fixed(Point{a.x + (b.x - a.x) * s / length, a.y + (b.y - a.y) * s / length});
                };
                if (phase < on)
                    cv::line(image, at(t), at(to), scalar(l.colour), width, cv::LINE_AA, sub_pixel);
                t = std::max(to, t + 1e-6);
            }
            walked += length;
        }
    }
    void operator()(const FigureDot& d) const {
        const int radius = static_cast<int>(std::lround(d.radius * factor * (1 << sub_pixel)));
        cv::circle(image, fixed(d.centre), radius, scalar(d.colour), d.filled ? cv::FILLED : factor,
                   cv::LINE_AA, sub_pixel);
    }
    void operator()(const FigureLabel& l) const {
        std::string text = l.english;
        for (char& c : text)
            if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = '?';
        // Capitals of this font are 21 steps high at scale 1, seven tenths of a font's height.
        const double scale = l.size * factor * 0.7 / 21;
        const int weight = l.bold ? 3 : 2;
        int below = 0;
        const auto box = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, weight, &below);
        const int shift = l.anchor == Anchor::start    ? 0
                          : l.anchor == Anchor::middle ? box.width / 2
                                                       : box.width;
        cv::putText(image, text,
                    {static_cast<int>(std::lround(l.at.x * factor)) - shift,
                     static_cast<int>(std::lround(l.at.y * factor))},
                    cv::FONT_HERSHEY_SIMPLEX, scale, scalar(l.colour), weight, cv::LINE_AA);
    }
};

}  // namespace

std::vector<std::uint8_t> to_pixels(const Figure& f) {
    const std::vector<std::uint8_t> white(
        static_cast<std::size_t>(f.width) * static_cast<std::size_t>(f.height) * 3, 255);
    return drawn_over(white, f);
}

std::vector<std::uint8_t> drawn_over(std::span<const std::uint8_t> rgb, const Figure& f) {
    cv::Mat image = cv::Mat(f.height, f.width, CV_8UC3, const_cast<std::uint8_t*>(rgb.data())).clone(), large;
    cv::resize(image, large, {}, factor, factor, cv::INTER_NEAREST);
    for (const auto& part : f.parts) std::visit(Painter{large}, part);
    cv::resize(large, image, {f.width, f.height}, 0, 0, cv::INTER_AREA);
    return {image.data, image.data + image.total() * image.elemSize()};
}

}  // namespace shuibao::algorithms
