"""Explain: which columns made a model predict what it predicts; SHAP and LIME side by side, checked.

The package is its main function, too: ``aios.explain(model, X)`` is `aios_workbench.explain.entry.explain`.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.explain.cards import ModelCard as ModelCard
    from aios_workbench.explain.cards import load_card as load_card
    from aios_workbench.explain.cards import model_card as model_card
    from aios_workbench.explain.entry import explain as explain
    from aios_workbench.explain.explanation import Explanation as Explanation
    from aios_workbench.explain.explanation import load as load
    from aios_workbench.explain.image import explain_image as explain_image
    from aios_workbench.explain.text import explain_text as explain_text

#: Public name -> module; each is imported when it is first used.
_HOMES = {
    "Explanation": "explanation",
    "ModelCard": "cards",
    "explain": "entry",
    "explain_image": "image",
    "explain_text": "text",
    "load": "explanation",
    "load_card": "cards",
    "model_card": "cards",
}

__all__ = ["Explanation", "ModelCard", "explain", "explain_image", "explain_text", "load", "model_card"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)


class _Package(types.ModuleType):
    """Lets ``aios.explain(model, X)`` be called although `aios_workbench.explain` is a package."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from aios_workbench.explain import entry

        return entry.explain(*args, **kwargs)

    def __reduce__(self) -> Any:
        # a step that names aios.explain travels with this module: cloudpickle knows plain ones only
        return (importlib.import_module, (self.__name__,))


sys.modules[__name__].__class__ = _Package
