"""Exports: results in the formats that other programs open."""

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.formats import EXPORTERS
from atpdsl.exports.write import check_paths, export, exporter_for, save

__all__ = ["EXPORTERS", "Exporter", "check_paths", "export", "exporter_for", "save"]
