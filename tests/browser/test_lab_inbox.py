"""The side panel with the server's answers made up: inbox, search, groups, jobs, status bar, notifications."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from panel_kit import (
    FULL,
    NOW,
    a_gate,
    a_job,
    answers,
    command,
    decide,
    fold,
    look_again,
    open_lab,
    set_setting,
    set_width,
    shot,
    tab,
    theme,
)
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page on which nothing may raise."""
    wrong: list[str] = []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    yield page
    assert wrong == []


def toasts(page: Page) -> Any:
    return page.locator(".Toastify__toast")


def test_the_inbox_is_worked_off_by_keyboard(quiet: Page, lab: Any) -> None:
    page = quiet
    with answers(page, **FULL) as body:
        open_lab(page, lab)
        command(page, "aios:show-waiting")
        gates = page.get_by_test_id("aios-gate")
        expect(gates).to_have_count(2)
        expect(gates.first).to_contain_text("expires in 30 min")
        gates.first.locator(".aios-fold-head").focus()
        page.keyboard.press("j")
        expect(gates.nth(1).locator(".aios-fold-head")).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(gates.first.locator(".aios-fold-head")).to_be_focused()

        page.keyboard.press("r")
        expect(gates.first.get_by_label("Reason")).to_be_focused()
        expect(gates.first.get_by_test_id("aios-ask")).to_contain_text("Reject “review” of claims-triage?")
        page.keyboard.press("Control+Enter")
        expect(gates.first.get_by_role("alert")).to_contain_text("Say why")
        assert body["sent"] == []
        page.keyboard.press("Escape")
        expect(gates.first.locator(".aios-fold-head")).to_be_focused()
        page.keyboard.press("a")
        expect(gates.first.get_by_role("button", name="Approve")).to_be_focused()
        shot(page, "inbox_confirm")
        assert body["sent"] == []  # one key never decides
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("aios-gate-note")).to_have_text("Approved “review” of claims-triage.")
        expect(gates).to_have_count(1)
        sent = {"run_id": "r2", "approved": True, "values": {"limit": 0.7}, "reason": None}
        assert body["sent"] == [sent]
        expect(gates.first.locator(".aios-fold-head")).to_be_focused()  # on to the next
        expect(page.get_by_test_id("aios-decided").first).to_contain_text("approvedby ana")
        expect(page.get_by_test_id("aios-decided").nth(1)).to_contain_text("within the limits")


def test_the_second_to_decide_is_told(quiet: Page, lab: Any) -> None:
    page = quiet
    with answers(page, **FULL) as body:
        open_lab(page, lab)
        command(page, "aios:show-waiting")
        first, second = page.get_by_test_id("aios-gate").first, page.get_by_test_id("aios-gate").nth(1)
        fold(first)
        decide(body, "r2", "ben")  # the panel does not know yet
        first.get_by_role("button", name="Approve").click()
        note = page.get_by_test_id("aios-gate-note")
        expect(note).to_have_text("ben was first: “review” of claims-triage is approved. Nothing was sent.")
        expect(note).to_have_attribute("role", "alert")
        shot(page, "inbox_late")
        expect(second).to_have_count(0)
        fold(first)
        decide(body, "r7", "cleo", approved=False)
        look_again(page)  # decided elsewhere while open here
        expect(note).to_contain_text("cleo was first: “sign_off” of claims-triage is rejected.")
        assert body["sent"] == []


def test_search_filters_groups_and_keys(quiet: Page, lab: Any) -> None:
    page = quiet
    with answers(page, **FULL):
        open_lab(page, lab)
        command(page, "aios:show-runs")
        runs = page.get_by_test_id("aios-run")
        expect(runs).to_have_count(6)
        for label, choice, query in (
            ("Filter runs by status", "failed", "status=failed"),
            ("Filter runs by workflow", "claims-triage", "workflow=claims-triage"),
        ):
            with page.expect_request(re.compile(f"snapshot.*{query}")):
                page.get_by_label(label).select_option(choice)
        with page.expect_request(re.compile("snapshot.*mine=true")):
            page.get_by_label("Mine").check()
        with page.expect_request(re.compile("snapshot.*search=price")):
            page.get_by_label("Search runs by workflow").fill("price")
        command(page, "aios:open-panel", {"tab": "runs", "item": "r4"})  # what is asked for is not hidden
        expect(page.get_by_label("Mine")).not_to_be_checked()
        expect(runs.nth(3).locator(".aios-fold-head")).to_have_attribute("aria-expanded", "true")

        runs.nth(3).locator(".aios-fold-head").focus()
        page.keyboard.press("k")
        expect(runs.nth(2).locator(".aios-fold-head")).to_be_focused()
        page.keyboard.press("End")
        expect(runs.nth(5).locator(".aios-fold-head")).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_label("Search runs by workflow")).to_be_focused()

        page.get_by_label("Group runs").select_option("workflow")
        expect(page.get_by_test_id("aios-run-group")).to_have_text(
            ["claims-triage5 runs", "catalog-enrichment1 run"]
        )
        shot(page, "runs_grouped_light")
        page.get_by_label("Group runs").select_option("day")
        expect(page.get_by_test_id("aios-run-group")).to_have_count(2)
        page.get_by_label("Group runs").select_option("none")
        for name in ("Dark", "Dark High Contrast"):
            theme(page, name)
            shot(page, f"runs_{name.replace(' ', '_').lower()}")
        theme(page, "Light")
        for pixels in (180, 520):
            set_width(page, pixels)
            for name in ("runs", "waiting", "jobs"):
                tab(page, name)
                shot(page, f"{name}_{pixels}")
                wide = page.locator(".aios-section").evaluate("e => e.scrollWidth - e.clientWidth")
                assert wide <= 1, (name, pixels, wide)


def test_jobs_run_once_with_other_parameters(quiet: Page, lab: Any) -> None:
    page = quiet
    with answers(page, **FULL) as body:
        open_lab(page, lab)
        command(page, "aios:show-jobs")
        job = page.locator("[data-testid=aios-job][data-id=j1]")
        strip = job.get_by_test_id("aios-strip")
        expect(strip).to_contain_text("2 of 4 succeeded")
        states = ["succeeded", "failed", "skipped", "timeout", "cancelled", "succeeded"]
        assert [o.get_attribute("data-status") for o in strip.get_by_role("option").all()] == states
        fold(job)
        job.get_by_role("button", name="Run with…").click()
        form = job.get_by_test_id("aios-one-off")
        expect(form.get_by_label("rows")).to_have_value("200")
        form.get_by_label("rows").fill("many")
        form.get_by_role("button", name="Run once").click()
        expect(form.get_by_role("alert")).to_have_text("Not a number.")
        form.get_by_label("rows").fill("5")
        shot(page, "job_one_off")
        form.get_by_role("button", name="Run once").click()
        expect(form).to_have_count(0)
        assert body["sent"] == [{"job_id": "j1", "action": "trigger", "params": {"rows": 5}}]
        job.get_by_role("button", name="Cancel", exact=True).click()
        page.get_by_role("button", name="Keep running").click()
        job.get_by_role("tab", name="About").click()
        job.get_by_role("button", name="Remove…").click()
        expect(page.get_by_role("dialog")).to_contain_text("with all its versions, its history")
        page.get_by_role("button", name="Cancel", exact=True).last.click()
        assert len(body["sent"]) == 1


def test_the_status_bar_leads_to_what_it_names(quiet: Page, lab: Any) -> None:
    page = quiet
    with answers(page, **FULL):
        open_lab(page, lab)
        status = page.get_by_test_id("aios-status")
        expect(status.get_by_role("button")).to_have_count(3)
        status.get_by_role("button", name="2 waiting").click()
        expect(page.locator("#aios-tab-waiting")).to_have_attribute("aria-selected", "true")
        status.get_by_role("button", name="1 running").click()
        expect(page.locator("#aios-tab-runs")).to_have_attribute("aria-selected", "true")
        expect(status.get_by_role("button", name="catalog-enrichment failed")).to_be_visible()


def test_notifications_once_summed_up_and_as_set(quiet: Page, lab: Any) -> None:
    page = quiet
    with answers(page, **FULL) as body:
        open_lab(page, lab)
        command(page, "aios:show-runs")
        expect(page.get_by_test_id("aios-run")).to_have_count(6)
        expect(toasts(page)).to_have_count(0)  # what was there already is no news
        body["gates"].append(a_gate("n1", requested_at=NOW))
        look_again(page)
        expect(toasts(page)).to_have_text("“review” of claims-triage waits for your decision.Decide")
        look_again(page)
        expect(toasts(page)).to_have_count(1)
        toasts(page).get_by_role("button", name="Decide").click()
        expect(page.locator("[data-id='n1/review'] .aios-fold-head")).to_have_attribute(
            "aria-expanded", "true"
        )

        other = page.context.new_page()  # a second tab of the same browser, which was told the same
        with answers(other, **FULL) as same:
            lab.open(other)
            command(other, "aios:show-runs")
            expect(other.get_by_test_id("aios-run")).to_have_count(6)
            same["gates"] += [a_gate("n1", requested_at=NOW), a_gate("n2", requested_at=NOW)]
            look_again(other)
            expect(toasts(other)).to_have_count(1)
        other.close()

        body["gates"].append(a_gate("n3", requested_at=NOW))
        look_again(page)
        expect(toasts(page)).to_have_count(1)
        decide(body, "n3", "ben")
        look_again(page)
        expect(toasts(page)).to_have_count(0)  # it waits no longer

        body["gates"] += [a_gate(f"m{i}", requested_at=NOW) for i in range(4)]
        look_again(page)
        expect(toasts(page)).to_have_text("4 gates wait for your decision.Show all")
        shot(page, "toast_many")
        toasts(page).get_by_role("button", name="Show all").click()

        failed = a_job("j9", "failed")
        failed["last"]["job_run_id"] = "brandnew"
        body["jobs"].append(failed)
        look_again(page)
        expect(toasts(page).filter(has_text="nightly j9")).to_have_text(
            "The job “nightly j9” failed.Show job"
        )
        toasts(page).get_by_role("button", name="Show job").click()
        expect(page.locator("[data-id='j9'] .aios-fold-head")).to_have_attribute("aria-expanded", "true")

        page.locator("[data-id='j9']").get_by_role("button", name="Run now").click()
        expect(page.locator("[data-id='j9']").get_by_role("button", name="Run now")).to_be_enabled()
        body["jobs"][-1]["last"] = {**failed["last"], "job_run_id": "new"}  # the run just started here
        look_again(page)
        expect(toasts(page).filter(has_text="nightly j9")).to_have_count(0)
        set_setting(page, "notifyGates", value=False)
        page.reload()
        page.wait_for_function("window.jupyterapp && window.jupyterapp.restored.then(() => true)")
        look_again(page)
        body["gates"].append(a_gate("silent", requested_at=NOW))
        look_again(page)
        expect(page.get_by_test_id("aios-status")).to_contain_text("8 waiting")
        expect(toasts(page)).to_have_count(0)
        set_setting(page, "notifyGates", value=None)
