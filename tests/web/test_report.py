# SPDX-License-Identifier: Apache-2.0
"""The report in a browser: filters, search, swipe, click to evidence, language, phone, no console error, no request."""
import os
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "cli"), str(Path(__file__).resolve().parent)]
import browser  # noqa: E402
import harness  # noqa: E402
import two_batches  # noqa: E402


@unittest.skipIf(browser.missing(), browser.missing())
class Report(harness.ArchiveTest):
    size, sites, seed = 400, 16, 5

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        _, cls.output, _ = cls.run_all("web", "--set", "export.formats=[evidence,report]")
        cls.url = (next((cls.output / "export").glob("report_*.html"))).as_uri()
        cls.driver = browser.open_browser(1440, 1000)

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        super().tearDownClass()

    def setUp(self):
        self.driver.get(self.url)

    def tearDown(self):
        self.assertEqual([], [e for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")])
        self.assertEqual([], browser.requests(self.driver))

    def js(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def found(self):
        return int(self.one("#found .zh").text.split()[0])

    def data(self):
        return self.js("return JSON.parse(document.getElementById('data').textContent)")

    def test_filters_and_search_narrow_the_list(self):
        suspects = self.data()["suspects"]
        self.assertEqual(len(suspects), self.found())
        self.one("#tiers input[value=high]").click()
        high = [s for s in suspects if s[2] == "high"]
        self.assertTrue(0 < len(high) < len(suspects))
        self.assertEqual(len(high), self.found())
        self.assertEqual(len(high), len(self.driver.find_elements("css selector", "#rows .row.high")))
        self.assertEqual([], self.driver.find_elements("css selector", "#rows .row.low"))
        self.one("#tiers input[value=high]").click()
        self.one("#verdicts input[value=exceeds]").click()
        self.assertEqual(len([s for s in suspects if s[3] == "exceeds"]), self.found())
        self.one("#verdicts input[value=exceeds]").click()
        self.one("#search").send_keys(suspects[1][0])
        self.assertEqual(1, self.found())
        self.one("#search").send_keys(" none such")
        self.assertEqual(0, self.found())

    def test_search_finds_projects_and_a_row_leads_to_its_evidence(self):
        row = next(s for s in self.data()["suspects"] if s[12])
        self.one("#search").send_keys(row[12])
        self.one("#rows .row").click()
        detail = self.one("#detail")
        self.assertIn(row[12], detail.text)
        self.assertIn(f"{row[15]:.6f}"[:6], detail.text)
        link = detail.find_element("css selector", "a").get_attribute("href")
        self.driver.get(link)
        self.assertIn("扰动图斑复核单", self.driver.page_source)
        loaded = self.js("return [...document.images].every(i => i.complete && i.naturalWidth > 100) ? document.images.length : 0")
        self.assertEqual(3, loaded)

    def test_a_click_on_the_map_chooses_the_suspect_under_it(self):
        suspect = max(self.data()["suspects"], key=lambda s: s[6])
        self.one("#search").send_keys(suspect[0])
        self.one("#rows .row").click()  # the map goes there
        self.js("document.getElementById('detail').hidden = true")
        box = self.one("#map").rect
        from selenium.webdriver import ActionChains
        # Beside the panel, where the map put it.
        ActionChains(self.driver).move_to_element_with_offset(self.one("#map"), -175, 0).click().perform()
        self.assertGreater(box["width"], 700)
        self.assertEqual(suspect[0], self.one("#detail h3").text)

    def seen(self, driver):
        """The chosen suspect lies in the window, and nothing over it."""
        return driver.execute_script("""const d = document.getElementById('detail'), b = d.getBoundingClientRect();
            const top = d.querySelector('h3').getBoundingClientRect();
            return !d.hidden && b.top >= 0 && b.bottom <= innerHeight && b.left >= 0 && b.right <= innerWidth && b.height > 100 &&
                d.contains(document.elementFromPoint(top.left + 20, top.top + top.height / 2));""")

    def test_what_was_chosen_is_seen_and_can_be_closed(self):
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys
        for width, height, phone in ((1440, 900, False), (1366, 768, False), (390, 844, True)):
            driver = browser.open_browser(width, height, phone=phone)
            self.addCleanup(driver.quit)
            driver.get(self.url)
            for row in (0, 2):
                driver.execute_script("document.getElementById('rows').scrollIntoView({ block: 'center' })")
                driver.execute_script("document.querySelectorAll('#rows .row')[arguments[0]].click()", row)
                self.assertTrue(self.seen(driver), f"{width}: row")
            driver.find_element("css selector", "#detail .close").click()
            self.assertFalse(self.seen(driver))
            driver.execute_script("document.querySelectorAll('#rows .row')[1].click(); document.getElementById('map').scrollIntoView({ block: 'center' });"
                                  "document.querySelector('#detail .close').click()")
            box = driver.execute_script("const s = document.getElementById('map').getBoundingClientRect(); return [s.width, s.height]")
            # The map put the suspect beside the panel.
            left = 0 if phone else -min(350, box[0] / 2) / 2
            ActionChains(driver).move_to_element_with_offset(driver.find_element("css selector", "#map"), int(left), 0).click().perform()
            self.assertTrue(self.seen(driver), f"{width}: map")
            self.assertEqual("detail", driver.execute_script("return document.activeElement.id"))
            driver.switch_to.active_element.send_keys(Keys.ESCAPE)
            self.assertEqual(["rows", True], driver.execute_script("return [document.activeElement.id, document.getElementById('detail').hidden]"))
            self.assertEqual([], [e for e in driver.get_log("browser") if e["level"] == "SEVERE"])

    def test_one_finger_scrolls_past_the_map(self):
        phone = browser.open_browser(390, 844, phone=True)
        self.addCleanup(phone.quit)
        phone.get(self.url)
        phone.execute_script("document.getElementById('map').scrollIntoView({ block: 'center' })")
        at, box = phone.execute_script("const b = document.getElementById('map').getBoundingClientRect(); return [scrollY, [b.left + b.width / 3, b.top + b.height / 2]]")
        browser.finger(phone, *box, up=250)
        self.assertGreater(phone.execute_script("return scrollY"), at + 150)
        self.assertTrue(phone.find_element("css selector", "#fingers").is_displayed())

    def test_the_line_itself_can_be_drawn_aside(self):
        from selenium.webdriver import ActionChains
        before = float(self.js("return document.getElementById('swipe').value"))
        ActionChains(self.driver).drag_and_drop_by_offset(self.one("#divider"), 200, 0).perform()
        width = self.one("#map").size["width"]
        self.assertAlmostEqual(before + 100 * 200 / width, float(self.js("return document.getElementById('swipe').value")), delta=2)

    def test_a_map_without_size_is_no_error(self):
        self.js("document.querySelector('.map-box').style.display = 'none'; dispatchEvent(new Event('resize'));"
                "const s = document.getElementById('search'); s.value = '2'; s.dispatchEvent(new Event('input'))")
        browser.drawn(self.driver)  # and tearDown looks at the log

    def test_the_map_shows_what_the_filters_leave(self):
        """Coloured pixels on the canvas: none when nothing is left, as many as before when all are back, whatever came between."""
        def coloured():
            browser.drawn(self.driver)
            # From a copy: the browser would complain of reading one that it draws on.
            return self.js("""const shown = document.querySelector('canvas.leaflet-layer'), c = document.createElement('canvas');
                c.width = shown.width; c.height = shown.height;
                const g = c.getContext('2d', { willReadFrequently: true }); g.drawImage(shown, 0, 0);
                const p = g.getImageData(0, 0, c.width, c.height).data; let n = 0;
                for (let i = 0; i < p.length; i += 4) n += p[i + 3] > 128; return n;""")

        zoom = "document.querySelector('.leaflet-control-zoom-%s').click();"
        self.js(zoom % "in" + zoom % "out")  # the first time moves the map by parts of a pixel
        all_of_them = coloured()
        self.assertGreater(all_of_them, 200)
        self.one("#search").send_keys("none such")
        self.assertEqual(0, coloured())
        self.js("""const s = document.getElementById('search'), zoom = w => document.querySelector('.leaflet-control-zoom-' + w).click();
            for (const text of ['a', 'none', '']) { s.value = text; s.dispatchEvent(new Event('input')); zoom('in'); zoom('out'); }""")
        self.assertEqual(all_of_them, coloured())

    def test_the_divider_hides_the_later_picture_on_its_left(self):
        def clip():
            return [float(v.strip("px, ")) for v in self.js("return document.querySelector('.leaflet-after-pane').style.clip")[5:-1].split()]

        top, right, bottom, left = clip()
        self.js("const s = document.getElementById('swipe'); s.value = 90; s.dispatchEvent(new Event('input'))")
        moved = clip()
        self.assertEqual([top, right, bottom], moved[:3])
        width = self.one("#map").size["width"]
        self.assertAlmostEqual(0.4 * width, moved[3] - left, delta=2)
        pictures = self.js("return [...document.querySelectorAll('.leaflet-image-layer')].map(i => [i.alt, i.naturalWidth])")
        self.assertEqual(["after", "before"], sorted(p[0] for p in pictures))
        self.assertTrue(all(w >= 390 for _, w in pictures), pictures)
        from selenium.webdriver.common.keys import Keys
        self.one("#swipe").send_keys(Keys.ARROW_LEFT)  # with the keyboard as well
        self.assertLess(clip()[3], moved[3])

    def test_one_switch_for_both_languages(self):
        button = self.one("#language")
        self.assertIn("水土保持遥感监管报告", self.one("h1").text)
        button.click()
        self.assertEqual("Remote sensing supervision report", self.one("h1").text)
        self.assertEqual("en", self.js("return document.documentElement.lang"))
        self.assertIn("Remote sensing supervision report", self.driver.title)
        self.one("#rows .row").click()
        detail = self.js("return [...document.querySelectorAll('#detail dt, #detail dd')].map(e => e.innerText).join(' | ')")
        named = [self.data()["suspects"][0][i] for i in (12, 13)] + self.data()["counties"]
        for name in named:
            detail = detail.replace(name, "") if name else detail
        self.assertNotRegex(detail, "[\u4e00-\u9fff]")
        self.assertIn(" ha", detail)
        self.assertNotIn("hm²", self.one("main").text)
        visible = self.one("main").text
        for word in ("By tier", "not observed", "Problems of the run", "suspects"):
            self.assertIn(word, visible)
        self.assertNotIn("按等级", visible)
        self.one("#language").click()
        self.assertIn("按等级", self.one("main").text)

    def test_keyboard_and_names_for_those_who_cannot_see(self):
        from selenium.webdriver.common.keys import Keys
        self.one("#rows").send_keys(Keys.ARROW_DOWN)
        self.assertEqual(self.data()["suspects"][0][0], self.one("#detail h3").text)
        self.one("#rows").send_keys(Keys.ARROW_DOWN)
        self.assertEqual(self.data()["suspects"][1][0], self.one("#detail h3").text)
        nameless = self.js("""return [...document.querySelectorAll('button, input, select, a')].filter(e =>
            !(e.textContent.trim() || e.getAttribute('aria-label') || e.title || e.closest('label')?.textContent.trim())).map(e => e.outerHTML)""")
        self.assertEqual([], nameless)

    def test_a_phone_shows_all_of_it_without_scrolling_sideways(self):
        phone = browser.open_browser(390, 844, phone=True)
        try:
            phone.get(self.url)
            wide = phone.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
            self.assertEqual([390, 390], wide)
            small = phone.execute_script("""return [...document.querySelectorAll('button, select, input[type=search], .chip')]
                .map(e => e.getBoundingClientRect()).filter(r => r.height && r.height < 28).length""")
            self.assertEqual(0, small, "something is too small for a finger")
            self.assertEqual([], [e for e in phone.get_log("browser") if e["level"] == "SEVERE"])
        finally:
            phone.quit()

    def test_it_prints_with_its_list(self):
        import base64
        pdf = base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
        self.assertTrue(pdf.startswith(b"%PDF"))
        # The whole map is of one date, which stands below it; the screen has its line back.
        self.assertEqual("50", self.js("return document.getElementById('swipe').value"))
        rows = self.js("return document.querySelectorAll('#printed tbody tr').length")
        self.assertEqual(len(self.data()["suspects"]), rows)


@unittest.skipIf(browser.missing(), browser.missing())
class TwoBatches(unittest.TestCase):
    """A city with counties, a batch before and field results: what the first class has not (tests/support/two_batches.py)."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="shuibao_test_")
        cls.base = Path(cls.folder.name) / "city"
        cls.output = two_batches.make(harness.SHUIBAO, cls.base, size=500, sites=30, options=("--set", "export.formats=[evidence,report]"))
        cls.url = (next((cls.output / "export").glob("report_*.html"))).as_uri()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def opened(self, url, width, phone=False):
        driver = browser.open_browser(width, 844, phone=phone)
        self.addCleanup(driver.quit)
        driver.get(url)
        return driver

    def clean(self, driver):
        self.assertEqual([], [e for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")])
        self.assertEqual([], browser.requests(driver))

    def test_no_language_shows_through_the_other(self):
        """In Chinese no English word but units, codes and what the data says; in English no Chinese but what the data says."""
        driver = self.opened(self.url, 1440)
        driver.execute_script("document.querySelector('#rows .row').click()")
        ours = re.compile(r"hm|CRS|EPSG|CGCS|shuibao|run|json|simulated|English|approvals\.shp|RDTB\S+\.html|[A-F0-9a-f]{6,}")
        visible = driver.find_element("css selector", "body").text
        self.assertEqual([], [w for w in re.findall(r"[A-Za-z]{3,}", ours.sub("", visible))])
        driver.find_element("css selector", "#language").click()
        for part in ("header", "#totals", "#filters fieldset", ".legend"):
            text = driver.find_element("css selector", part).text.replace("中文", "")
            self.assertNotRegex(text, "[\u4e00-\u9fff]", part)
        heads = driver.execute_script("return [...document.querySelectorAll('h2, h3, thead th')].map(e => e.innerText).join(' ')")
        self.assertNotRegex(heads, "[\u4e00-\u9fff]")
        self.clean(driver)

    def test_comparison_and_hit_rates_are_read_on_a_phone(self):
        driver = self.opened(self.url, 390, phone=True)
        self.assertEqual([390, 390], driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]"))
        for word in ("新增", "续建（范围扩大）", "完工", "现场复核命中率"):
            self.assertIn(word, driver.find_element("css selector", "main").text)
        # No cell broken into a column of single characters, and the rate itself is seen without scrolling.
        tall = driver.execute_script("return [...document.querySelectorAll('.wide tbody tr')].filter(r => r.offsetHeight > 60).length")
        self.assertEqual(0, tall)
        right = driver.execute_script("return Math.max(...[...document.querySelectorAll('#hits td:last-child')].map(e => e.getBoundingClientRect().right))")
        self.assertLessEqual(right, 390)
        self.clean(driver)

    def test_county_borders_are_drawn(self):
        """White of the line on the canvas of outlines where two counties meet, none before there were borders."""
        driver = self.opened(self.url, 1440)
        self.assertTrue(driver.find_element("css selector", "#borders").is_displayed())
        browser.drawn(driver)
        white = driver.execute_script("""const c = document.querySelector('canvas.leaflet-layer'), g = c.getContext('2d');
            const p = g.getImageData(0, 0, c.width, c.height).data; let n = 0;
            for (let i = 0; i < p.length; i += 4) n += p[i] > 240 && p[i + 1] > 240 && p[i + 2] > 240 && p[i + 3] > 200; return n;""")
        self.assertGreater(white, 600)
        self.clean(driver)

    def test_an_evidence_page_takes_one_sheet(self):
        driver = self.opened(self.url, 1440)
        for page in sorted((self.output / "export").glob("*/evidence/*.html")):
            driver.get(page.as_uri())
            self.assertEqual(1, browser.pages_on_paper(driver), page.name)

    def test_no_word_and_no_date_is_broken_in_english_on_a_phone(self):
        driver = self.opened(self.url, 390, phone=True)
        driver.find_element("css selector", "#language").click()
        broken = driver.execute_script("""const bad = [];
            for (const e of document.querySelectorAll('#hits th, #hits td, #comparison th, #comparison td, .day')) {
                const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
                for (let n = walk.nextNode(); n; n = walk.nextNode()) {
                    for (const m of n.data.matchAll(/[A-Za-z]+|\\d{4}-\\d\\d-\\d\\d/g)) {
                        const r = document.createRange(); r.setStart(n, m.index); r.setEnd(n, m.index + m[0].length);
                        if (r.getClientRects().length > 1) bad.push(m[0]);
                    }
                }
            }
            return bad;""")
        self.assertEqual([], broken)

    def test_an_evidence_page_on_a_phone(self):
        page = sorted((self.output / "export").glob("*/evidence/*.html"))[0]
        driver = self.opened(page.as_uri(), 390, phone=True)
        self.assertEqual([390, 390], driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]"))
        text = driver.find_element("css selector", "main").text
        for word in ("扰动图斑复核单", "为什么在名单上", "现场复核", "影像看不出"):
            self.assertIn(word, text)
        self.assertNotIn("evidence for a field check", text)
        self.clean(driver)


if __name__ == "__main__":
    os.environ.setdefault("SE_OFFLINE", "true")
    harness.main()
