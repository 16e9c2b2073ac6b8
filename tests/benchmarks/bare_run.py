"""The bare script that recording is compared with: import a program, trace its train step, run it once."""

import importlib.util
import sys

spec = importlib.util.spec_from_file_location("program", sys.argv[1])
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)
print(float(program.train_step(*program.train_step_inputs())))
