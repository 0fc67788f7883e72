"""A tuned index as a few lines of plain faiss, to take anywhere."""

from __future__ import annotations

from aios_workbench.knn.models import Params


def factory_string(params: Params) -> str:
    """Faiss's own short name of the index.

    Examples
    --------
    >>> factory_string(Params(family="ivf", codec="pq64x4fs", nlist=2048, refine=4))
    'IVF2048,PQ64x4fs,RFlat'
    """
    codec = {"flat": "Flat", "fp16": "SQfp16", "sq8": "SQ8", "rabitq": "RaBitQfs", "bits": "LSHrt"}.get(
        params.codec
    ) or "PQ" + params.codec.removeprefix("pq")
    family = {
        "ivf": f"IVF{params.nlist}",
        "hnsw": f"HNSW{params.graph_degree or 16}",
        "nsg": f"NSG{params.graph_degree or 32}",
    }.get(params.family)
    m = codec.removeprefix("PQ").removesuffix("x4fs")
    words = [f"OPQ{m}"] * params.opq + [family] * (family is not None) + [codec]
    return ",".join([*(w for w in words if w), *["RFlat"] * bool(params.refine)])


def factory_code(params: Params, *, k: int = 10, metric: str = "l2") -> str:
    """Python that builds the index and searches it with faiss alone.

    Parameters
    ----------
    params
        Of the point to take away.
    k
        Neighbours asked for.
    metric
        Inside everything is squared L2; the code says what to do to vectors and queries first.

    Examples
    --------
    >>> print(factory_code(Params(family="hnsw", graph_degree=16, ef_construction=60, ef_search=48)))
    import faiss
    import numpy as np
    <BLANKLINE>
    # vectors: (n, d) and queries: (q, d), C-contiguous float32
    index = faiss.index_factory(vectors.shape[1], "HNSW16,Flat")
    index.hnsw.efConstruction = 60
    index.train(vectors)
    index.add(vectors)
    <BLANKLINE>
    params = faiss.SearchParametersHNSW(efSearch=48)
    squared_distances, rows = index.search(queries, 10, params=params)
    """
    lines = ["import faiss", "import numpy as np", ""]
    lines.append("# vectors: (n, d) and queries: (q, d), C-contiguous float32")
    if metric == "cosine":
        lines += ["faiss.normalize_L2(vectors)", "faiss.normalize_L2(queries)"]
    if metric == "ip":
        lines += [
            "# inner product as L2 (Bachrach et al. 2014): one more dimension, zero in a query",
            "squares = (vectors**2).sum(1)",
            "more = np.sqrt(squares.max() - squares)[:, None]",
            "pad = vectors.shape[1] % 2 == 0  # an even number of dimensions",
            'vectors = np.pad(np.hstack([vectors, more]), ((0, 0), (0, int(pad)))).astype("float32")',
            'queries = np.pad(queries, ((0, 0), (0, 1 + int(pad)))).astype("float32")',
        ]
    lines.append(f'index = faiss.index_factory(vectors.shape[1], "{factory_string(params)}")')
    if params.ef_construction and params.family == "hnsw":
        inside = "index.base_index" if params.refine else "index"
        graph = f"faiss.downcast_index({inside})" if params.refine else inside
        lines.append(f"{graph}.hnsw.efConstruction = {params.ef_construction}")
    if params.family == "nsg":
        lines += ["index.build_type = 1  # NN-descent", f"index.nsg.search_L = {params.ef_search or 16}"]
    lines += ["index.train(vectors)", "index.add(vectors)", ""]
    asked = ""
    if params.family == "ivf":
        asked = f"faiss.SearchParametersIVF(nprobe={params.nprobe or 1})"
    elif params.family == "hnsw":
        asked = f"faiss.SearchParametersHNSW(efSearch={params.ef_search or 16})"
    if params.opq and asked:
        asked = f"faiss.SearchParametersPreTransform(index_params={asked})"
    if params.refine:
        lines += [f"base = {asked}"] * bool(asked)
        inner = ", base_index_params=base" if asked else ""
        asked = f"faiss.IndexRefineSearchParameters(k_factor={params.refine:g}{inner})"
    lines += [f"params = {asked}"] * bool(asked)
    given = ", params=params" if asked else ""
    lines.append(f"squared_distances, rows = index.search(queries, {k}{given})")
    return "\n".join(lines)
