"""Exports: results in the formats that other programs open."""

from atpdsl.exports.choosing import every_exporter, exporter_called, exporter_for
from atpdsl.exports.exporter import Exporter
from atpdsl.exports.formats import EXPORTERS
from atpdsl.exports.write import check_paths, export, save

__all__ = [
    "EXPORTERS",
    "Exporter",
    "check_paths",
    "every_exporter",
    "export",
    "exporter_called",
    "exporter_for",
    "save",
]
