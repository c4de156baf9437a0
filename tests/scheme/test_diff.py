"""What changed between two schemes: every planted change is found and named, nothing else is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouper.scheme.change import KINDS, SUBJECTS, Change, Diff, in_order
from grouper.scheme.diff import diff
from grouper.scheme.load import load_scheme
from grouper.scheme.model import CodeList, Complication, Scheme
from grouper.scheme.write import digest, write_scheme

MINI = Path(__file__).parents[1] / "data" / "schemes" / "mini"
IDS = [
    "beijing_2024", "chs_drg_11", "chs_drg_20", "chs_drg_30", "foshan_2022", "guangxi_2022",
    "henan_2024", "qingyang_2023", "shanxi_2024",
]  # fmt: skip

RULES = ("mdc", "adrg", "drg")
Edit = tuple[str, str, str]
Expected = list[tuple[str, str, str]]

#: name, edits (file, old text, new text), and what must be found (kind, before, after)
PLANTED: list[tuple[str, list[Edit], Expected]] = [
    (
        "an MDC is added",
        [
            ("mdc", "4\tB\t", "4\tC\t眼\tmain_dx in MDCP_dx\n5\tB\t"),
            (
                "adrg",
                "6\tB\tBB1\t开",
                "20\tC\tCZ1\t眼病\tmedical\tmain_dx in MDCP_dx\n6\tB\tBB1\t开",
            ),
            ("drg", "7\tBB1\t", "20\tCZ1\tCZ19\t眼病\tTrue\n7\tBB1\t"),
        ],
        [("mdc_added", "", "MDCC"), ("adrg_added", "", "CZ1")],
    ),
    ("an MDC is renamed", [("mdc", "神经系统", "神经")], [("mdc_renamed", "MDCB", "MDCB")]),
    (
        "an MDC is tried earlier",
        [
            ("mdc", "1\tA\t先期分组\tTrue\n", ""),
            ("mdc", "4\tB\t", "8\tA\t先期分组\tTrue\n9\tB\t"),
            ("adrg", "1\tA\tAA1\t心脏移植\tsurgical\tmain_px in AA1_px\n", ""),
            (
                "adrg",
                "6\tB\tBB1\t开",
                "20\tA\tAA1\t心脏移植\tsurgical\tmain_px in AA1_px\n6\tB\tBB1\t开",
            ),
        ],
        [("mdc_moved", "MDCA", "MDCA")],
    ),
    (
        "the condition of an MDC is wider",
        [("mdc", "main_dx in MDCB_dx", "any_dx in MDCB_dx")],
        [("mdc_condition", "MDCB", "MDCB")],
    ),
    (
        "an ADRG gets another code",
        [
            ("adrg", "BR1\t脑梗死", "BS1\t脑梗死"),
            ("drg", "BR1\tBR11", "BS1\tBS11"),
            ("drg", "BR1\tBR15", "BS1\tBS15"),
        ],
        [
            ("adrg_recoded", "BR1", "BS1"),
            ("drg_recoded", "BR11", "BS11"),
            ("drg_recoded", "BR15", "BS15"),
        ],
    ),
    (
        "an ADRG moves to another MDC",
        [
            ("adrg", "4\tZ\tZB1\t多发伤手术\tsurgical\tany_px in ZB1_px\n", ""),
            (
                "adrg",
                "6\tB\tBB1\t开",
                "20\tB\tBA1\t多发伤手术\tsurgical\tany_px in ZB1_px\n6\tB\tBB1\t开",
            ),
            ("drg", "ZB1\tZB19", "BA1\tBA19"),
        ],
        [("adrg_recoded", "ZB1", "BA1"), ("drg_recoded", "ZB19", "BA19")],
    ),
    (
        "an ADRG is renamed",
        [("adrg", "BR1\t脑梗死", "BR1\t脑梗塞")],
        [("adrg_renamed", "BR1", "BR1")],
    ),
    (
        "an ADRG is of another kind",
        [("adrg", "足月儿\tmedical", "足月儿\tprocedure")],
        [("adrg_kind", "PU1", "PU1")],
    ),
    (
        "an ADRG is removed",
        [
            ("adrg", "4\tZ\tZB1\t多发伤手术\tsurgical\tany_px in ZB1_px\n", ""),
            ("drg", "5\tZB1\tZB19\t多发伤手术\tTrue\n", ""),
        ],
        [("adrg_removed", "ZB1", "")],
    ),
    (
        "an ADRG is merged into another that has its codes",
        [
            ("adrg", "7\tB\tBB2\t联合开颅术\tsurgical\thits(any_px, BB1_px) >= 2\n", ""),
            ("drg", "10\tBB2\tBB29\t联合开颅术\tTrue\n", ""),
        ],
        [("adrg_merged", "BB1 BB2", "BB1")],
    ),
    (
        "an ADRG is split by its codes",
        [
            (
                "adrg",
                "10\tB\tBR1\t",
                "20\tB\tBB3\t脑活检\tsurgical\tmain_px in BB3_px\n10\tB\tBR1\t",
            ),
            ("drg", "11\tBR1\t", "20\tBB3\tBB39\t脑活检\tTrue\n11\tBR1\t"),
            ("lists", "BB1_px\tpx\t01.3100\n", "BB3_px\tpx\t01.3100\n"),
        ],
        [
            ("adrg_split", "BB2", "BB2 BB3"),
            ("list_added", "", "BB3_px"),
            ("code_moved", "01.3100", "01.3100"),
        ],
    ),
    (
        "an ambiguous group is removed",
        [("adrg", "9\tB\tBQY\t歧义组\tambiguous\tmain_px in VALID_PX\n", "")],
        [("ambiguous_removed", "BQY", "")],
    ),
    (
        "an ADRG is tried first",
        [
            ("adrg", "10\tB\tBR1\t脑梗死\tmedical\tmain_dx in BR1_dx\n", ""),
            (
                "adrg",
                "6\tB\tBB1\t开",
                "20\tB\tBR1\t脑梗死\tmedical\tmain_dx in BR1_dx\n6\tB\tBB1\t开",
            ),
        ],
        [("rule_moved", "BR1", "BR1")],
    ),
    (
        "a way into an ADRG is added",
        [("adrg", "10\tB\tBR1\t", "20\tB\tBR1\t脑梗死\tmedical\tother_dx in BR1_dx\n10\tB\tBR1\t")],
        [("rule_added", "", "BR1")],
    ),
    (
        "a way into an ADRG is dropped",
        [("adrg", "8\tB\tBB1\t开颅术\tsurgical\tany_px in BB1_px and any_px in BB1_px2\n", "")],
        [("rule_removed", "BB1", "")],
    ),
    (
        "a condition of an ADRG is narrower",
        [("adrg", "weight < 1500", "weight < 1000")],
        [("rule_condition", "PS1", "PS1")],
    ),
    (
        "a DRG is split",
        [("drg", "13\tBZ1\t", "13\tBZ1\tBZ11\t其他神经系统疾患，伴\tmcc\n14\tBZ1\t")],
        [("drg_split", "BZ19", "BZ11 BZ19")],
    ),
    (
        "DRGs are merged",
        [("drg", "8\tBB1\tBB13\t开颅术，伴一般并发症或合并症\tmcc or cc\n", "")],
        [("drg_merged", "BB13 BB15", "BB15")],
    ),
    (
        "DRGs are drawn anew",
        [
            (
                "drg",
                "BB1\tBB11\t开颅术，伴严重并发症或合并症\tmcc",
                "BB1\tBB10\t开颅术，重症\ticu_hours > 120",
            )
        ],
        [("drg_redrawn", "BB11 BB13 BB15", "BB10 BB13 BB15")],
    ),
    (
        "a DRG gets another code",
        [("drg", "BR1\tBR11", "BR1\tBR17")],
        [("drg_recoded", "BR11", "BR17")],
    ),
    (
        "a DRG is renamed",
        [("drg", "脑梗死，≥70岁", "脑梗死，高龄")],
        [("drg_renamed", "BR11", "BR11")],
    ),
    (
        "a DRG that nothing reaches is added",
        [("drg", "13\tBZ1\t", "13\tBZ1\tBZ18\t其他，长期\tFalse\n14\tBZ1\t")],
        [("drg_added", "", "BZ18")],
    ),
    (
        "the order of DRGs matters",
        [
            ("drg", "7\tBB1\tBB11\t开颅术，伴严重并发症或合并症\tmcc\n", ""),
            (
                "drg",
                "9\tBB1\tBB15",
                "9\tBB1\tBB11\t开颅术，伴严重并发症或合并症\tmcc\n15\tBB1\tBB15",
            ),
        ],
        [("drg_moved", "BB11 BB13 BB15", "BB13 BB11 BB15")],
    ),
    (
        "a threshold of a DRG is lower",
        [("drg", "age >= 70", "age >= 65")],
        [("drg_condition", "BR11", "BR11")],
    ),
    (
        "a list is renamed",
        [
            ("adrg", "main_dx in BR1_dx", "main_dx in STROKE_dx"),
            ("lists", "BR1_dx\tdx\tI63.900", "STROKE_dx\tdx\tI63.900"),
        ],
        [("list_renamed", "BR1_dx", "STROKE_dx")],
    ),
    (
        "a list is dropped",
        [
            ("adrg", " and main_dx in BB1_dx", ""),
            ("lists", "BB1_dx\tdx\tG06.000\n", ""),
            ("lists", "BB1_dx\tdx\tI63.900\n", ""),
        ],
        [
            ("rule_condition", "BB1", "BB1"),
            ("list_removed", "BB1_dx", ""),
            ("code_removed", "G06.000", ""),
            ("code_removed", "I63.900", ""),
        ],
    ),
    (
        "a code goes from one list to another",
        [
            ("lists", "MDCZ_site2\tdx\tS27.100\n", ""),
            (
                "lists",
                "MDCZ_site1\tdx\tS06.000\n",
                "MDCZ_site1\tdx\tS06.000\nMDCZ_site1\tdx\tS27.100\n",
            ),
        ],
        [("code_moved", "S27.100", "S27.100")],
    ),
    (
        "a code is added",
        [("lists", "ZB1_px\t", "ZB1_px\tpx\t54.1200\nZB1_px\t")],
        [("code_added", "", "54.1200")],
    ),
    (
        "a code is removed",
        [("lists", "VALID_PX\tpx\t47.0100\n", "")],
        [("code_removed", "47.0100", "")],
    ),
    (
        "a CC is added",
        [("cc", "I63.900\t", "I10.x00\tCC\t1\nI63.900\t")],
        [("cc_added", "", "I10.x00")],
    ),
    ("an MCC is removed", [("cc", "J96.000\tMCC\t\n", "")], [("cc_removed", "J96.000", "")]),
    (
        "a CC becomes an MCC",
        [("cc", "E87.600\tCC", "E87.600\tMCC")],
        [("cc_to_mcc", "E87.600", "E87.600")],
    ),
    (
        "an MCC becomes a CC",
        [("cc", "I63.900\tMCC", "I63.900\tCC")],
        [("mcc_to_cc", "I63.900", "I63.900")],
    ),
    (
        "a CC has another table",
        [("cc", "E87.600\tCC\t1", "E87.600\tCC\t2")],
        [("cc_table", "E87.600", "E87.600")],
    ),
    (
        "a principal is excluded",
        [("exclusions", "P59.900\t", "P22.000\t1\nP59.900\t")],
        [("principal_added", "", "P22.000")],
    ),
    (
        "a principal excludes no more",
        [("exclusions", "P59.900\t1\n", "")],
        [("principal_removed", "P59.900", "")],
    ),
    (
        "a principal has another table",
        [("exclusions", "P59.900\t1\n", "P59.900\t2\n")],
        [("principal_moved", "P59.900", "P59.900")],
    ),
    (
        "a table is added",
        [("exclusions", "P59.900\t", "P07.100\t3\nP59.900\t")],
        [("table_added", "", "3"), ("principal_added", "", "P07.100")],
    ),
    (
        "a table is removed",
        [("exclusions", "I63.900\t2\n", "")],
        [
            ("cc_table", "I63.900", "I63.900"),
            ("table_removed", "2", ""),
            ("principal_removed", "I63.900", ""),
        ],
    ),
    (
        "a table is renumbered",
        [("exclusions", "I63.900\t2", "I63.900\t7"), ("cc", "MCC\t2", "MCC\t7")],
        [("table_renumbered", "2", "7")],
    ),
    (
        "a code is made gray",
        [("notgrouped", "dx\t", "dx\tR50.900\tgray\ndx\t")],
        [("notgrouped_added", "", "R50.900")],
    ),
    (
        "a code is gray no more",
        [("notgrouped", "dx\tR69.x00\tgray\n", "")],
        [("notgrouped_removed", "R69.x00", "")],
    ),
    (
        "a code is refused for another reason",
        [("notgrouped", "R69.x00\tgray", "R69.x00\tnot_for_grouping")],
        [("notgrouped_reason", "R69.x00", "R69.x00")],
    ),
]

#: other words for the same rules
REWRITTEN: list[tuple[str, list[Edit]]] = [
    ("the order is numbered otherwise", [("drg", "13\tBZ1", "99\tBZ1"), ("mdc", "4\tB", "99\tB")]),
    ("operands in another order", [
        ("adrg", "main_px in BB1_px and main_dx in BB1_dx",
         "main_dx in BB1_dx and main_px in BB1_px")]),
    ("De Morgan", [("adrg", "main_px in BB1_px and main_dx in BB1_dx",
                    "not (not main_px in BB1_px or not main_dx in BB1_dx)")]),
    ("distributed", [
        ("mdc", "age == 0 and (main_dx in MDCP_dx or any_dx in PREFIX_P07)",
         "age == 0 and main_dx in MDCP_dx or age == 0 and any_dx in PREFIX_P07")]),
    ("any is main or other", [
        ("adrg", "any_px in ZB1_px", "main_px in ZB1_px or other_px in ZB1_px")]),
    ("whole numbers", [
        ("drg", "age >= 70", "age > 69"), ("adrg", "age_days <= 28", "29 > age_days")]),
    ("after the MCC only the CC are left", [("drg", "mcc or cc", "cc")]),
    ("what is left, said or not", [
        ("drg", "BR1\tBR15\t脑梗死\tTrue", "BR1\tBR15\t脑梗死\tnot age >= 70")]),
    ("the same twice", [
        ("adrg", "main_dx in BR1_dx", "main_dx in BR1_dx or main_dx in BR1_dx")]),
    ("a table that excludes nothing", [("cc", "J96.000\tMCC\t", "J96.000\tMCC\t999")]),
]  # fmt: skip


def _edited(folder: Path, edits: list[Edit]) -> Scheme:
    """Mini with texts replaced, its counts made right."""
    folder = folder / "mini"
    shutil.copytree(MINI, folder)
    texts: dict[str, str] = {}
    for name, old, new in edits:
        text = texts.get(name) or (folder / f"{name}.tsv").read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}.tsv"
        texts[name] = text.replace(old, new)
    for name, text in texts.items():
        path = folder / f"{name}.tsv"
        path.write_text(_numbered(text) if name in RULES else text, "utf-8", newline="\n")
    head = folder / "scheme.toml"
    text = head.read_text("utf-8")
    rows = {n: (folder / f"{n}.tsv").read_text("utf-8").splitlines()[1:] for n in RULES}
    counts = {name: len(lines) for name, lines in rows.items()}
    counts["adrg"] = len({r.split("\t")[2] for r in rows["adrg"] if "\tambiguous\t" not in r})
    for name, count in counts.items():
        text = re.sub(rf"\b{name}_count = \d+", f"{name}_count = {count}", text)
    head.write_text(text, "utf-8")
    return load_scheme(folder)


def _numbered(text: str) -> str:
    """Rows numbered as they stand, in steps where a test asks for other numbers (99)."""
    head, *rows = text.splitlines()
    step = 10 if any(row.startswith("99\t") for row in rows) else 1
    rests = [row.split("\t", 1)[1] for row in rows]
    return "\n".join([head, *(f"{n * step}\t{rest}" for n, rest in enumerate(rests, 1)), ""])


def _shown(found: Diff) -> list[tuple[str, str, str]]:
    return [
        (c.kind, *(" ".join(side.codes) if side else "" for side in (c.before, c.after)))
        for c in found.changes
    ]


@pytest.mark.parametrize(
    ("edits", "expected"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED]
)
def test_a_planted_change_is_found_and_named_and_nothing_else(
    tmp_path: Path, edits: list[Edit], expected: Expected
) -> None:
    before, after = load_scheme(MINI), _edited(tmp_path, edits)
    found = diff(before, after)
    assert sorted(_shown(found)) == sorted(expected)
    assert in_order(change.mirrored() for change in diff(after, before).changes) == found.changes


def test_a_change_of_every_kind_is_planted() -> None:
    planted = {kind for _, _, expected in PLANTED for kind, _, _ in expected}
    mirrored = {
        KINDS[subject][kind] for subject in SUBJECTS for kind in KINDS[subject] if kind in planted
    }
    every = {kind for kinds in KINDS.values() for kind in kinds}
    assert planted | mirrored == every - {"adrg_redrawn"}  # proved on two national versions


@pytest.mark.parametrize("edits", [r[1] for r in REWRITTEN], ids=[r[0] for r in REWRITTEN])
def test_other_words_for_the_same_are_no_change(tmp_path: Path, edits: list[Edit]) -> None:
    before, after = load_scheme(MINI), _edited(tmp_path, edits)
    assert before.digest != after.digest
    assert _shown(diff(before, after)) == []
    assert diff(before, after).notes == ()


def test_a_further_way_in_makes_an_adrg_wider_and_one_less_narrower(tmp_path: Path) -> None:
    row = "8\tB\tBB1\t开颅术\tsurgical\tany_px in BB1_px and any_px in BB1_px2\n"
    fewer, mini = _edited(tmp_path, [("adrg", row, "")]), load_scheme(MINI)
    assert [c.relation for c in diff(mini, fewer).changes] == ["narrower"]
    assert [c.relation for c in diff(fewer, mini).changes] == ["wider"]


@pytest.mark.parametrize(
    ("old", "new", "relation"),
    [
        ("main_px in BB1_px and main_dx in BB1_dx", "main_px in BB1_px", "wider"),
        ("main_px in BB1_px and main_dx in BB1_dx",
         "main_px in BB1_px and main_dx in BB1_dx and sex == 1", "narrower"),
        ("main_px in BB1_px and main_dx in BB1_dx", "main_px in VALID_PX and main_dx in BB1_dx",
         "other"),
        ("weight < 1500", "weight <= 1500", "wider"),
        ("age_days <= 28", "not age_days > 28", "wider"),  # a missing number
        ("any_px in ZB1_px", "main_px in ZB1_px", "narrower"),
        ("hits(any_px, BB1_px) >= 2", "hits(any_px, BB1_px) >= 1", "wider"),
        ("weight < 1500", "weight < age", "unknown"),
    ],
)  # fmt: skip
def test_a_changed_condition_says_whether_more_or_fewer_cases_meet_it(
    tmp_path: Path, old: str, new: str, relation: str
) -> None:
    (change,) = diff(load_scheme(MINI), _edited(tmp_path, [("adrg", old, new)])).changes
    assert (change.kind, change.relation) == ("rule_condition", relation)
    assert change.before is not None
    assert change.after is not None
    assert old in change.before.text
    assert new in change.after.text


@pytest.mark.parametrize("scheme_id", IDS)
def test_a_scheme_does_not_differ_from_itself(
    scheme_id: str, load: Callable[[str], Scheme]
) -> None:
    found = diff(load(scheme_id), load(scheme_id))
    assert found.changes == ()
    assert [note.code for note in found.notes] == ["SW21"]


@pytest.mark.parametrize("scheme_id", ["foshan_2022"])
def test_nor_does_it_where_the_digest_does_not_tell(
    scheme_id: str, load: Callable[[str], Scheme]
) -> None:
    scheme = load(scheme_id)
    assert diff(scheme, replace(scheme, digest="other")).changes == ()


@pytest.fixture(scope="module")
def compared(load: Callable[[str], Scheme]) -> Callable[[str, str], Diff]:
    """The differences of two embedded schemes, worked out once."""
    return cache(lambda first, second: diff(load(first), load(second)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("chs_drg_11", "foshan_2022"),
        pytest.param("chs_drg_11", "chs_drg_20", marks=pytest.mark.large),
        pytest.param("chs_drg_20", "chs_drg_30", marks=pytest.mark.large),
        pytest.param("henan_2024", "guangxi_2022", marks=pytest.mark.large),
    ],
)
def test_the_difference_is_the_same_from_either_side(
    first: str, second: str, compared: Callable[[str, str], Diff]
) -> None:
    there, back = compared(first, second), compared(second, first)
    assert there.changes
    assert in_order(change.mirrored() for change in back.changes) == there.changes


def _of(found: Diff, kind: str) -> list[Change]:
    return [change for change in found.changes if change.kind == kind]


def test_what_is_known_of_two_versions_is_found(compared: Callable[[str, str], Diff]) -> None:
    """Facts of the two national versions, read from their files by eye."""
    found = compared("chs_drg_11", "chs_drg_20")
    recoded = {(c.before.codes, c.after.codes) for c in _of(found, "adrg_recoded")
               if c.before and c.after}  # fmt: skip
    assert (("AA1",), ("AA2",)) in recoded  # 心脏移植
    assert (("ES1",), ("ES2",)) in recoded  # 呼吸系统结核
    assert (("ES2",), ("ES1",)) in recoded  # 肺真菌病
    redrawn = {c.before.codes for c in _of(found, "adrg_redrawn") if c.before}
    assert ("FE1", "FE2") in redrawn  # 大血管手术: by catheter or not, now complex or not
    conditions = {c.after.codes[0]: c.relation for c in _of(found, "mdc_condition") if c.after}
    assert conditions["MDCA"] == "wider"  # needed a valid procedure, now anything
    assert conditions["MDCO"] == "narrower"  # no longer by any outcome of delivery


def test_a_region_differs_where_its_readme_says(compared: Callable[[str, str], Diff]) -> None:
    beijing = compared("chs_drg_20", "beijing_2024")
    removed = _of(beijing, "code_removed")
    assert len(removed) == 17  # the rows of its lists.tsv
    assert not list(beijing.of("cc"))
    foshan = compared("chs_drg_11", "foshan_2022")
    assert [c.before.codes for c in _of(foshan, "cc_to_mcc") if c.before] == [("S29.700",)]
    assert len(_of(foshan, "ambiguous_removed")) == 20


def test_only_some_subjects_and_mdcs(compared: Callable[[str, str], Diff]) -> None:
    found = compared("chs_drg_11", "foshan_2022")
    some = found.only(subjects=["conditions"], mdcs=["B"])
    assert some.changes
    assert {c.subject for c in some.changes} == {"conditions"}
    assert all("B" in c.mdcs for c in some.changes)
    assert found.only(mdcs=[]).changes == ()
    assert sum(len(found.only(subjects=[s]).changes) for s in SUBJECTS) == len(found.changes)
    assert sum(n for kinds in found.counts().values() for n in kinds.values()) == len(found.changes)


def test_schemes_of_other_code_editions_are_named() -> None:
    mini = load_scheme(MINI)
    other = replace(mini, id="other", codes="ICD-10 国临版 2.0", cc={})
    (note,) = diff(mini, replace(other, digest=digest(other))).notes
    assert note.code == "SW22"
    assert "ICD-10 国临版 2.0" in note.what("en")
    assert mini.codes in note.what("zh")
    same = replace(mini, id="other", codes=mini.codes.lower().replace(" ", "\u3000"), cc={})
    assert diff(mini, replace(same, digest=digest(same))).notes == ()


CODES = st.sampled_from(["A00.000", "B20.x00", "I63.900", "G06.000", "J18.900", "Z99.900"])


@given(
    st.dictionaries(CODES, st.builds(Complication, st.sampled_from(["MCC", "CC"]), st.just("1"))),
    st.dictionaries(CODES, st.builds(Complication, st.sampled_from(["MCC", "CC"]), st.just("1"))),
    st.sets(CODES),
    st.sets(CODES),
)
def test_every_row_of_codes_that_differs_is_one_change(
    cc: dict[str, Complication], other_cc: dict[str, Complication], add: set[str], more: set[str]
) -> None:
    mini = load_scheme(MINI)

    def variant(cc: dict[str, Complication], codes: set[str]) -> Scheme:
        part = mini.lists["MDCB_dx"]
        members = tuple(sorted({*part.codes, *codes}))
        lists = {**mini.lists, part.name: CodeList(part.name, "dx", members)}
        scheme = replace(mini, cc=cc, lists=lists)
        return replace(scheme, digest=digest(scheme))

    first, second = variant(cc, add), variant(other_cc, more)
    found = diff(first, second)
    changed = {c for c in cc.keys() | other_cc.keys() if cc.get(c) != other_cc.get(c)}
    assert {_codes(c) for c in found.of("cc")} == {(code,) for code in changed}
    codes = set(first.lists["MDCB_dx"].codes) ^ set(second.lists["MDCB_dx"].codes)
    assert {_codes(c) for c in found.of("lists")} == {(code,) for code in codes}
    assert len(list(found.of("lists"))) == len(codes)


def _codes(change: Change) -> tuple[str, ...]:
    side = change.after or change.before
    assert side is not None
    return side.codes


def test_a_written_region_and_its_whole_folder_do_not_differ(tmp_path: Path) -> None:
    scheme = load_scheme("qingyang_2023")
    write_scheme(scheme, tmp_path / scheme.id)
    assert diff(scheme, load_scheme(tmp_path / scheme.id)).changes == ()
