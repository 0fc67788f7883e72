from __future__ import annotations

import numpy as np
import pytest

from aios_workbench.drift.columns import column, window
from aios_workbench.drift.judge import drifted, judge
from aios_workbench.drift.models import ColumnDrift, Multivariate, Rules, SchemaChange
from aios_workbench.drift.rules import as_rules
from aios_workbench.drift.tables import CountTable, NumberTable
from aios_workbench.errors import DriftInputError


def table(shift: float = 0.0, n: int = 2000, seed: int = 0, nulls: int = 0) -> NumberTable:
    return NumberTable.of(np.random.default_rng(seed).normal(shift, 1, n), nulls=nulls)


def number(shift: float = 0.0, n: int = 2000, *, name: str = "income", nulls: int = 0) -> ColumnDrift:
    return column(name, "feature", "numeric", table(0, n), table(shift, n, 1, nulls))


def words(**counts: int) -> CountTable:
    return CountTable(tuple(counts), np.array(list(counts.values())), distinct=len(counts))


def one(found: ColumnDrift, rules: Rules | None = None) -> ColumnDrift:
    return judge([found], rules or Rules())[0]


def test_a_large_significant_change_is_drift_and_says_why():
    found = one(number(1.0))
    assert found.verdict == "drifted"
    assert found.reasons[0].startswith("PSI ")
    assert ">= 0.1 (Wasserstein distance / std), adjusted p < 0.001" in found.reasons[0]
    assert found.threshold == 0.1
    assert found.p_adjusted == found.p_value


def test_significant_but_small():
    rng = np.random.default_rng(0)
    a = NumberTable.of(rng.normal(0, 1, 200_000))
    b = NumberTable.of(rng.normal(0.03, 1, 200_000), a.grid)
    found = one(column("x", "feature", "numeric", a, b))
    assert found.verdict == "small"
    assert found.reasons[0].startswith("significant, small: PSI ")
    assert one(found, Rules(effect=0.01)).verdict == "drifted"


def test_many_columns_make_a_p_value_larger():
    weak = number(0.085, name="weak")
    assert 0.001 < weak.p_value < 0.05
    alone = one(weak)
    among = judge([weak, *(number(name=f"c{i}") for i in range(40))], Rules())[0]
    assert alone.p_adjusted < 0.05 < among.p_adjusted
    assert alone.verdict == "small"
    assert among.verdict == "stable"
    assert among.reasons == []


def test_too_few_rows_are_not_judged_but_their_nulls_are():
    few = one(number(5.0, 20))
    assert few.verdict == "few"
    assert few.reasons == ["not enough data: 20 rows with a value on one side, 30 are needed"]
    assert one(number(5.0, 20), Rules(min_rows=10)).verdict == "drifted"
    emptied = one(column("x", "feature", "numeric", table(), table(0, 5, nulls=1995)))
    assert emptied.verdict == "drifted"
    assert emptied.test == "null_shift"
    assert "null in 0% of rows before, 100% now" in emptied.reasons[0]


def test_a_new_category_with_a_twentieth_of_the_rows_is_found():
    found = one(column("state", "feature", "categorical", words(a=600, b=400), words(a=570, b=380, c=50)))
    assert found.verdict == "drifted"
    assert found.reasons[0].startswith("5% of rows have a value that is new, PSI ")


def test_rules_can_be_changed_back_and_forth():
    columns = [number(1.0), number(name="b"), column("c", "feature", "id", table(), table())]
    honest = judge(columns, Rules())
    theirs = judge(honest, Rules(kind="evidently"))
    assert theirs[0].test == "wasserstein"
    assert theirs[0].reasons[0].startswith("Wasserstein distance / std 1.")
    assert judge(theirs, Rules()) == honest
    assert [c.verdict for c in honest] == ["drifted", "stable", "skipped"]


def test_a_persons_threshold_counts_whatever_else():
    column_ = number(0.05)
    assert one(column_).verdict == "stable"
    found = one(column_, Rules(columns={"income": {"PSI": 0.001}}))
    assert found.verdict == "drifted"
    assert found.reasons[0].endswith(">= 0.001, as set for this column")
    assert found.threshold == 0.001
    assert one(column_, Rules(columns={"income": {"psi": 5}})).verdict == "stable"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"columns": {"incone": {"psi": 0.2}}}, "did you mean 'income'"),
        ({"columns": {"income": {"new_share": 0.2}}}, "it has psi"),
    ],
)
def test_a_threshold_for_what_is_not_there_is_refused(rules, said):
    with pytest.raises(DriftInputError, match=said):
        judge([number()], as_rules(**rules))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"columns": {"income": {"psy": 0.2}}}, "did you mean 'psi'"),
        ({"columns": {"income": {"t_test": 0.2}}}, "engine='evidently'"),
        ({"columns": {"income": {"psi": "much"}}}, "give a number"),
        ({"columns": {"income": 0.2}}, "by statistic"),
        ({"columns": ["income"]}, "by column"),
        ({"alfa": 0.1}, "did you mean 'alpha'"),
        ({"alpha": 2.0}, "between 0 and 1"),
        ({"in_a_row": 0}, "at least 1"),
        ({"rules": "honst"}, "did you mean 'honest'"),
    ],
)
def test_wrong_rules_say_what_is_wrong(rules, said):
    with pytest.raises(DriftInputError, match=said):
        as_rules(**rules)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("TVD", "total_variation"),
        ("K-S p_value", "ks"),
        ("chi2", "chisquare"),
        ("Jensen-Shannon distance", "jensenshannon"),
    ],
)
def test_statistics_go_by_their_other_names(called, name):
    assert as_rules("honest", columns={"x": {called: 1}}).columns == {"x": {name: 1.0}}


def windowed(drifted_at: set[int], n: int = 6) -> ColumnDrift:
    reference = table()
    windows = [
        window(f"w{i}", reference, table(1.0 if i in drifted_at else 0.0, 500, i + 10)) for i in range(n)
    ]
    whole = reference
    for i in range(n):
        whole = whole.merged(table(1.0 if i in drifted_at else 0.0, 500, i + 10))
    return column("x", "feature", "numeric", reference, table(seed=3)).model_copy(update={"windows": windows})


def test_windows_in_a_row():
    found = one(windowed({1, 4, 5}))
    assert [w.verdict for w in found.windows] == [
        "stable",
        "drifted",
        "stable",
        "stable",
        "drifted",
        "drifted",
    ]
    assert found.verdict == "drifted"
    assert found.reasons == ["drifted in 2 windows in a row: w4 to w5"]
    assert found.changepoint == "w4"
    assert one(windowed({1, 4, 5}), Rules(in_a_row=2)).verdict == "drifted"
    assert one(windowed({1, 3, 5}), Rules(in_a_row=2)).verdict == "stable"
    assert one(windowed({1, 2}), Rules(in_a_row=2)).changepoint is None


def test_a_whole_that_drifted_in_no_windows_in_a_row_is_small():
    found = windowed({0, 2, 4}).model_copy(update={"statistics": number(1.0).statistics})
    judged = one(found, Rules(in_a_row=2))
    assert judged.verdict == "small"
    assert judged.reasons[-1] == "but in no 2 windows in a row, as the rules ask"


def test_the_worst_part_decides():
    parts = [number(name="length"), number(1.0, name="words")]
    text = ColumnDrift(name="comment", kind="text", parts=parts)
    found = one(text)
    assert found.verdict == "drifted"
    assert found.reasons[0].startswith("words: PSI ")
    assert found.p_adjusted == found.parts[1].p_adjusted
    assert found.effect == found.parts[1].effect
    assert one(found) == found
    assert one(ColumnDrift(name="comment", kind="text", parts=parts[:1])).verdict == "stable"


def test_drifted_says_why():
    columns = judge([number(1.0), number(name="b"), number(name="c")], Rules())
    assert drifted(columns)[0] is True
    assert drifted(columns)[1][0].startswith("income: PSI ")
    assert drifted(columns, rules=Rules(max_share=0.5)) == (False, [])
    assert drifted(columns, rules=Rules(kind="evidently")) == (False, [])
    grave = SchemaChange(column="age", change="missing", grave=True, words="age is missing")
    assert drifted(columns[1:], [grave]) == (True, ["age is missing"])
    assert drifted([], [grave])[0] is True
    assert drifted(columns[1:], multivariate=Multivariate(verdict="drifted", reasons=["AUC 0.7"])) == (
        True,
        ["AUC 0.7"],
    )
    assert drifted([one(number(5, 10))]) == (None, [])


def test_the_share_of_columns():
    columns = judge([number(1.0), number(1.0, name="b"), number(name="c")], Rules())
    found, reasons = drifted(columns, rules=Rules(max_share=0.5))
    assert found is True
    assert reasons[0] == "2 of 3 columns drifted (67%; the limit is more than 50%)"
    assert drifted(columns, rules=Rules(kind="evidently"))[0] is True


def test_hostile_names_pass_through_as_they_are():
    name = '"><img src=x onerror=alert(1)>'
    found = judge([number(1.0, name=name), number(name="")], Rules(columns={name: {"psi": 0.1}}))
    assert drifted(found)[1][0].startswith(f"{name}: PSI ")
