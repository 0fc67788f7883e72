"""A tuning as it runs, as a widget."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from aios_workbench.widgets import tuning_answers
from aios_workbench.widgets.answers import Asked, variable
from aios_workbench.widgets.graph import answer_while_busy, bundle_text
from aios_workbench.widgets.throttle import Throttle
from aios_workbench.widgets.tuning_protocol import TuningView
from aios_workbench.widgets.tuning_view import TuningDiffer
from aios_workbench.widgets.watch import UPDATE_SECONDS


class TuningWidget(anywidget.AnyWidget):
    """A tuning, live: the trade-off of recall, speed, memory and build time, and what to do with it.

    Parameters
    ----------
    tuning : Tuning
        What `aios.knn.tune` gives.

    Examples
    --------
    >>> TuningWidget(tuning)  # doctest: +SKIP
    """

    _esm = bundle_text("tuning.js")
    _css = bundle_text("tuning.css")
    #: Written by the kernel only. The picture is `tuning`, plus `patch` when that has its `seq` as base.
    tuning = traitlets.Dict().tag(sync=True)
    patch = traitlets.Dict().tag(sync=True)

    def __init__(self, tuning: Any, **kwargs: Any) -> None:
        self.target = tuning
        self.heard = False  # of a browser
        self.asked = Asked()
        self._guard = threading.RLock()
        self._differ = TuningDiffer(tuning, variable(tuning, "tuning"))
        super().__init__(tuning=self._differ.view.model_dump(mode="json"), **kwargs)
        answer_while_busy(self)
        self.on_msg(self._on_request)
        # The tuner tells of every batch it measures; a screen wants no more than it can draw.
        self._news = Throttle(self.refresh, UPDATE_SECONDS)
        self._undo: Callable[[], None] | None = tuning.on_change(lambda *_: self._news())
        self._news()

    @property
    def state(self) -> TuningView:
        """What a viewer sees now."""
        return self._differ.view

    def refresh(self) -> None:
        """Send what changed. Safe on any thread."""
        with self._guard:
            news = self._differ.update()
            if isinstance(news, TuningView):
                self.tuning = news.model_dump(mode="json")
            elif news is not None:
                self.patch = news.model_dump(mode="json")

    def close(self) -> None:
        """Stop following and take the widget off the page; the tuning goes on."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
            self._news.close()
        super().close()

    def _on_request(self, _: Any, content: Any, __: Any) -> None:
        self.heard = True
        tuning_answers.receive(self, content)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        from aios_workbench.widgets import tuning_picture

        data, metadata = bundle
        return {**data, **tuning_picture.bundle(self.state)}, metadata

    def __repr__(self) -> str:
        from aios_workbench.widgets import tuning_picture

        return tuning_picture.plain(self.state) if hasattr(self, "_differ") else super().__repr__()
