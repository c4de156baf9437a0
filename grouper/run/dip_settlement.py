"""From files to DIP money: the catalogue, preset and rules that an area names, in one go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grouper.engine.dip_reference import DipReference
from grouper.errors import SettlementError
from grouper.policy.load import area_folder, load_policy
from grouper.policy.model import Allow, Policy
from grouper.policy.variant import Setting, parse_setting
from grouper.records.read import Records
from grouper.run.catalogues import PricedCatalogue, read_catalogue
from grouper.run.dip import DEFAULT_PRESET, group_records
from grouper.run.dip_grouped import DipGrouped, dip_grouped
from grouper.run.settlement import SettledRun, latest_terms
from grouper.scheme.dip_preset import load_classes, load_layers, load_preset
from grouper.settle.dip_batch import settle_dip_batch
from weights.table import WeightTable

_TABLES = (".tsv", ".csv", ".xlsx")


def catalogue_path(area: str | Path, policy: Policy, named: str | None = None) -> Path:
    """The catalogue a user names, else the one beside the area's rules that they name.

    Raises SettlementError ST149 when there is none.
    """
    if named is not None:
        return Path(named)
    name = policy.terms[-1].scheme_id
    folder = area_folder(area)
    found = [folder / f"{name}{suffix}" for suffix in _TABLES]
    path = next((one for one in found if one.is_file()), None)
    if path is None:
        raise SettlementError("ST149", policy.area.id, catalogue=name, area=policy.area.id)
    return path


def reference_for(priced: PricedCatalogue, area: str | Path, policy: Policy) -> DipReference:
    """A catalogue ready to group as an area does: by a named preset, or one beside its rules."""
    rules = policy.terms[-1].dip
    preset: str | Path = (rules.preset if rules else "") or DEFAULT_PRESET
    beside = area_folder(area) / preset
    return DipReference(
        priced.catalogue,
        load_preset(beside if beside.is_file() else preset),
        load_classes(None),
        load_layers(),
        priced.tie_figures,
    )


def settle_dip_records(
    records: Records,
    area: str | Path,
    *,
    catalogue: str | None = None,
    allow: Allow = "verified",
) -> SettledRun:
    """Group records by an area's catalogue and pay them by its rules.

    Raises SchemeError, PolicyError, WeightError, SettlementError.
    """
    policy = load_policy(area)
    priced = read_catalogue(catalogue_path(area, policy, catalogue))
    rules = latest_terms(policy, records.batch).dip
    run = dip_grouped(
        group_records(records, reference_for(priced, area, policy)),
        adjustment_columns=rules.adjustment_columns if rules else (),
    )
    amounts = settle_dip_batch(records.batch, run.cases, priced.table, policy, allow=allow)
    return SettledRun(run, policy, priced.table, amounts, allow)


def settle_dip_again(
    run: DipGrouped,
    table: WeightTable,
    area: str | Path,
    *,
    catalogue: str | None = None,
    settings: Sequence[Setting] = (),
) -> SettledRun:
    """Grouped cases paid once more under other rules; pays nobody.

    catalogue: another one, to group the cases by. settings: values of the area set otherwise.
    Raises SchemeError, PolicyError, SettlementError.
    """
    if catalogue is not None:
        priced = read_catalogue(catalogue)
        named = (("scheme", priced.catalogue.id), ("weight_table", priced.table.id))
        settings = [*settings, *(parse_setting(f'{key}="{name}"') for key, name in named)]
    policy = load_policy(area, settings=settings)
    if catalogue is not None:
        rules = latest_terms(policy, run.records.batch).dip
        run = dip_grouped(
            group_records(run.records, reference_for(priced, area, policy)),
            adjustment_columns=rules.adjustment_columns if rules else (),
        )
        table = priced.table
    amounts = settle_dip_batch(run.records.batch, run.cases, table, policy, allow="unverified")
    return SettledRun(run, policy, table, amounts, "unverified")
