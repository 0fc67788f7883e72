"""A drift report as a widget."""

from __future__ import annotations

import threading
from typing import Any

import anywidget
import traitlets

from aios_workbench.widgets import drift_answers
from aios_workbench.widgets.answers import Asked, variable
from aios_workbench.widgets.drift_protocol import DriftView
from aios_workbench.widgets.drift_state import Looked
from aios_workbench.widgets.drift_view import DriftDiffer
from aios_workbench.widgets.graph import answer_while_busy, bundle_text


class DriftWidget(anywidget.AnyWidget):
    """A drift report: what drifted, how, since when, and what another threshold would say.

    Parameters
    ----------
    report : DriftReport
        What `aios.drift.compare` gives.

    Examples
    --------
    >>> DriftWidget(report)  # doctest: +SKIP
    """

    _esm = bundle_text("drift.js")
    _css = bundle_text("drift.css")
    #: Written by the kernel only. The picture is `drift`, plus `patch` when that has its `seq` as base.
    drift = traitlets.Dict().tag(sync=True)
    patch = traitlets.Dict().tag(sync=True)

    def __init__(self, report: Any, **kwargs: Any) -> None:
        self.target = report
        self.heard = False  # of a browser
        self.asked = Asked()
        self._guard = threading.RLock()
        self.looked = Looked(report, variable(report, "report"))
        self._differ = DriftDiffer(self.looked.view())
        super().__init__(drift=self.state.model_dump(mode="json"), **kwargs)
        answer_while_busy(self)
        self.on_msg(self._on_request)

    @property
    def state(self) -> DriftView:
        """What a viewer sees now."""
        return self._differ.view

    def refresh(self) -> None:
        """Send what changed. Safe on any thread."""
        with self._guard:
            seen = self.state
            now = self.looked.view(seen)
            news = self._differ.update(now, whole=now.slices != seen.slices)
            if isinstance(news, DriftView):
                self.drift = news.model_dump(mode="json")
            elif news is not None:
                self.patch = news.model_dump(mode="json")

    def _on_request(self, _: Any, content: Any, __: Any) -> None:
        self.heard = True
        drift_answers.receive(self, content)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        from aios_workbench.widgets import drift_picture

        data, metadata = bundle
        return {**data, **drift_picture.bundle(self.looked.report.data)}, metadata

    def __repr__(self) -> str:
        from aios_workbench.widgets import drift_picture

        return drift_picture.plain(self.looked.report.data) if hasattr(self, "looked") else super().__repr__()
