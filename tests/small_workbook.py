"""The official workbook in a few rows: every kind of rule, catch-alls, a repeated pair."""

from __future__ import annotations

import copy

Sheets = dict[str, list[list[object]]]

P_GATE = (
    "((NL=0) and (XSRTL>=29) and (XSRTL<366) and (ZYZD in DI_PV1) and (ZYSS not in OP_ALL)) or "
    "((NL=0) and (XSRTL<29))"
)
_SHEETS: Sheets = {
    "MDC": [
        ["按病组（DRG）付费3.0版分组方案配置信息"],
        ["MDC编码", "MDC名称", "MDC规则", "排序"],
        ["MDCA", "先期分组", None, 1.0],
        ["MDCP", "新生儿疾病", P_GATE, 2.0],
        ["MDCB", "神经系统", "ZYZD in DI_B00", 3.0],
        ["MDCM", "男性", "(ZYZD in DI_M00) and (XB = 1)", 4.0],
        ["MDCN", "女性", "(ZYZD in DI_N00) and (XB = 2)", 4.0],
        ["MDCO", "妊娠", "ZYZD in DI_O00", 5.0],
        ["MDCS", "感染", "ZYZD in DI_S00", 6.0],
        ["MDCE", "呼吸", "ZYZD in DI_B00", 7.0],
        ["0000", "", "", 8.0],
    ],
    "ADRG": [
        ["ADRG编码", "ADRG名称", "ADRG规则", "所属MDC编码", "MDC内排序"],
        ["AA1", "心肺移植", "ZYSS in OP_AA1", "MDCA", 1.0],
        ["PB1", "新生儿手术", "(XSRTL<29) and (ZYSS in OP_PB1)", "MDCP", 1.0],
        ["PQY", "", "(XSRTL<29) and (ZYSS in OP_ALL)", "MDCP", 2.0],
        ["PS1", "<1000g", "(XSRTL<29) and (XSRTZ<1000) and ({ZYZD, QTZD} in DI_PS1)", "MDCP", 3.0],
        ["PS5", ">=2500g", "(XSRTL<29) and (XSRTZ>2499) and ({ZYZD, QTZD} in DI_PS1)", "MDCP", 4.0],
        ["PU1", "足月儿", "(XSRTL<29) and ZYZD in DI_PU1", "MDCP", 5.0],
        [
            "PV1",
            "婴儿",
            "(XSRTL>=29) and (XSRTL<366) and (ZYZD in DI_PV1) and (ZYSS not in OP_ALL)",
            "MDCP",
            6.0,
        ],
        ["BR1", "脑卒中", "ZYZD in DI_BR1", "MDCB", 1.0],
        ["BQY", "", "ZYSS in OP_ALL", "MDCB", 2.0],
        ["B00", "", "", "MDCB", 3.0],
        ["BB1", "手术", "(ZYSS in OP1 and {ZYSS, QTSS} in OP2) or (ZYSS in OP3)", "MDCB", 4.0],
        ["BN1", "康复", "ZYSS in OP_BN1", "MDCB", 5.0],
        ["BZ1", "其他", "1", "MDCB", 6.0],
        ["MB1", "男手术", "ZYSS in OP3", "MDCM", 1.0],
        ["MQY", "", "ZYSS in OP_ALL", "MDCM", 2.0],
        ["MZ1", "男", "ZYZD in DI_M00", "MDCM", 3.0],
        ["NZ1", "女", "ZYZD in DI_N00", "MDCN", 1.0],
        ["NQY", "", "ZYSS in OP_ALL", "MDCN", 2.0],
        ["OR1", "分娩", "QTZD in DI_OR1", "MDCO", 1.0],
        ["OZ1", "妊娠", "ZYZD in DI_O00", "MDCO", 2.0],
        ["O00", "", "", "MDCO", 1.0],
        ["OQY", "", "ZYSS in OP_ALL", "MDCO", 3.0],
        ["SB1", "感染手术", "ZYSS in OP3", "MDCS", 1.0],
        ["SR1", "脓毒症", "ZYZD in DI_S00", "MDCS", 2.0],
        ["EZ1", "呼吸", "1", "MDCE", 1.0],
        ["EQY", "", "ZYSS in OP_ALL", "MDCE", 2.0],
        ["000", "", "", "0000", 1.0],
    ],
    "DRG": [
        ["DRG", "DRG名称", "DRG规则", "所属ADRG编码", "所属MDC编码", "排序"],
        ["AA19", "心肺移植", "", "AA1", "MDCA", 1.0],
        ["PB19", "新生儿手术", "", "PB1", "MDCP", 1.0],
        ["PQY", "", "", "PQY", "MDCP", 1.0],
        ["PS19", "", "", "PS1", "MDCP", 1.0],
        ["PS59", "", "", "PS5", "MDCP", 1.0],
        ["PU19", "", "", "PU1", "MDCP", 1.0],
        ["PV19", "", "", "PV1", "MDCP", 1.0],
        ["BR15", "脑卒中", None, "BR1", "MDCB", 1.0],
        ["BR1E", "", "QTZD in MCC and NL>=70", "BR1", "MDCB", 1.0],
        ["BR11", "", "QTZD in MCC", "BR1", "MDCB", 2.0],
        ["BR13", "", "QTZD in CC", "BR1", "MDCB", 3.0],
        ["BR1C", "", "NL<=6", "BR1", "MDCB", 4.0],
        ["BR1G", "", "NL>=70", "BR1", "MDCB", 5.0],
        ["BB10", "", "{ZYSS, QTSS} in OP_ARB", "BB1", "MDCB", 1.0],
        ["BB19", "", "", "BB1", "MDCB", 2.0],
        ["BN19", "", "", "BN1", "MDCB", 1.0],
        ["BZ19", "", "", "BZ1", "MDCB", 1.0],
        ["MB19", "", "", "MB1", "MDCM", 1.0],
        ["MZ19", "", "", "MZ1", "MDCM", 1.0],
        ["NZ19", "", "", "NZ1", "MDCN", 1.0],
        ["OR10", "", "QTSS in OP_EPI", "OR1", "MDCO", 1.0],
        ["OR19", "", "", "OR1", "MDCO", 2.0],
        ["OZ19", "", "", "OZ1", "MDCO", 1.0],
        ["SB19", "", "", "SB1", "MDCS", 1.0],
        ["SR19", "", "", "SR1", "MDCS", 1.0],
        ["EZ19", "", "", "EZ1", "MDCE", 1.0],
        ["B000", "", "", "B00", "MDCB", 1.0],
        ["0000", "", "", "000", "0000", 1.0],
    ],
    "集合": [
        ["集合编号", "ICD编码", "ICD名称", "类型编号"],
        *([name, code, "建", "DI"] for name, codes in {
            "DI_B00": "I63.900 G45.900", "DI_BR1": "I63.900", "DI_M00": "N40.x00",
            "DI_N00": "N80.000", "DI_O00": "O82.000", "DI_OR1": "Z37.000", "DI_S00": "A41.900",
            "DI_PS1": "P07.300", "DI_PU1": "P55.000", "DI_PV1": "P94.000",
        }.items() for code in codes.split()),
        *([name, code, "建", "OP"] for name, codes in {
            "OP_ALL": "33.5000 38.0001 01.2400 01.2401 02.0000 47.0100 74.1x00 37.0000",
            "OP_AA1": "33.5000", "OP_PB1": "37.0000", "OP1": "01.2400", "OP2": "01.2401",
            "OP3": "02.0000", "OP_BN1": "93.9000", "OP_ARB": "17.4100", "OP_EPI": "03.9100",
        }.items() for code in codes.split()),
        ["OP_ALL", "47.0100", "阑尾", "OP"],
    ],
    "CC": [
        ["疾病编码", "疾病名称", "排除表", "类型"],
        ["J96.000", "呼衰", "EX_1", "MCC"],
        ["E87.600", "低钾", "EX_2", "CC"],
        ["K92.201", "出血", None, "CC"],
    ],
    "排除表": [
        ["集合编号", "ICD编码", "ICD名称"],
        ["EX_1", "G45.900", "TIA"],
        ["EX_2", "I63.900", "梗死"],
        ["EX_103", "P22.000", ""],
    ],
}  # fmt: skip


def small_sheets() -> Sheets:
    """The sheets, free to change."""
    return copy.deepcopy(_SHEETS)
