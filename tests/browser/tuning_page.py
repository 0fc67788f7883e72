"""A page with the built tuning widget, and a real `TuningWidget` behind it that shows a fake tuning."""

from __future__ import annotations

from widget_page import WidgetPage

from aios_workbench.widgets.tuning import TuningWidget
from aios_workbench.widgets.tuning_answers import answer


class TuningPage(WidgetPage):
    """The tuning widget on a page."""

    name = "tuning"
    made = TuningWidget
    answers = staticmethod(answer)
    drawn = ".aiosw-tun-scatter"
