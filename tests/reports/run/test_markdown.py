"""A run as Markdown: its content, its size limit, and the escaping of untrusted text."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from reconciler.model.apply_events import Outcome
from reconciler.model.drift import DriftState
from reconciler.model.plan import Cause, Drift, FieldChange, Plan
from reconciler.model.problem import Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.reports.run.markdown import LIMIT, markdown_text
from reconciler.reports.run.markdown_escape import code, text
from tests.builders import change, endpoint, live, plan, tracked
from tests.reports import samples

LONG = "ü|`漢</details>```\n" * 300


def shape(page: str) -> None:
    """Check that every row, code block and collapsed section of a page is complete."""
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.rstrip().endswith("|") for line in tables)
    lines = page.splitlines()
    opened = [line for line in lines if re.fullmatch("<details><summary>.*</summary>", line)]
    assert len(opened) == lines.count("</details>") == sum("<details>" in line[:9] for line in lines)
    assert [line for line in lines if line[:3] == "```"] == ["```diff", "```"] * lines.count("```")
    assert len(page.encode()) <= LIMIT


def rows(page: str) -> int:
    """Return the number of changes in the table."""
    table = page.partition("### Changes\n\n")[2].partition("\n\n")[0].splitlines()
    return len(table) - 2


def test_counts_come_first() -> None:
    """Problems, a row per change, and the fields follow."""
    page = markdown_text(samples.refused())
    order = [
        "## reconciler plan",
        "**Plan: 1 to import, 2 to add, 3 to change, 2 to destroy.**",
        "<code>-/+</code> 1 replace",
        "exit code 3: refused by a guard",
        "### 1 error, 1 warning",
        "- **Error:** <code>old</code> has <code>preventDestroy</code> and would be deleted<br>",
        "- **Warning:** the account may hold 20 workers",
        "### Changes",
        "| <code>+</code> | <code>fresh</code> | create | does not exist yet |  | config |",
        "| scale | minReplicas: 1 → 2; maxReplicas: 3 → 8 | no restart | config |",
        "### Details",
        "```diff\n- minReplicas = 1\n+ minReplicas = 2  # config\n",
        "### Objects have changed outside of reconciler",
        "<details><summary>1 endpoint of the account is not managed by this configuration</summary>",
        "- <code>stranger</code> <code>id-stranger</code>",
    ]
    found = [page.find(part) for part in order]
    assert -1 not in found, order[found.index(-1)]
    assert found == sorted(found)
    shape(page)


def test_an_explanation_is_in_the_details() -> None:
    """It is there if it was requested."""
    page = markdown_text(replace(samples.refused(), explained=True))
    assert "- **Rule:** declared, recorded, live by its ID; only worker counts differ -&#62; scale" in page
    assert "- **Call:** none; only the inventory changes" in page
    assert "**Rule:**" not in markdown_text(samples.refused())
    drifted = markdown_text(replace(samples.drifted(), explained=True))
    assert drifted.count("**Rule:**") == 2
    shape(page)


def test_an_apply_has_the_result_of_each_change() -> None:
    """A failed change has its reason."""
    page = markdown_text(samples.applied(Outcome.DONE, Outcome.FAILED, Outcome.NOT_ATTEMPTED))
    assert "**Apply incomplete: 1 done, 1 failed, 5 not attempted.**" in page
    assert "- **Error:** Novita refused: no stock<br><code>novita&#95;endpoint.fresh</code>" in page
    assert "| config | failed, 1.5 s |" in page
    assert "| not attempted |" in page
    shape(page)


@pytest.mark.parametrize(
    ("standing", "line", "mark"),
    [
        (DriftState.NEW, "**Drift: 1 changed, 1 deleted.**", "| both, new |"),
        (DriftState.KNOWN, "**No new drift.**", "| both, known |"),
        (DriftState.IGNORED, "**No new drift.**", "| both, ignored until 2027-01-01 00:00Z: a trial |"),
    ],
)
def test_drift_has_its_state(standing: DriftState, line: str, mark: str) -> None:
    """Unapplied changes are no drift, and are not in the table."""
    page = markdown_text(samples.drifted(standing))
    assert line in page
    assert mark in page
    assert "### Changes" not in page
    shape(page)


def test_a_failed_run_has_its_error() -> None:
    """The report names the place of the error."""
    page = markdown_text(samples.failed(samples.GUARD))
    assert "**Failed: 1 error.**" in page
    assert "<code>endpoints.yaml:12:7</code>" in page
    assert "**Interrupted.**" in markdown_text(samples.failed(samples.GUARD, code=130))


@pytest.mark.parametrize("value", ["v", LONG], ids=["short", "long"])
def test_omitted_rows_are_counted(value: str) -> None:
    """The shown and the omitted changes add up, and details are omitted before rows."""
    page = markdown_text(samples.findings(samples.many(1000, value)))
    shape(page)
    left_out = re.search(r"^_([\d,]+) of 1,000 changes are not shown\._$", page, re.MULTILINE)
    assert left_out
    assert rows(page) + int(left_out[1].replace(",", "")) == 1000
    assert rows(page) > 200
    details = re.search(r"^_The details of ([\d,]+) of 1,000 changes are not shown\._$", page, re.MULTILINE)
    assert details
    assert page.count("<details>") + int(details[1].replace(",", "")) == 1000
    assert len(page.encode()) > LIMIT - 1000, "there was room for more"


def test_details_are_omitted_before_rows() -> None:
    """All rows are there if they fit, even if the fields do not."""
    page = markdown_text(samples.findings(samples.many(200, LONG)))
    shape(page)
    assert rows(page) == 200
    assert 0 < page.count("<details>") < 200


def test_everything_is_shown_if_it_fits() -> None:
    """Then there is no note about omitted rows."""
    page = markdown_text(samples.findings(samples.many(20)))
    assert (rows(page), page.count("<details>"), "not shown" in page) == (20, 20, False)


@pytest.mark.parametrize("severity", list(Severity))
def test_many_problems_leave_space_for_the_changes(severity: Severity) -> None:
    """This holds for problems of any length."""
    many = [Problem(code="x", summary=LONG, detail=LONG, hint=LONG, severity=severity)] * 300
    page = markdown_text(samples.findings(samples.many(1000), *many))
    shape(page)
    shown = page.count(f"- **{severity.value.capitalize()}:**")
    assert f"_{300 - shown:,} of 300 problems are not shown._" in page
    assert rows(page) > 100


def test_many_unmanaged_endpoints_and_much_drift_fit() -> None:
    """Each kind of row has its own count."""
    names = [f"n{number}" for number in range(2000)]
    made = plan(
        [endpoint(name, replicas=2) for name in names[:1000]],
        [tracked(name) for name in names[:1000]],
        [live(name, replicas=7) for name in names],
    )
    page = markdown_text(samples.findings(made))
    shape(page)
    assert re.search(r"^_[\d,]+ of 1,000 unmanaged endpoints are not shown\._$", page, re.MULTILINE)
    assert re.search(r"^_[\d,]+ of 2,000 drifted fields are not shown\._$", page, re.MULTILINE)


HOSTILE = [
    "</details>",
    "a|b",
    "`tick` `",
    "```\n# head",
    "~~~",
    "<img src=x onerror=1>",
    "<!-- ",
    "@everyone and a@b.example",
    "#1 and GH-2",
    "[link](https://evil.example) www",
    "**bold** _it_ ~gone~ $x$ :smile:",
    "\\",
    "&lt;",
    "line\r\n\u2028- item\n\n---\n",
    "\u202egnp.exe\x1b[31m\0",
]


@pytest.mark.parametrize("said", HOSTILE)
def test_untrusted_text_is_escaped(said: str) -> None:
    """It contains no special character of Markdown or HTML, and mentions nobody."""
    for page in (text(said), code(said)):
        bare = re.sub(r"</?code>|<br>", "", page)
        assert not re.search(r"[\\`*_\[\]<>|~@$]", bare)
        assert not re.search(r"&(?!#\d+;)", bare)
        assert "\n" not in page
        assert bare.isprintable()
    prose = re.sub(r"<code>.*?</code>", "", text(said))
    assert "://" not in prose
    assert not re.search(r"[@#]\w|GH-\d", html.unescape(prose))


@pytest.mark.parametrize("said", HOSTILE)
def test_no_text_breaks_a_page(said: str) -> None:
    """This holds for names, values, keys, files and messages."""

    def page(text: str) -> str:
        problem = Problem(code="x", summary=text, detail=text, hint=text, address=text)
        field = FieldChange(path=("envs", text), before=text, after=text, cause=Cause.BOTH)
        changed = change(endpoint(port=1), tracked(), live())
        made = Plan(
            changes=(replace(changed, name=text, reason=text, fields=(field,) * 4),),
            drift=(Drift(name=text, id=text, before={}, live=live(), fields=(field,)),),
            unmanaged=(replace(live(), name=text),),
        )
        return markdown_text(replace(samples.findings(made, problem), explained=True))

    hostile, harmless = (page(text).splitlines() for text in (said, "x"))
    shape("\n".join(hostile))
    assert [line[:2] for line in hostile] == [line[:2] for line in harmless]


RUNS: dict[str, RunReport] = {
    "plan": replace(samples.refused(), explained=True),
    "apply": samples.applied(Outcome.FAILED),
    "drift": samples.drifted(),
}


@pytest.mark.parametrize("name", RUNS)
def test_no_secret_is_in_it(name: str) -> None:
    """This holds for declared, applied and live secrets."""
    assert "hf_" not in markdown_text(RUNS[name])


def test_the_cost_has_a_table() -> None:
    """The total comes first, so that it stays if rows must go."""
    page = html.unescape(markdown_text(samples.costly())).replace("\u200b", "")
    shape(markdown_text(samples.costly()))
    table = page.partition("### Cost\n\n")[2].partition("\n\n")[0].splitlines()
    assert table[2].startswith(
        "|  | **total** | ~$4.1525 → at least ~$4.8446 | ~$3,031.33 → at least ~$3,536.55 |"
    )
    assert [row.split("<code>")[2].partition("<")[0] for row in table[3:]] == [
        "adopted",
        "fresh",
        "larger",
        "old",
        "scaled",
    ]
    assert "Budget per month: ceiling at least ~$8,083.53 of $9,000.00." in page


def test_a_cost_that_does_not_change_is_one_sentence() -> None:
    run = samples.costly()
    assert run.plan is not None
    assert run.plan.cost is not None
    cost = replace(run.plan.cost, changes=(), before=run.plan.cost.after)
    page = html.unescape(markdown_text(replace(run, plan=replace(run.plan, cost=cost)))).replace("\u200b", "")
    assert (
        "### Cost\n\nnot changed, at least ~$3,536.55 to at least ~$8,083.53 per month (730 hours).\n" in page
    )
