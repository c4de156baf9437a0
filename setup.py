"""Only what pyproject.toml cannot say: how the loops in Cython are compiled.

GROUPER_KERNEL_DEBUG=1 builds them with bounds checks, for tests.
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("GROUPER_KERNEL_DEBUG", "0") == "1"

compile_args = ["/O2"] if sys.platform == "win32" else ["-O3", "-g0", "-fno-strict-aliasing"]

#: the loops: over columns of cases, over spellings, cells and lines of files
MODULES = (
    "engine._kernel",
    "engine._dip",
    "records._spellings",
    "records._cells",
    "records._lines",
)

extensions = [
    Extension(
        f"grouper.{name}",
        [f"grouper/{name.replace('.', '/')}.pyx"],
        depends=["grouper/records/_bits.h"],
        extra_compile_args=compile_args,
        define_macros=[("Py_LIMITED_API", "0x030B0000")],
        py_limited_api=True,
    )
    for name in MODULES
]

setup(
    ext_modules=cythonize(
        extensions,
        force=DEBUG,
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
        },
    ),
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
