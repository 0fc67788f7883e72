"""An explanation as a widget."""

from __future__ import annotations

import threading
from typing import Any

import anywidget
import traitlets

from aios_workbench.widgets import explain_answers, explain_view
from aios_workbench.widgets.answers import Asked, variable
from aios_workbench.widgets.explain_protocol import ExplainPatch, ExplainView
from aios_workbench.widgets.explain_state import Looked
from aios_workbench.widgets.graph import answer_while_busy, bundle_text


class ExplainWidget(anywidget.AnyWidget):
    """An explanation: which columns count, why a row is predicted as it is, by SHAP and by LIME, with the checks.

    Parameters
    ----------
    explanation : Explanation
        What `aios.explain` gives.

    Examples
    --------
    >>> ExplainWidget(explanation)  # doctest: +SKIP
    """

    _esm = bundle_text("explain.js")
    _css = bundle_text("explain.css")
    #: Written by the kernel only. The picture is `explain`, plus `patch` when that has its `seq` as base.
    explain = traitlets.Dict().tag(sync=True)
    patch = traitlets.Dict().tag(sync=True)

    def __init__(self, explanation: Any, **kwargs: Any) -> None:
        self.target = explanation
        self.heard = False  # of a browser
        self.asked = Asked()
        #: The newest what-if that is being answered: a newer one ends it.
        self.wished: int | None = None
        self._guard = threading.RLock()
        self.looked = Looked(explanation, variable(explanation, "explanation"))
        self._view = explain_view.view(self.looked)
        self._base = self._view.seq
        super().__init__(explain=self._view.model_dump(mode="json"), **kwargs)
        answer_while_busy(self)
        self.on_msg(self._on_request)

    @property
    def state(self) -> ExplainView:
        """What a viewer sees now."""
        return self._view

    def refresh(self) -> None:
        """Send what changed. Safe on any thread."""
        with self._guard:
            pinned = self.looked.pinned
            if pinned == self._view.pinned:
                return
            self._view = self._view.model_copy(update={"seq": self._view.seq + 1, "pinned": pinned})
            news = ExplainPatch(base=self._base, seq=self._view.seq, pinned=pinned)
            self.patch = news.model_dump(mode="json")

    def _on_request(self, _: Any, content: Any, __: Any) -> None:
        self.heard = True
        explain_answers.receive(self, content)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        from aios_workbench.widgets import explain_picture

        data, metadata = bundle
        return {**data, **explain_picture.bundle(self.looked)}, metadata

    def __repr__(self) -> str:
        from aios_workbench.widgets import explain_picture

        return explain_picture.plain(self.looked) if hasattr(self, "looked") else super().__repr__()
