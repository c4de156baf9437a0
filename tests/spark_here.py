"""Whether Spark can run on this machine, and if not, why."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from functools import cache

import pytest


@cache
def why_not() -> str:
    """Why the tests of Spark skip; "" if they can run."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed (extra [spark])"
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"
    if shutil.which(java) is None:
        return "there is no Java (17 or later)"
    told = subprocess.run([java, "-version"], capture_output=True, text=True)
    version = told.stderr.partition('"')[2].partition(".")[0].partition('"')[0]
    if not version.isdigit() or int(version) < 17:
        return f"Java 17 or later is needed, there is {version or 'none that answers'}"
    return ""


NEEDS_SPARK = [pytest.mark.spark, pytest.mark.skipif(bool(why_not()), reason=why_not())]
