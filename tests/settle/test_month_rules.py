"""What a month rests on: the parameters behind it, and how firm they are."""

import shutil

from grouper.datafile import data_folder
from grouper.policy.load import load_policy
from grouper.settle.month_rules import month_rules


def test_a_month_rests_on_the_weakest_parameter_it_uses(tmp_path):
    """A default of this program is named, and no statement is firmer than it."""
    folder = tmp_path / "area"
    shutil.copytree(data_folder("areas", "demo"), folder)
    for file in ("area.toml", "policy-2025.toml"):
        text = (folder / file).read_text("utf-8").replace('"constructed"', '"official"')
        (folder / file).write_text(text, "utf-8")
    own = month_rules(load_policy(folder), "2025-06")
    # the area's deposit is official; claim and due days are known from reports
    assert (own.confidence, own.constructed_defaults) == ("published", [])
    text = (folder / "policy-2025.toml").read_text("utf-8")
    start = text.index("[deposit]")
    end = text.find("\n[", start)
    (folder / "policy-2025.toml").write_text(
        text[:start] + (text[end + 1 :] if end > 0 else ""), "utf-8"
    )
    default = month_rules(load_policy(folder), "2025-06")
    assert (default.rate, default.confidence) == (own.rate, "constructed")
    (issue,) = default.constructed_defaults
    assert (issue.code, issue.params["key"]) == ("ST108", "deposit")
