"""Only what pyproject.toml cannot say: how the kernel is compiled.

GROUPER_KERNEL_DEBUG=1 builds the kernel with bounds checks, for tests.
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("GROUPER_KERNEL_DEBUG", "0") == "1"

compile_args = ["/O2"] if sys.platform == "win32" else ["-O3", "-g0", "-fno-strict-aliasing"]

kernel = Extension(
    "grouper.engine._kernel",
    ["grouper/engine/_kernel.pyx"],
    extra_compile_args=compile_args,
    define_macros=[("Py_LIMITED_API", "0x030B0000")],
    py_limited_api=True,
)

setup(
    ext_modules=cythonize(
        [kernel],
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
