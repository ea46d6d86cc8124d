// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cmath>

#include <shuibao/algorithms/figure.hpp>

namespace shuibao::algorithms {
namespace {

// Tenths of a pixel, without a trailing zero: the same text in any locale.
std::string number(double v) {
    std::array<char, 32> buffer{};
    const double rounded = std::round(v * 10) / 10;
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), rounded == 0 ? 0.0 : rounded);
    return {buffer.data(), end.ptr};
}

std::string colour(const Colour& c) {
    constexpr const char* digits = "0123456789abcdef";
    std::string out = "#";
    for (const std::uint8_t v : {c.red, c.green, c.blue}) {
        out += digits[v >> 4];
        out += digits[v & 15];
    }
    return out;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n')
            out += c;
    }
    return out;
}

std::string points_of(const std::vector<Point>& points) {
    std::string out;
    for (const auto& p : points) out += (out.empty() ? "" : " ") + number(p.x) + "," + number(p.y);
    return out;
}

struct Writer {
    std::string& out;

    void operator()(const FigureArea& a) const {
        out += "<polygon points=\"" + points_of(a.points) + "\" fill=\"" + colour(a.colour) + "\"";
        if (a.colour.opacity < 1) out += " fill-opacity=\"" + number(a.colour.opacity) + "\"";
        out += "/>\n";
    }
    void operator()(const FigureLine& l) const {
        out += "<polyline points=\"" + points_of(l.points) + "\" fill=\"none\" stroke=\"" + colour(l.colour) +
               "\" stroke-width=\"" + number(l.width) + "\"";
        if (l.dashed) out += " stroke-dasharray=\"6 4\"";
        out += "/>\n";
    }
    void operator()(const FigureDot& d) const {
        out += "<circle cx=\"" + number(d.centre.x) + "\" cy=\"" + number(d.centre.y) + "\" r=\"" +
               number(d.radius) + "\" ";
        out += d.filled ? "fill=\"" + colour(d.colour) + "\"/>\n"
                        : "fill=\"none\" stroke=\"" + colour(d.colour) + "\"/>\n";
    }
    void operator()(const FigureLabel& l) const {
        constexpr std::array<const char*, 3> anchors = {"start", "middle", "end"};
        out += "<text x=\"" + number(l.at.x) + "\" y=\"" + number(l.at.y) + "\" font-size=\"" +
               number(l.size) + "\" fill=\"" + colour(l.colour) + "\" text-anchor=\"" +
               anchors[static_cast<std::size_t>(l.anchor)] + "\"";
        if (l.bold) out += " font-weight=\"bold\"";
        const bool both = !l.chinese.empty() && !l.english.empty();
        out += ">" + escaped(l.chinese) + (both ? " " : "") + escaped(l.english) + "</text>\n";
    }
};

}  // namespace

double label_width(const FigureLabel& l) {
    const double narrow = l.bold ? 0.68 : 0.62;
    double width = l.chinese.empty() || l.english.empty() ? 0 : narrow;
    for (const auto* text : {&l.chinese, &l.english})
        for (const char c : *text) {
            const auto byte = static_cast<unsigned char>(c);
            width += byte < 0x80 ? narrow : byte >= 0xC0 ? 1 : 0;  // bytes that continue add nothing
        }
    return width * l.size;
}

std::string to_svg(const Figure& f) {
    const std::string w = std::to_string(f.width), h = std::to_string(f.height);
    std::string out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w +
        "\" height=\"" + h + "\" viewBox=\"0 0 " + w + " " + h +
        "\" font-family=\"Noto Sans CJK SC, Noto Sans, DejaVu Sans, sans-serif\">\n<title>" +
        escaped(f.title) + "</title>\n<rect width=\"" + w + "\" height=\"" + h + "\" fill=\"#ffffff\"/>\n";
    return out + svg_parts(f) + "</svg>\n";
}

std::string svg_parts(const Figure& f) {
    std::string out;
    for (const auto& part : f.parts) std::visit(Writer{out}, part);
    return out;
}

}  // namespace shuibao::algorithms
