"""A page with the built drift widget, and a real `DriftWidget` behind it that shows a fake report."""

from __future__ import annotations

from widget_page import WidgetPage

from aios_workbench.widgets.drift import DriftWidget
from aios_workbench.widgets.drift_answers import answer


class DriftPage(WidgetPage):
    """The drift widget on a page."""

    name = "drift"
    made = DriftWidget
    answers = staticmethod(answer)
    drawn = ".aiosw-tabs"
