"""A document of pages: title, headings, paragraphs, facts, and rows of which the first cell is narrow."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from itsm.pdf.fonts import (
    WEIGHTS,
    drawable,
    is_right_to_left,
    main_font,
    main_letters,
    needs_shaping,
    pieces,
    runs,
    tidy,
    wide_font,
    wide_letters,
)

MAIN, WIDE = "main", "wide"
MARGIN = 18.0
INK, SOFT, LINE = (24, 27, 33), (95, 102, 115), (214, 218, 225)
BODY, SMALL = 10.0, 8.5


class Paper:
    """What is written on it stands below what was written before; a page that is full is followed by another.

    Every page has `head` and `mark` (how far it may go) above, `foot` and its number below.
    """

    def __init__(self, *, title: str, head: str, mark: str, foot: str) -> None:
        self._pdf = _Pages(format="A4")
        for style, weight in zip(("", "B"), WEIGHTS, strict=True):
            self._pdf.add_font(MAIN, style, str(main_font(weight)))
        self._pdf.set_margin(MARGIN)
        self._pdf.set_auto_page_break(True, margin=MARGIN + 4)
        self._is_wide = False
        self._pdf.head, self._pdf.mark, self._pdf.foot = self._clean(head), self._clean(mark), self._clean(foot)
        self._pdf.set_title(tidy(title))
        self._pdf.set_lang(get_language() or "en")
        self._pdf.add_page()

    def title(self, above: str, text: str, below: str = "") -> None:
        """Write the title, with what kind of document it is above and how it stands below."""
        self._write(above.upper(), size=SMALL, style="B", colour=SOFT)
        self._pdf.ln(1)
        self._write(text, size=18, style="B")
        if below:
            self._pdf.ln(1)
            self._write(below, colour=SOFT)
        self._pdf.ln(3)

    def heading(self, text: str) -> None:
        """Write a heading; it never stands alone at the end of a page."""
        if self._pdf.will_page_break(24):
            self._pdf.add_page()
        self._pdf.ln(4)
        self._write(text, size=13, style="B")
        self._pdf.set_draw_color(*LINE)
        self._pdf.line(MARGIN, self._pdf.get_y() + 1, self._pdf.w - MARGIN, self._pdf.get_y() + 1)
        self._pdf.ln(3.5)

    def paragraph(self, text: str, *, soft: bool = False) -> None:
        """Write text as it is, its lines and empty lines kept."""
        for line in tidy(text).split("\n"):
            if line.strip():
                self._write(line, colour=SOFT if soft else INK)
            else:
                self._pdf.ln(2.5)
        self._pdf.ln(1.5)

    def rows(self, rows: Iterable[tuple[str, str, str]], *, narrow: float = 50.0) -> None:
        """Write rows of a narrow soft cell (a label, a time), text, and soft small words below the text."""
        pdf = self._pdf
        for label, text, below in rows:
            if pdf.will_page_break(16):  # a label has no more than three lines, so it stays on its page
                pdf.add_page()
            top, page = pdf.get_y(), pdf.page
            pdf.set_right_margin(pdf.w - MARGIN - narrow + 3)
            self._write(label, size=SMALL + 0.5, colour=SOFT)
            pdf.set_right_margin(MARGIN)
            end = pdf.get_y()
            pdf.set_left_margin(MARGIN + narrow)
            pdf.set_xy(MARGIN + narrow, top)
            for line in tidy(text).split("\n"):
                self._write(line)
            if below:
                self._write(below, size=SMALL, colour=SOFT)
            pdf.set_left_margin(MARGIN)
            pdf.set_xy(MARGIN, max(pdf.get_y(), end) if pdf.page == page else pdf.get_y())
            pdf.ln(1.8)

    def content(self) -> bytes:
        """Return the document's bytes."""
        return bytes(self._pdf.output())

    def _write(self, text: str, *, size: float = BODY, style: str = "", colour: tuple[int, int, int] = INK) -> None:
        pdf, shown = self._pdf, self._clean(text)
        pdf.set_text_color(*colour)
        if self._is_wide and any(is_wide for is_wide, _run in runs(shown)):
            pdf.write_runs(shown, size, style)
            pdf.ln(size * 0.5)
            return
        is_shaped, align = needs_shaping(shown), "R" if is_right_to_left(shown) else "L"
        pdf.set_text_shaping(is_shaped)
        pdf.set_font(MAIN, style, size)
        for piece in pieces(shown) if is_shaped else [shown]:
            pdf.multi_cell(0, size * 0.5, piece, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _clean(self, text: str) -> str:
        """Return what can be drawn; the font for Chinese, Japanese and Korean is only read when it is needed."""
        plain = tidy(str(text))
        if all(ord(one) in main_letters() or one == "\n" for one in plain):
            return plain
        shown = drawable(plain, main_letters(), wide_letters())
        if not self._is_wide and any(is_wide for is_wide, _run in runs(shown)):
            self._pdf.add_font(WIDE, "", str(wide_font()))
            self._is_wide = True
        return shown


class _Pages(FPDF):
    """The library's pages with what stands above and below on each of them."""

    head = mark = foot = ""

    def header(self) -> None:
        """Write what stands above; the library calls this."""
        self._line(self.t_margin - 8, self.head, self.mark)
        self.set_y(self.t_margin)

    def footer(self) -> None:
        """Write what stands below; the library calls this."""
        number = _("Page %(page)d of %(pages)s") % {"page": self.page_no(), "pages": "{nb}"}
        self._line(self.h - MARGIN + 2, self.foot, number)

    def write_runs(self, text: str, size: float, style: str) -> None:
        """Write text of both fonts from where the pen is. (The library's own way to fall back on another font leaves
        that one in force for what follows, when a line begins with it.)"""
        for is_wide, run in runs(text):
            self.set_font(WIDE if is_wide else MAIN, "" if is_wide else style, size)
            is_shaped = needs_shaping(run)
            self.set_text_shaping(is_shaped)
            for piece in pieces(run) if is_shaped else [run]:
                self.write(size * 0.5, piece)

    def _line(self, top: float, left: str, right: str) -> None:
        margins = (self.l_margin, self.r_margin)
        self.set_left_margin(MARGIN)
        self.set_right_margin(MARGIN)
        self.set_text_color(*SOFT)
        self.set_xy(MARGIN, top)
        self.write_runs(left, SMALL - 1, "")
        self.set_font(MAIN, "", SMALL - 1)
        self.set_text_shaping(False)
        self.set_xy(self.w - MARGIN - 60, top)
        self.cell(60, (SMALL - 1) * 0.5, right, align="R")
        self.set_left_margin(margins[0])
        self.set_right_margin(margins[1])
