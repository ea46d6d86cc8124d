// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include <cairo-pdf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <pango/pangocairo.h>
#include <unistd.h>

#include <shuibao/core/error.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/page.hpp>

namespace shuibao::io {
namespace {

struct FreeCairo {
    void operator()(cairo_t* c) const { cairo_destroy(c); }
    void operator()(cairo_surface_t* s) const { cairo_surface_destroy(s); }
    void operator()(PangoLayout* l) const { g_object_unref(l); }
    void operator()(PangoFontDescription* f) const { pango_font_description_free(f); }
};
using Cairo = std::unique_ptr<cairo_t, FreeCairo>;
using Surface = std::unique_ptr<cairo_surface_t, FreeCairo>;
using Layout = std::unique_ptr<PangoLayout, FreeCairo>;
using Font = std::unique_ptr<PangoFontDescription, FreeCairo>;

// Families that Debian packages for simplified Chinese. Fonts with TrueType outlines come first: cairo 1.16
// writes small subsets of them, and of Noto's CFF a megabyte into every page that uses certain characters.
constexpr const char* families =
    "WenQuanYi Micro Hei, WenQuanYi Zen Hei, Noto Sans CJK SC, Source Han Sans SC, Droid Sans Fallback, sans";
// Bold letters are printed twice, so far apart in sizes of the font: most Chinese fonts have one weight, and
// outlines would be ten times as long as the text.
constexpr double bold_shift = 0.035;

// Line ends and other control characters would break the frame of a form; half a character ends nothing.
std::string printable_text(const std::string& utf8) {
    std::string out;
    out.reserve(utf8.size());
    for (const char c : utf8) {
        const auto byte = static_cast<unsigned char>(c);
        out += (byte < 0x20 && c != '\n') || byte == 0x7F ? ' ' : c;
    }
    if (g_utf8_validate(out.data(), static_cast<gssize>(out.size()), nullptr) != 0) return out;
    const std::unique_ptr<char, decltype(&g_free)> made(
        g_utf8_make_valid(out.data(), static_cast<gssize>(out.size())), &g_free);
    return made.get();
}

}  // namespace

struct PageFile::Impl {
    AtomicOutput file;
    Surface surface;
    Cairo cairo;
    Layout layout;
    Font font{pango_font_description_from_string(families)};
    std::map<std::string, bool> shown;  // characters looked for in the fonts so far

    int descriptor = -1;
    int cause = 0;  // errno of the first write that failed: cairo does not tell
    std::filesystem::path target;
    std::string pending;

    explicit Impl(const std::filesystem::path& path) : file(path), target(path) {}
    ~Impl() {
        cairo.reset();
        surface.reset();  // may still write
        if (descriptor >= 0) ::close(descriptor);
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    static cairo_status_t write(void* self, const unsigned char* data, unsigned length) {
        auto& m = *static_cast<Impl*>(self);
        m.pending.append(reinterpret_cast<const char*>(data), length);
        constexpr std::size_t full = 1 << 16;  // cairo writes a few bytes at a time
        if (m.pending.size() >= full) m.flush();
        return m.cause == 0 ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
    }
    void flush() {
        for (std::size_t done = 0; done < pending.size() && cause == 0;) {
            const auto n = ::write(descriptor, pending.data() + done, pending.size() - done);
            if (n >= 0)
                done += static_cast<std::size_t>(n);
            else if (errno != EINTR)
                cause = errno;
        }
        pending.clear();
    }
    [[noreturn]] void fail(int error) const {
        throw Error(ErrorCode::failed,
                    fmt::format("Cannot write {}: {}.", target.string(), std::strerror(error)),
                    "Free some space, or choose another output folder.");
    }

    void ink(const Ink& i) const { cairo_set_source_rgba(cairo.get(), i.red, i.green, i.blue, i.opacity); }
    void path(std::span<const Point> points) const {
        cairo_new_path(cairo.get());
        for (const auto& p : points) cairo_line_to(cairo.get(), p.x, p.y);
    }
    // `width` in points; none: one line as long as it is.
    void set(double width, const std::string& utf8, const TextStyle& style) {
        pango_font_description_set_absolute_size(font.get(), style.size * PANGO_SCALE);
        pango_layout_set_font_description(layout.get(), font.get());
        pango_layout_set_width(layout.get(), width > 0 ? static_cast<int>(width * PANGO_SCALE) : -1);
        pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
        pango_layout_set_alignment(layout.get(), style.align == Align::left     ? PANGO_ALIGN_LEFT
                                                 : style.align == Align::centre ? PANGO_ALIGN_CENTER
                                                                                : PANGO_ALIGN_RIGHT);
        pango_layout_set_height(layout.get(), style.lines > 0 ? -style.lines : G_MININT);
        pango_layout_set_ellipsize(layout.get(),
                                   style.lines > 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
        const std::string clean = printable_text(utf8);
        pango_layout_set_text(layout.get(), clean.data(), static_cast<int>(clean.size()));
        if (pango_layout_get_unknown_glyphs_count(layout.get()) == 0) return;
        const std::string known = with_squares(clean);
        pango_layout_set_text(layout.get(), known.data(), static_cast<int>(known.size()));
    }
    // "□" for what no font has (emoji mostly), where pango would draw a box with the number of the character.
    std::string with_squares(const std::string& text) {
        std::string out;
        for (const char* at = text.c_str(); *at != 0;) {
            const char* next = g_utf8_next_char(at);
            const std::string one(at, next);
            at = next;
            auto it = shown.find(one);
            if (it == shown.end()) {
                pango_layout_set_text(layout.get(), one.data(), static_cast<int>(one.size()));
                it = shown.emplace(one, pango_layout_get_unknown_glyphs_count(layout.get()) == 0).first;
            }
            out += it->second ? one : "□";
        }
        return out;
    }
    void show(Point at, const TextStyle& style) const {
        ink(style.ink);
        cairo_move_to(cairo.get(), at.x, at.y);
        pango_cairo_show_layout(cairo.get(), layout.get());
        if (!style.bold) return;
        cairo_move_to(cairo.get(), at.x + style.size * bold_shift, at.y);
        pango_cairo_show_layout(cairo.get(), layout.get());
    }
    [[nodiscard]] std::pair<double, double> extent() const {
        int w = 0, h = 0;
        pango_layout_get_size(layout.get(), &w, &h);
        return {static_cast<double>(w) / PANGO_SCALE, static_cast<double>(h) / PANGO_SCALE};
    }
};

PageFile::PageFile(std::filesystem::path path, double width, double height, const PageInfo& info)
    : m_impl(std::make_unique<Impl>(path)) {
    auto& m = *m_impl;
    m.descriptor = ::open(m.file.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (m.descriptor < 0) m.fail(errno);
    m.surface.reset(cairo_pdf_surface_create_for_stream(&Impl::write, &m, width, height));
    cairo_pdf_surface_restrict_to_version(m.surface.get(), CAIRO_PDF_VERSION_1_5);
    const auto say = [&](cairo_pdf_metadata_t what, const std::string& text) {
        cairo_pdf_surface_set_metadata(m.surface.get(), what, printable_text(text).c_str());
    };
    say(CAIRO_PDF_METADATA_TITLE, info.title);
    say(CAIRO_PDF_METADATA_SUBJECT, info.subject);
    say(CAIRO_PDF_METADATA_AUTHOR, info.author);
    say(CAIRO_PDF_METADATA_CREATOR, "shuibao");
    say(CAIRO_PDF_METADATA_CREATE_DATE, info.date.iso() + "T00:00:00Z");
    m.cairo.reset(cairo_create(m.surface.get()));
    m.layout.reset(pango_cairo_create_layout(m.cairo.get()));
    auto* context = pango_layout_get_context(m.layout.get());
    pango_context_set_language(context, pango_language_from_string("zh-cn"));
    // Hinting is for screens; without it widths do not depend on the size.
    pango_context_set_round_glyph_positions(context, FALSE);
    m.set(0, "图斑", {});
    if (pango_layout_get_unknown_glyphs_count(m.layout.get()) > 0)
        // Not the end of a run: what needs no font is made all the same.
        throw Error(ErrorCode::input,
                    fmt::format("{} cannot be written: no installed font has Chinese characters.",
                                m.target.parent_path().string()),
                    "Install one, e.g. `apt-get install fonts-wqy-microhei`, or leave the format out "
                    "(export.formats).");
}

PageFile::~PageFile() = default;

void PageFile::next_page() {
    cairo_show_page(m_impl->cairo.get());
}

double PageFile::text(Point at, double width, const std::string& utf8, const TextStyle& style) {
    auto& m = *m_impl;
    m.set(width, utf8, style);
    m.show(at, style);
    return m.extent().second;
}

double PageFile::text_height(double width, const std::string& utf8, const TextStyle& style) {
    m_impl->set(width, utf8, style);
    return m_impl->extent().second;
}

double PageFile::text_width(const std::string& utf8, const TextStyle& style) {
    m_impl->set(0, utf8, style);
    return m_impl->extent().first;
}

void PageFile::label(Point at, const std::string& utf8, const TextStyle& style) {
    auto& m = *m_impl;
    m.set(0, utf8, style);
    const double width = m.extent().first,
                 baseline = static_cast<double>(pango_layout_get_baseline(m.layout.get())) / PANGO_SCALE;
    m.show({at.x - (style.align == Align::left     ? 0
                    : style.align == Align::centre ? width / 2
                                                   : width),
            at.y - baseline},
           style);
}

void PageFile::line(std::span<const Point> points, Ink ink, double width, bool dashed) {
    auto& m = *m_impl;
    m.path(points);
    m.ink(ink);
    cairo_set_line_width(m.cairo.get(), width);
    cairo_set_line_join(m.cairo.get(), CAIRO_LINE_JOIN_ROUND);
    constexpr std::array<double, 2> dashes = {4, 2.5};
    cairo_set_dash(m.cairo.get(), dashes.data(), dashed ? 2 : 0, 0);
    cairo_stroke(m.cairo.get());
}

void PageFile::area(std::span<const Point> points, Ink ink) {
    auto& m = *m_impl;
    m.path(points);
    cairo_close_path(m.cairo.get());
    m.ink(ink);
    cairo_fill(m.cairo.get());
}

void PageFile::box(double x, double y, double width, double height, Ink ink) {
    auto& m = *m_impl;
    cairo_new_path(m.cairo.get());
    cairo_rectangle(m.cairo.get(), x, y, width, height);
    m.ink(ink);
    cairo_fill(m.cairo.get());
}

void PageFile::disc(Point centre, double radius, Ink ink, bool filled) {
    auto& m = *m_impl;
    cairo_new_path(m.cairo.get());
    cairo_arc(m.cairo.get(), centre.x, centre.y, radius, 0, 2 * std::acos(-1.0));
    m.ink(ink);
    cairo_set_line_width(m.cairo.get(), 0.4);
    cairo_set_dash(m.cairo.get(), nullptr, 0, 0);
    if (filled)
        cairo_fill(m.cairo.get());
    else
        cairo_stroke(m.cairo.get());
}

void PageFile::picture(std::span<const std::uint8_t> jpeg, int cols, int rows, double x, double y,
                       double width, double height) {
    auto& m = *m_impl;
    // The JPEG itself goes into the file; the pixels of this surface are never looked at.
    const Surface image(cairo_image_surface_create(CAIRO_FORMAT_RGB24, cols, rows));
    auto* copy = static_cast<unsigned char*>(g_malloc(jpeg.size()));
    std::memcpy(copy, jpeg.data(), jpeg.size());
    cairo_surface_set_mime_data(image.get(), CAIRO_MIME_TYPE_JPEG, copy, jpeg.size(), g_free, copy);
    cairo_save(m.cairo.get());
    cairo_translate(m.cairo.get(), x, y);
    cairo_scale(m.cairo.get(), width / cols, height / rows);
    cairo_set_source_surface(m.cairo.get(), image.get(), 0, 0);
    cairo_paint(m.cairo.get());
    cairo_restore(m.cairo.get());
}

void PageFile::clip(double x, double y, double width, double height) {
    cairo_save(m_impl->cairo.get());
    cairo_new_path(m_impl->cairo.get());
    cairo_rectangle(m_impl->cairo.get(), x, y, width, height);
    cairo_clip(m_impl->cairo.get());
}

void PageFile::unclip() {
    cairo_restore(m_impl->cairo.get());
}

void PageFile::finish() {
    auto& m = *m_impl;
    cairo_show_page(m.cairo.get());
    auto status = cairo_status(m.cairo.get());
    m.layout.reset();
    m.cairo.reset();
    cairo_surface_finish(m.surface.get());
    if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(m.surface.get());
    m.surface.reset();
    m.flush();
    if (m.cause != 0) m.fail(m.cause);
    if (status != CAIRO_STATUS_SUCCESS)
        throw Error(ErrorCode::failed,
                    fmt::format("Cannot write {}: {}.", m.target.string(), cairo_status_to_string(status)),
                    "Free some memory and run the same command again.");
    ::close(std::exchange(m.descriptor, -1));
    m.file.commit();
}

}  // namespace shuibao::io
