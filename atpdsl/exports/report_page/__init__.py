"""The report as one offline page: data from a result, and the page that draws it."""

from atpdsl.exports.report_page.assemble import page

__all__ = ["page"]
