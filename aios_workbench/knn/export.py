"""A tuned index in the words of another system: the nearest thing it has, and what does not carry over.

Nothing here was measured in the other system. Graphs carry over well (M, efConstruction and ef mean the same in all of
them), lists carry over to Milvus and pgvector; codecs are each system's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aios_workbench.errors import ParameterError, hint
from aios_workbench.knn.models import Params, Problem

#: what systems take where the tuned index has no such parameter
_DEGREE, _CONSTRUCTION, _EF, _NPROBE = 16, 200, 64, 8
_MEASURED = "Recall and speed were measured with faiss, not there: measure again."


def export(
    params: Params,
    system: str,
    problem: Problem,
    *,
    table: str = "vectors",
    column: str = "_aios_vector",
) -> dict[str, Any]:
    """Return what makes the nearest index in another system.

    Parameters
    ----------
    params : Params
        Of a measured point.
    system : {"milvus", "pgvector", "qdrant", "weaviate", "pinecone"}
    problem : Problem
        Dimensions, metric and `k` of the tuning.
    table, column : str
        Of PostgreSQL; those of our own store when left away.

    Returns
    -------
    dict
        `system`; `index` (or `sql`, `collection`, `class`: what makes the index), `search` (what a query says) and
        `notes`, sentences on what does not carry over. Stores take the parts as options: `open_store("milvus://…",
        index=made["index"], search=made["search"])`, `open_store("postgresql://…", settings=made["search"])`,
        `open_store("qdrant://…", config=made["collection"], search=made["search"])`,
        `open_store("weaviate://…", config=made["class"])`.

    Raises
    ------
    ParameterError
        When there is no such system.

    Examples
    --------
    >>> problem = Problem(fingerprint="", source="", rows=9000, dimensions=64, k=10, metric="l2", tuning_queries=0,
    ...     held_out_queries=0, queries_given=False, budget_seconds=1, threads=1, seed=0, machine="")
    >>> made = export(Params(family="ivf", nlist=128, nprobe=12), "pgvector", problem)
    >>> made["sql"], made["search"]
    (['CREATE INDEX ON vectors USING ivfflat (_aios_vector vector_l2_ops) WITH (lists = 128)'], {'ivfflat.probes': 12})
    """
    if system == "pgvector":
        return {"system": system, **_pgvector(params, problem, table, column)}
    if system not in _WAYS:
        known = [*_WAYS, "pgvector"]
        raise ParameterError(
            f"cannot export to {system!r}{hint(system, known)}; there are {', '.join(sorted(known))}"
        )
    return {"system": system, **_WAYS[system](params, problem)}


# ---------------------------------------------------------------- what all of them ask


def _ef(params: Params, problem: Problem) -> int:
    """`ef` is at least k everywhere; faiss sees to that itself."""
    return max(params.ef_search or _EF, problem.k)


def _graph(params: Params) -> tuple[int, int]:
    """Return M and efConstruction. The degree of NSG is that of HNSW's lowest level, which is 2 M."""
    degree = params.graph_degree or 2 * _DEGREE
    m = max(2, degree // 2) if params.family == "nsg" else params.graph_degree or _DEGREE
    return m, params.ef_construction or _CONSTRUCTION


def _candidates(params: Params, problem: Problem) -> int:
    return max(problem.k, round(problem.k * max(params.refine, 1)))


def _common(params: Params, system: str) -> list[str]:
    notes = [_MEASURED]
    if params.opq:
        notes.append(
            f"The OPQ rotation does not carry over: rotate vectors and queries before {system} sees them."
        )
    if params.family == "nsg":
        notes.append(f"{system} has no NSG; HNSW with half its degree as M is the nearest graph.")
    return notes


def _subvectors(params: Params, dimensions: int) -> tuple[int, list[str]]:
    """Return the largest number of parts not above the codec's that divides the dimensions."""
    wanted = int(params.codec.removeprefix("pq").split("x", maxsplit=1)[0])
    m = next(m for m in range(min(wanted, dimensions), 0, -1) if dimensions % m == 0)
    return m, [] if m == wanted else [f"m has to divide {dimensions} dimensions: {m} instead of {wanted}."]


# ---------------------------------------------------------------- Milvus


#: index_type, how it is built, how it is searched
_Milvus = tuple[str, dict[str, Any], dict[str, Any]]
_LITE = {"FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW", "HNSW_SQ"}


def _milvus(params: Params, problem: Problem) -> dict[str, Any]:
    notes = _common(params, "Milvus")
    metric = {"l2": "L2", "ip": "IP", "cosine": "COSINE"}[problem.metric]
    if params.family in {"hnsw", "nsg"}:
        kind, build, search = _milvus_graph(params, problem)
    elif params.codec in {"rabitq", "bits"} or params.codec.startswith("pq"):
        kind, build, search = _milvus_codes(params, problem, notes)
    elif params.family == "ivf":
        kind, build, search = _milvus_lists(params, notes)
    else:
        kind, build, search = "FLAT", {}, {}
    if kind not in _LITE:
        notes.append(
            f"{kind} is not in Milvus Lite: these parameters follow Milvus's documentation and were not run."
        )
    if problem.metric != "l2" and kind != "FLAT":
        notes.append(
            "The tuning searched in squared L2 after a transformation; Milvus takes the metric itself."
        )
    index = {"index_type": kind, "metric_type": metric, "params": build}
    return {"index": index, "search": search, "notes": notes}


def _milvus_graph(params: Params, problem: Problem) -> _Milvus:
    m, construction = _graph(params)
    build: dict[str, Any] = {"M": m, "efConstruction": construction}
    search: dict[str, Any] = {"ef": _ef(params, problem)}
    if params.codec not in {"sq8", "fp16"}:
        return "HNSW", build, search
    build["sq_type"] = params.codec.upper()
    if params.refine:
        build |= {"refine": True, "refine_type": "FP32"}
        search["refine_k"] = max(params.refine, 1.0)
    return "HNSW_SQ", build, search


def _milvus_lists(params: Params, notes: list[str]) -> _Milvus:
    if params.codec == "fp16":
        notes.append(
            "Declare the field as FLOAT16_VECTOR to hold two bytes a number; IVF has no codec for that."
        )
    if params.refine:
        notes.append("Refinement does not carry over: recall will be that of the codes.")
    build, search = _lists(params)
    return "IVF_SQ8" if params.codec == "sq8" else "IVF_FLAT", build, search


def _milvus_codes(params: Params, problem: Problem, notes: list[str]) -> _Milvus:
    build, search = _lists(params)
    if params.nlist is None:
        notes.append("Milvus has no codes without lists: one list, which every query reads, is the same.")
    if not params.codec.startswith("pq"):
        if params.codec == "bits":
            notes.append(
                "Milvus has no binary index of float vectors; RaBitQ is the nearest of one bit a dimension."
            )
        if params.refine:
            build |= {"refine": True, "refine_type": "FP32"}
            search["refine_k"] = max(params.refine, 1.0)
        return "IVF_RABITQ", build, search
    if params.refine:
        notes.append(
            "SCANN is 4-bit PQ by fast scan with a refinement, as here, but cuts vectors into pairs always."
        )
        search["reorder_k"] = _candidates(params, problem)
        return "SCANN", {**build, "with_raw_data": True}, search
    m, said = _subvectors(params, problem.dimensions)
    notes += said
    return "IVF_PQ", {**build, "m": m, "nbits": 4}, search


def _lists(params: Params) -> tuple[dict[str, Any], dict[str, Any]]:
    nlist = min(params.nlist or 1, 65_536)
    return {"nlist": nlist}, {"nprobe": min(params.nprobe or _NPROBE, nlist)}


# ---------------------------------------------------------------- pgvector


def _pgvector(params: Params, problem: Problem, table: str, column: str) -> dict[str, Any]:
    notes = _common(params, "pgvector")
    d, metric = problem.dimensions, problem.metric
    half = params.codec in {"fp16", "sq8"} or d > 2000
    if params.family == "flat" or d > 4000:
        if params.family != "flat":
            notes.append(f"No index of pgvector takes {d} dimensions (4,000 as halfvec): search is exact.")
        return {"sql": [], "search": {}, "order_by": _operand(column, metric, d, half=False), "notes": notes}
    operators = f"{'halfvec' if half else 'vector'}_{metric}_ops"
    held = f"({column}::halfvec({d}))" if half else column
    if half:
        notes.append(
            "halfvec holds 16 bits a dimension; a query uses the index only when it orders by the same expression."
        )
    if params.codec == "sq8":
        notes.append("pgvector has no 8-bit codec: halfvec is the nearest, with twice the memory.")
    if params.family == "ivf":
        lists = min(params.nlist or 1, 32_768)
        probes = min(params.nprobe or _NPROBE, lists)
        if params.codec.startswith("pq"):
            notes.append(
                "ivfflat holds whole vectors: the PQ codes, their memory and their speed do not carry over."
            )
        notes.append("Make the index after the rows are there: its lists are learned from them.")
        sql = f"CREATE INDEX ON {table} USING ivfflat ({held} {operators}) WITH (lists = {lists})"
        search = {"ivfflat.probes": probes}
    else:
        m, construction = _graph(params)
        m = min(m, 100)
        # refused otherwise: ef_construction has to be 2 m at least
        construction = min(max(construction, 2 * m), 1000)
        if params.family not in {"hnsw", "nsg"}:
            notes.append(
                f"pgvector has nothing like {params.family!r}; this is its HNSW with usual parameters."
            )
        sql = (
            f"CREATE INDEX ON {table} USING hnsw ({held} {operators}) "
            f"WITH (m = {m}, ef_construction = {construction})"
        )
        search = {"hnsw.ef_search": min(_ef(params, problem), 1000)}
    order = _operand(column, metric, d, half=half)
    notes.append(
        "With an index a filter is applied afterwards: SET hnsw.iterative_scan when it leaves too few."
    )
    return {"sql": [sql], "search": search, "order_by": order, "notes": notes}


def _operand(column: str, metric: str, d: int, *, half: bool) -> str:
    operator = {"l2": "<->", "ip": "<#>", "cosine": "<=>"}[metric]
    return (
        f"{column}::halfvec({d}) {operator} $1::halfvec({d})"
        if half
        else f"{column} {operator} $1::vector({d})"
    )


# ---------------------------------------------------------------- Qdrant


def _qdrant(params: Params, problem: Problem) -> dict[str, Any]:
    notes = _common(params, "Qdrant")
    distance = {"l2": "Euclid", "ip": "Dot", "cosine": "Cosine"}[problem.metric]
    vectors: dict[str, Any] = {"size": problem.dimensions, "distance": distance}
    if params.family == "flat":
        notes.append("m = 0 makes no graph: every search is exact.")
        return {
            "collection": {"vectors": vectors, "hnsw_config": {"m": 0}},
            "search": {"exact": True},
            "notes": notes,
        }
    m, construction = _graph(params)
    if params.family not in {"hnsw", "nsg"}:
        notes.append(
            f"Qdrant has no {params.family!r} index, only HNSW: graph parameters are usual ones, not tuned."
        )
    made: dict[str, Any] = {"vectors": vectors, "hnsw_config": {"m": m, "ef_construct": max(construction, 4)}}
    search: dict[str, Any] = {"hnsw_ef": _ef(params, problem)}
    if params.codec == "fp16":
        vectors["datatype"] = "float16"
    elif params.codec == "sq8":
        made["quantization_config"] = {"scalar": {"type": "int8", "always_ram": True}}
    elif params.codec.startswith("pq"):
        wanted = 8 * problem.dimensions / _subvectors(params, problem.dimensions)[0]
        ratio = min((4, 8, 16, 32, 64), key=lambda r: abs(r - wanted))
        made["quantization_config"] = {"product": {"compression": f"x{ratio}", "always_ram": True}}
        notes.append(f"Qdrant's PQ has 8 bits a part and fixed ratios: x{ratio} is nearest to x{wanted:g}.")
    elif params.codec in {"rabitq", "bits"} or params.family in {"rabitq", "binary"}:
        made["quantization_config"] = {"binary": {"always_ram": True}}
        notes.append("Qdrant's binary codes are signs without a rotation: recall differs from RaBitQ's.")
    if "quantization_config" in made:
        asked: dict[str, Any] = {"rescore": bool(params.refine)}
        if params.refine:
            asked["oversampling"] = max(params.refine, 1.0)
        search["quantization"] = asked
    notes.append("Segments below indexing_threshold (10,000 kB) are searched exactly, whatever these say.")
    return {"collection": made, "search": search, "notes": notes}


# ---------------------------------------------------------------- Weaviate


def _weaviate(params: Params, problem: Problem) -> dict[str, Any]:
    notes = _common(params, "Weaviate")
    distance = {"l2": "l2-squared", "ip": "dot", "cosine": "cosine"}[problem.metric]
    rescore = {"rescoreLimit": _candidates(params, problem) if params.refine else 0}
    bits = params.codec in {"rabitq", "bits"} or params.family in {"rabitq", "binary"}
    config: dict[str, Any] = {"distance": distance}
    if params.family == "flat" or (bits and params.nlist is None):
        if bits:
            config["bq"] = {"enabled": True, **rescore}
            notes.append(
                "Weaviate's binary codes are signs without a rotation: recall differs from RaBitQ's."
            )
        return {
            "class": {"vectorIndexType": "flat", "vectorIndexConfig": config},
            "search": {},
            "notes": notes,
        }
    m, construction = _graph(params)
    config |= {"maxConnections": m, "efConstruction": construction, "ef": _ef(params, problem)}
    if params.family not in {"hnsw", "nsg"}:
        notes.append(
            f"Weaviate has no {params.family!r} index; HNSW with usual parameters, which were not tuned."
        )
    if params.codec == "sq8":
        config["sq"] = {"enabled": True, **rescore}
    elif params.codec.startswith("pq"):
        m, said = _subvectors(params, problem.dimensions)
        config["pq"] = {"enabled": True, "segments": m, "centroids": 256}
        notes += [*said, "Weaviate's PQ has 8 bits a part, the tuned one 4: twice the memory, better recall."]
    elif params.codec == "fp16":
        notes.append("Weaviate holds no 16-bit floats: vectors are whole.")
    elif bits:
        config["bq"] = {"enabled": True, **rescore}
    notes.append("`ef` is a setting of the class here, not of a query.")
    return {"class": {"vectorIndexType": "hnsw", "vectorIndexConfig": config}, "search": {}, "notes": notes}


# ---------------------------------------------------------------- Pinecone


def _pinecone(params: Params, problem: Problem) -> dict[str, Any]:
    metric = {"l2": "euclidean", "ip": "dotproduct", "cosine": "cosine"}[problem.metric]
    body = {
        "name": "vectors",
        "dimension": problem.dimensions,
        "metric": metric,
        "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}},
    }
    notes = [
        f"Nothing of a {params.family!r} index carries over: Pinecone chooses and tunes its index itself.",
        "Its recall cannot be set; measure it there with knn.check_recall on your queries.",
    ]
    return {"index": body, "search": {"topK": problem.k}, "notes": notes}


_WAYS: dict[str, Callable[[Params, Problem], dict[str, Any]]] = {
    "milvus": _milvus,
    "pinecone": _pinecone,
    "qdrant": _qdrant,
    "weaviate": _weaviate,
}
