"""Models behind an address: batches, memory, limits, retries."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aios_workbench.errors import ExplainInputError, ModelFailed
from aios_workbench.explain import endpoints
from aios_workbench.explain.endpoints import Endpoint
from aios_workbench.explain.entry import explain
from tests.explain.model_kit import numbers, table

X = numbers(table())


@pytest.fixture
def server() -> Iterator[Any]:
    """A server that takes MLflow's scoring protocol; it fails the first `failing` times."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            served.seen.append(dict(self.headers))
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["dataframe_split"]
            if served.failing:
                served.failing -= 1
                self.send_error(served.code)
                return
            frame = pd.DataFrame(sent["data"], columns=sent["columns"])
            body = json.dumps({"predictions": (frame["a"] * 2 + frame["c"]).tolist()}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    served: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.failing, served.code, served.seen = 0, 503, []
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


def address(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_port}/invocations"


def test_an_address_is_explained(server: Any) -> None:
    ex = explain(address(server), X.head(3), background=X, background_rows=20, lime=False, budget=30)
    assert ex.data.model.type == "endpoint"
    np.testing.assert_allclose(ex.values[:, 1], 0, atol=1e-9)
    np.testing.assert_allclose(ex.arrays.predictions[:, 0], X["a"].head(3) * 2 + X["c"].head(3))
    assert not ex.data.cached


def test_a_server_that_is_out_for_a_moment_is_asked_again(server: Any) -> None:
    server.failing = 2
    asked = Endpoint(address(server), headers={"Authorization": "Bearer x"})
    np.testing.assert_allclose(asked(X.head(2)), X["a"].head(2) * 2 + X["c"].head(2))
    assert asked.requests == 3
    assert server.seen[0]["Authorization"] == "Bearer x"


def test_what_cannot_get_better_is_told_at_once(server: Any) -> None:
    server.failing, server.code = 9, 401
    asked = Endpoint(address(server))
    with pytest.raises(ModelFailed, match="401"):
        asked(X.head(2))
    assert asked.requests == 1


def test_rows_are_asked_once_and_in_batches() -> None:
    sizes: list[int] = []

    def ask(frame: pd.DataFrame) -> Any:
        sizes.append(len(frame))
        return frame["a"]

    asked = Endpoint(ask, batch=100)
    twice = pd.concat([X, X])
    np.testing.assert_array_equal(asked(twice), twice["a"])
    assert sizes == [100, 100, 100, 100]
    asked(X)
    assert asked.rows == 400
    mixed = Endpoint(lambda f: [float(isinstance(v, str)) for v in f["v"]])
    assert mixed(pd.DataFrame({"v": [1, "1"]}, dtype=object)).tolist() == [0.0, 1.0]


def test_a_limit_of_rows_ends_the_explanation_with_what_is_there() -> None:
    asked = Endpoint(lambda f: np.sin(f.to_numpy() @ np.arange(1.0, 15.0)), most=20_000)
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 14)))
    ex = explain(asked, wide.head(3), background=wide, background_rows=30, tolerance=0.0005, budget=None)
    assert asked.rows <= 20_000
    assert ex.data.method.stopped == "budget"
    assert any("20,000" in n for n in ex.data.notes)


def test_failures_are_retried_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(endpoints.time, "sleep", waits.append)

    def broken(_: pd.DataFrame) -> Any:
        raise ConnectionError("nobody there")

    with pytest.raises(ModelFailed, match="failed 4 times"):
        Endpoint(broken)(X.head(1))
    assert waits == [0.1, 0.2, 0.4]
    with pytest.raises(ModelFailed, match="answered 1 predictions"):
        Endpoint(lambda _: [1.0])(X.head(2))


@pytest.mark.parametrize("wrong", [{"ask": "ftp://x"}, {"ask": abs, "batch": 0}, {"ask": abs, "most": 0}])
def test_what_is_no_endpoint_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ExplainInputError):
        Endpoint(**wrong)


def test_a_secret_in_the_address_is_not_told() -> None:
    assert Endpoint("https://user:secret@host/model?key=abc").__name__ == "host/model"
