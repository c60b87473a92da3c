"""Writes the cases of onnx's backend tests, node by node, to a directory: generate.py DIR"""

import builtins
import sys

import numpy

for name in ("bool", "int", "float", "complex", "object", "str"):  # which onnx 1.12 asks for and numpy 1.24 dropped
    setattr(numpy, name, getattr(builtins, name))

from onnx.backend.test import cmd_tools  # noqa: E402

sys.argv = [sys.argv[0], "generate-data", "-o", sys.argv[1]]
cmd_tools.main()
