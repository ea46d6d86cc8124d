// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>
#include <xlsxwriter.h>

#include <shuibao/core/error.hpp>
#include <shuibao/core/text.hpp>
#include <shuibao/io/atomic_output.hpp>
#include <shuibao/io/workbook.hpp>

namespace shuibao::io {
namespace {

constexpr std::size_t longest_text = 32767;      // characters a cell can hold, in UTF-16 units
constexpr std::int64_t a_fixed_day = 946684800;  // 2000-01-01: the library would write the time of the day

class Book {
  public:
    Book(const std::filesystem::path& path, const std::filesystem::path& file) : m_path(path) {
        m_book = workbook_new(file.c_str());
        if (m_book == nullptr) fail("no memory");
    }
    ~Book() {
        if (m_book != nullptr) lxw_workbook_free(m_book);
    }
    Book(const Book&) = delete;
    Book& operator=(const Book&) = delete;

    void title(std::string text) {
        lxw_doc_properties p{};
        p.title = text.data();
        p.created = a_fixed_day;
        check(workbook_set_properties(m_book, &p));
    }

    void add(const Sheet& sheet) {
        auto* ws = workbook_add_worksheet(m_book, sheet.name.c_str());
        if (ws == nullptr) fail(fmt::format("the sheet name '{}' cannot be", sheet.name));
        lxw_row_t row = 0;
        for (const auto& line : sheet.preface) {
            text(ws, row, 0, line, style({.bold = row == 0, .large = row == 0}));
            ++row;
        }
        for (const auto& table : sheet.tables) {
            if (row > 0) ++row;
            if (!table.title.empty()) text(ws, row++, 0, table.title, style({.bold = true}));
            const bool last = &table == &sheet.tables.back();
            fill(ws, row, table);
            if (last && sheet.ledger) {
                worksheet_freeze_panes(ws, row + 1, static_cast<lxw_col_t>(sheet.kept));
                check(worksheet_autofilter(ws, row, 0, row + static_cast<lxw_row_t>(table.rows.size()),
                                           static_cast<lxw_col_t>(columns_of(table) - 1)));
                worksheet_repeat_rows(ws, row, row);
            }
            row += static_cast<lxw_row_t>(table.rows.size()) + 1;
        }
        worksheet_set_landscape(ws);
        worksheet_set_paper(ws, 9);  // A4
        worksheet_fit_to_pages(ws, 1, 0);
    }

    void close() {
        auto* book = m_book;
        m_book = nullptr;
        check(workbook_close(book));
    }

  private:
    struct Look {
        bool bold = false, large = false, header = false, date = false, integer = false;
        int decimals = -1;
        std::uint32_t fill = 0;
        auto operator<=>(const Look&) const = default;
    };

    static lxw_col_t columns_of(const SheetTable& t) { return static_cast<lxw_col_t>(t.columns.size()); }

    [[noreturn]] void fail(const std::string& why) const {
        throw Error(
            ErrorCode::failed, fmt::format("Cannot write {}: {}.", m_path.string(), why),
            "Free some space there and in the folder of temporary files; run the same command again.");
    }
    void check(lxw_error code) const {
        if (code != LXW_NO_ERROR) fail(lxw_strerror(code));
    }

    lxw_format* style(const Look& look) {
        auto& f = m_styles[look];
        if (f != nullptr) return f;
        f = workbook_add_format(m_book);
        format_set_align(f, LXW_ALIGN_VERTICAL_TOP);
        if (look.bold || look.header) format_set_bold(f);
        if (look.large) format_set_font_size(f, 16);
        if (look.header) {
            format_set_bg_color(f, 0xDCE6F1);
            format_set_bottom(f, LXW_BORDER_THIN);
            format_set_text_wrap(f);
        }
        if (look.date) format_set_num_format(f, "yyyy-mm-dd");
        if (look.integer) format_set_num_format(f, "0");
        if (look.decimals >= 0)
            format_set_num_format(
                f, (look.decimals == 0 ? std::string("0")
                                       : "0." + std::string(static_cast<std::size_t>(look.decimals), '0'))
                       .c_str());
        if (look.fill != 0) {
            format_set_bg_color(f, look.fill);
            // ITU-R BT.601: what is darker than the middle grey is written on in white.
            const auto bright =
                299 * (look.fill >> 16U) + 587 * (look.fill >> 8U & 0xFFU) + 114 * (look.fill & 0xFFU);
            if (bright < 128 * 1000) format_set_font_color(f, LXW_COLOR_WHITE);
        }
        return f;
    }

    void text(lxw_worksheet* ws, lxw_row_t row, lxw_col_t col, const std::string& value,
              lxw_format* look) const {
        // Bytes of UTF-8 are never fewer than units of UTF-16.
        const auto plain = cut_text(plain_text(value), longest_text, "UTF-8");
        if (!plain.empty()) check(worksheet_write_string(ws, row, col, plain.c_str(), look));
    }

    void fill(lxw_worksheet* ws, lxw_row_t top, const SheetTable& table) {
        for (lxw_col_t k = 0; k < columns_of(table); ++k) {
            text(ws, top, k, table.columns[k].title, style({.header = true}));
            check(worksheet_set_column(ws, k, k, table.columns[k].width, nullptr));
        }
        for (lxw_col_t k = 0; k < columns_of(table); ++k)
            if (!table.columns[k].choices.empty() && !table.rows.empty())
                offer(ws, top + 1, top + static_cast<lxw_row_t>(table.rows.size()), k,
                      table.columns[k].choices);
        for (std::size_t r = 0; r < table.rows.size(); ++r)
            for (lxw_col_t k = 0; k < columns_of(table); ++k)
                cell(ws, top + 1 + static_cast<lxw_row_t>(r), k, table.columns[k], table.rows[r][k]);
    }

    void offer(lxw_worksheet* ws, lxw_row_t first, lxw_row_t last, lxw_col_t col,
               std::vector<std::string> choices) const {
        std::vector<char*> list;
        for (auto& c : choices) list.push_back(c.data());
        list.push_back(nullptr);
        lxw_data_validation v{};
        v.validate = LXW_VALIDATION_TYPE_LIST;
        v.value_list = list.data();
        check(worksheet_data_validation_range(ws, first, col, last, col, &v));
    }

    void cell(lxw_worksheet* ws, lxw_row_t row, lxw_col_t col, const SheetColumn& column,
              const Value& value) {
        if (const auto* n = std::get_if<std::int64_t>(&value)) {
            check(worksheet_write_number(ws, row, col, static_cast<double>(*n), style({.integer = true})));
        } else if (const auto* d = std::get_if<double>(&value)) {
            check(worksheet_write_number(ws, row, col, *d, style({.decimals = column.decimals})));
        } else if (const auto* day = std::get_if<Date>(&value)) {
            lxw_datetime when{};
            if (std::sscanf(day->iso().c_str(), "%d-%d-%d", &when.year, &when.month, &when.day) == 3)
                check(worksheet_write_datetime(ws, row, col, &when, style({.date = true})));
        } else if (const auto* s = std::get_if<std::string>(&value)) {
            const auto it = column.fills.find(*s);
            text(ws, row, col, *s, it == column.fills.end() ? style({}) : style({.fill = it->second}));
        }
    }

    std::filesystem::path m_path;
    lxw_workbook* m_book = nullptr;
    std::map<Look, lxw_format*> m_styles;  // the book owns them
};

}  // namespace

void write_workbook(const std::filesystem::path& path, const std::string& title,
                    std::span<const Sheet> sheets) {
    AtomicOutput out(path);
    {
        Book book(path, out.temporary());
        book.title(plain_text(title));
        for (const auto& sheet : sheets) book.add(sheet);
        book.close();
    }
    out.commit();
}

}  // namespace shuibao::io
