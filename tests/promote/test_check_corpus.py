"""Precision and recall of the check on notebooks with known defects and on their twins without."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from corpus import CASES, UNSEEN, Case, write
from corpus.kit import spec_of

from aios_workbench.promote.checks import all_rules, inspect
from aios_workbench.promote.spec import JobSpec

#: of all findings, how many are labelled; of all labels, how many are found
PRECISION, RECALL = 0.95, 0.90
FAMILY_PRECISION, FAMILY_RECALL = 0.90, 0.80
#: on notebooks to which no rule was fitted
UNSEEN_PRECISION, UNSEEN_RECALL = 0.80, 0.40

Found = set[tuple[str, int | None]]


@dataclass
class Score:
    """Findings that are labelled, those that are not, and labels that were not found."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    notebooks: int = 0

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + len(self.wrong))

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + len(self.missed))

    def add(self, name: str, found: Found, labels: Found) -> None:
        self.notebooks += 1
        self.right += len(found & labels)
        self.wrong += [f"{name}: {rule} in cell {cell}" for rule, cell in sorted(found - labels, key=str)]
        self.missed += [f"{name}: {rule} in cell {cell}" for rule, cell in sorted(labels - found, key=str)]


def found_in(case: Case, folder: Path, *, clean: bool) -> Found:
    work = folder / ("clean" if clean else "bad") / "nb"
    work.mkdir(parents=True)
    path = write(case, work, clean=clean)
    options = spec_of(case, clean=clean)
    spec = JobSpec(name="n", notebook=str(path), **options) if options is not None else None
    return {(f.rule, f.cell) for f in inspect(path, spec, run=case.run).findings}


def scores(folder: Path, cases: tuple[Case, ...]) -> dict[str, Score]:
    told: dict[str, Score] = defaultdict(Score)
    for case in cases:
        for clean in (False, True):
            found = found_in(case, folder / case.name, clean=clean)
            labels: Found = set() if clean else set(case.labels)
            for name in (case.family, "all"):
                told[name].add(f"{case.name} ({'twin' if clean else 'defect'})", found, labels)
    return told


def show(told: dict[str, Score]) -> None:
    print(f"\n{'family':<18} notebooks  findings  precision  recall")
    for name, score in told.items():
        count = score.right + len(score.wrong)
        print(f"{name:<18} {score.notebooks:>9} {count:>9} {score.precision:>10.3f} {score.recall:>7.3f}")
    for name in ("wrong", "missed"):
        for line in getattr(told["all"], name):
            print(f"{name}: {line}")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_precision_and_recall(tmp_path: Path) -> None:
    told = scores(tmp_path, CASES)
    show(told)
    for name, score in told.items():
        bars = (PRECISION, RECALL) if name == "all" else (FAMILY_PRECISION, FAMILY_RECALL)
        assert score.precision >= bars[0], f"{name}: {score.wrong}"
        assert score.recall >= bars[1], f"{name}: {score.missed}"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_on_notebooks_the_rules_were_not_written_for(tmp_path: Path) -> None:
    told = scores(tmp_path, UNSEEN)
    show(told)
    assert told["all"].precision >= UNSEEN_PRECISION, told["all"].wrong
    assert told["all"].recall >= UNSEEN_RECALL, told["all"].missed


def test_the_corpus_is_what_it_says() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.labels for case in CASES)
    known = {rule.id for rule in all_rules()}
    assert {rule for case in CASES for rule, _ in case.labels} <= known


def test_every_rule_is_in_the_corpus() -> None:
    """What no notebook can show within reason is tested alone, in test_check_rules.py."""
    labelled = {rule for case in CASES for rule, _ in case.labels}
    alone = {
        "AIOS001",
        "AIOS002",
        "AIOS008",
        "AIOS144",
        "AIOS413",
        "AIOS414",
        "AIOS415",
        "AIOS432",
        "AIOS433",
    }
    assert {rule.id for rule in all_rules()} - labelled == alone
