"""A DIP workbook in the official layout: ten sheets, two rows of headers, joined cells, remarks.

Layout as public programs read the workbook (LQ-karl/DIP-3.0). Rows that public text shows are those
of tests/data/dip/national-3.0-partial.tsv; the others are constructed to meet every trap.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import openpyxl

#: one above the other; None: the cell is joined with the one left of it (above) or above it (below)
Headers = tuple[Sequence[str | None], ...]

DX = ("主要诊断编码", "主要诊断名称")


@dataclass
class Sheet:
    """Rows below the headers; joined: ranges like A5:A6 that are one cell."""

    title: str
    headers: Headers
    rows: list[Sequence[object]]
    joined: list[str] = field(default_factory=list)


#: two rows of headers: the upper one is joined over code and name
TWO_PRIORITY: Headers = (
    ("分类", "序号", "分组名称", "主要诊断", None, "主要手术\n操作", None, "说明"),
    (None, None, None, "编码", "名称", "编码", "名称", None),
)
TWO_BURNS: Headers = (
    ("分类", "序号", "主要诊断编码", "烧伤腐蚀\n伤程度", "其他诊断", None, "主要手术操作", None,
     "相关手术操作", None),
    (None, None, None, None, "编码", "面积", "编码", "名称", "编码", "名称"),
)  # fmt: skip


def sheets() -> dict[str, Sheet]:
    """All ten, by what they hold; a test may change any row."""
    return {
        "XQ": Sheet(
            "一、先期分组",
            TWO_PRIORITY,
            [
                ("先期分组", 1, "心肺联合移植", None, None, "33.6x00", "心肺联合移植术", None),
                (None, 6, "肾移植", None, None, "55.6100|55.6900", "肾移植术", None),
                (None, 9, "造血干细胞移植", None, None, "41.0300", "异体骨髓移植", "同胞全相合"),
                (None, 11, "ECMO", None, None, "39.6500", "体外膜肺氧合", None),
                (None, 12, "人工心脏", None, None, "37.5200x001", "人工心脏置入", None),
                # one group on two rows, its number in a joined cell
                (None, 14, "呼吸机或CRRT", None, None, "96.7201", "呼吸机≥96小时", "≥96小时"),
                (None, None, None, None, None, "39.9500x007", "CRRT", None),
                (None, 13, "呼吸机并CRRT", None, None, "96.7201 +\n39.9500X007", "两者", None),
                (None, 15, "人工肝", None, None, "50.9200x001", "人工肝治疗", None),
                (None, 16, "超低出生体重儿", "P07", "早产", None, None, "天龄＜29天，\n体重≤999克"),
                (None, 17, "极低出生体重儿", "P07", "早产", None, None,
                 "天龄＜29天，出生体重1000～1499克"),
                # the weight in the name, days without their unit
                (None, 18, "较低出生体重儿（1500～1999克）", "P07", "早产", None, None,
                 "天龄＜29"),
                (None, 19, "低出生体重儿", "P07", "早产", None, None,
                 "天龄不超过28天；出生体重大于等于2000克且小于2500克"),
            ],
            ["A4:A16", "B9:B10", "C9:C10"],
        ),
        "BX": Sheet(
            "二、并项规则下的核心病种",
            (("分类", "序号", *DX, "主要手术操作编码", "名称", "相关手术操作编码", "名称"),),
            [
                ("并项", 20, "A09.0", "感染性腹泻", "44.1300x001", "胃镜检查", None, None),
                ("并项", 26, "A40", "链球菌败血症", "34.0401", "胸腔闭式引流", None, None),
                ("并项", 27, "A40", "链球菌败血症", "93.9001", "无创呼吸", None, None),
                ("注：以下为阑尾炎。", None, None, None, None, None, None, None),
                ("并项", 917, "K35", "急性阑尾炎", "47.0100|47.0900", "切除", None, None),
                ("并项", 918, "K35", "急性阑尾炎", "47.0100", "腹腔镜切除", "54.5100x005|54.5101",
                 "粘连松解"),
                # the longer key stands first in the search, whatever its row
                ("并项", 919, "K35.3", "局限性腹膜炎", "47.0100", "腹腔镜切除", None, None),
                ("并项", 920, "K35.300x001", "穿孔", "47.0100", "腹腔镜切除", None, None),
                ("并项", 921, "E11.3|H25.1", "白内障", "13.4100x001+13.7100x001", "", None, None),
                # headers once more, as at the top of a printed page
                ("分类", "序号", *DX, "主要手术操作编码", "名称", "相关手术操作编码", "名称"),
                ("并项", 922, "C73.x", "甲状腺癌", "06.2x00|06.4x00", "切除", None, None),
            ],
        ),
        "burns": Sheet(
            "三、诊断辅助细分-烧伤类病种",
            TWO_BURNS,
            [
                ("烧伤", 1745, "T20-T25", "二度", "T31|T32", "＜10%", None, None, None, None),
                ("烧伤", 1746, "T20-T25", "二度", "T31|T32", "＜10%", "86.2201", "", None, None),
                ("烧伤", 1748, "T20-T25", "二度", "T31|T32", "10%～29%", None, None, None, None),
                ("烧伤", 1751, "T20-T25", "二度", "T31|T32", "30%-49%", None, None, None, None),
                ("烧伤", 1754, "T20-T25", "二度", "T31|T32", "≥50%", None, None, None, None),
                ("烧伤", 1755, "T20.3|T20.7", "三度", "T31.0|T32.0", "小于10%", None, None, None,
                 None),
                ("烧伤", 1760, "T20.3|T20.7", "Ⅲ度", None, "10-29%", None, None, None, None),
                ("烧伤", 1767, "T20.3|T20.7", "三度", None, "50%及以上", None, None, None, None),
                ("烧伤", 1768, "T20.3|T20.7", "三度", "T31|T32", "50%及以上", "86.2201", "清创",
                 "86.6900", "植皮"),
            ],
        ),
        "tumours": Sheet(
            "三、诊断辅助细分-肿瘤类病种",
            (("分类", "序号", *DX, "其他诊断编码", "名称", "主要手术操作/\n相关手术操作编码", ""),),
            [
                ("肿瘤", 1770, "Z51.1", "化疗", "C00-C75", "恶性肿瘤", "99.2503", "化疗"),
                ("肿瘤", 1771, "Z51.1", "化疗", "C00-C75", "肿瘤", "99.2503+99.2800x005", "免疫"),
                ("肿瘤", 1772, "Z51.1", "化疗", "C00-C75", "肿瘤", "99.2503+99.2800x006", "靶向"),
                ("肿瘤", 1790, "Z51.1", "化疗", "C91-C95", "白血病", "99.2503", "化疗"),
                ("肿瘤", 1794, "Z51.8", "其他", "C00-C75", "恶性肿瘤", "99.2800x005", "免疫"),
                ("肿瘤", 1795, "Z51.8", "其他", "C00-C75", "恶性肿瘤", "99.2800x006", "靶向"),
                ("肿瘤", 1796, "Z51.8", "其他", "C00-C75|C81-C86", "恶性肿瘤",
                 "99.2800x005+99.2800x006", "靶向+免疫"),
            ],
        ),
        "tuberculosis": Sheet(
            "三、诊断辅助细分-结核类病种",
            (("分类", "序号", *DX, "主要手术操作编码", "名称", "是否耐药", "是否耐药说明"),),
            [
                ("结核", 1836, "A15-A16", "肺结核", None, None, "是", "见附表，或其他诊断U84.3"),
                ("结核", 1837, "A15-A16", "肺结核", None, None, "否", None),
                ("结核", 1839, "A17", "神经结核", "03.3101", "腰穿", "否", None),
                ("结核", 1840, "A17", "神经结核", None, None, "是", None),
                ("结核", 1841, "A17", "神经结核", None, None, "否", None),
                ("结核", 1854, "A19", "粟粒结核", "33.2402", "支气管镜", "是", None),
                ("结核", 1855, "A19", "粟粒结核", "33.2402", "支气管镜", "否", None),
                ("结核", 1857, "A19", "粟粒结核", "保守治疗", None, "否", None),
            ],
        ),
        "resistant": Sheet(
            "附表—结核耐药诊断",
            (("诊断编码", "诊断名称"),),
            [("A15.001", "肺结核（耐药）"), ("A17.801", "脑结核（耐药）")],
        ),
        "JC": Sheet(
            "四、基础规则下的核心病种",
            (("分类", "序号", *DX, "主要手术操作编码", "名称"),),
            [
                ("基础", 1858, "A01.0", "伤寒", None, None),
                ("基础", 1859, "A01.0", "伤寒", "45.2300", "结肠镜"),
                ("基础", 1860, "K35.3", "局限性腹膜炎", None, None),
                ("基础", 1861, "K35.8", "阑尾炎", None, None),
                ("基础", 1862, "D24", "乳房良性肿瘤", "85.2100x003|85.2300x001", "切除"),
                ("基础", 1863, "D24", "乳房良性肿瘤", None, None),
                ("基础", 1864, "K25.0", "胃溃疡", "44.1300x001", "胃镜检查"),
                ("基础", 1865, "K25.0", "胃溃疡", None, None),
                ("基础", 1866, "I10", "高血压", "44.1300x001", "胃镜检查"),
                ("基础", 1867, "I10", "高血压", None, None),
                # lost zeros: the cell holds a number
                ("基础", 1868, "E04.1", "甲状腺结节", 6.31, "甲状腺病损切除术"),
                ("基础", 1869, "Z51.1", "化疗", None, None),
            ],
        ),
        "excluded_dx": Sheet(
            "五、不纳入分组的主要诊断",
            (("主要诊断", None), ("编码", "名称")),
            [("A09.900", "胃肠炎"), ("A16.000", "肺结核"), ("Z51.100", "化疗"), ("Z99.100", "")],
        ),
        "excluded_ops": Sheet(
            "五、不纳入分组的主要手术操作",
            (("主要手术操作编码", "主要手术操作名称", "说明"),),
            [
                ("00.0100", "超声治疗", "按保守治疗入组"),
                ("00.2900x001", "血管内显像", None),
                ("00.3101", "计算机辅助手术", "不可作为主要手术操作"),
                ("44.1300x001", "胃镜检查",
                 "限主要诊断范围：A00-A09、C15-C26、D01、D12、D13、D37、I85、K20-K93"),
                ("45.2300", "结肠镜", "限范围"),
                ("99.2800", "注射", "按保守治疗入组"),
            ],
            ["C3:C4"],
        ),
        "primary": Sheet(
            "六、基层病种",
            (("序号", *DX, "主要手术操作编码", "名称"),),
            [(1, "D24", "乳房良性肿瘤", "85.2300x001", "切除"), (2, "K35.8", "阑尾炎", None, None)],
        ),
    }  # fmt: skip


def workbook(of: Mapping[str, Sheet]) -> bytes:
    """The file: a title above the headers, joined cells joined."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for one in of.values():
        sheet = book.create_sheet(one.title)
        sheet.append([one.title])
        for headers in one.headers:
            sheet.append(list(headers))
        if len(one.headers) == 2:
            _join_headers(sheet, one.headers)
        for row in one.rows:
            sheet.append(list(row))
        for area in one.joined:
            sheet.merge_cells(area)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _join_headers(sheet: openpyxl.worksheet.worksheet.Worksheet, headers: Headers) -> None:
    upper, lower = headers
    for at, text in enumerate(upper, 1):
        if text is None:
            continue
        right = at
        while right < len(upper) and upper[right] is None:
            right += 1
        if right > at:
            sheet.merge_cells(start_row=2, end_row=2, start_column=at, end_column=right)
        elif lower[at - 1] is None:
            sheet.merge_cells(start_row=2, end_row=3, start_column=at, end_column=at)
