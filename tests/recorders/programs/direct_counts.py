"""What TensorFlow itself says of a program's train step, without tfgraphdbg: node counts by stage, as JSON."""

import importlib.util
import json
import sys

from tensorflow.python.eager import context

spec = importlib.util.spec_from_file_location("program", sys.argv[1])
program = importlib.util.module_from_spec(spec)
spec.loader.exec_module(program)

inputs = program.train_step_inputs()
concrete = program.train_step.get_concrete_function(*inputs)
context.enable_run_metadata()
program.train_step(*inputs)
ran = max(context.export_run_metadata().function_graphs, key=lambda graphs: len(graphs.pre_optimization_graph.node))
traced = concrete.graph.as_graph_def()
graphs = {"traced": traced, "pre-optimization": ran.pre_optimization_graph, "optimized": ran.post_optimization_graph}
graphs |= {f"partition:{number}": graph for number, graph in enumerate(ran.partition_graphs)}
user_lines = {
    op.name: lines[-1]
    for op in concrete.graph.get_operations()
    if (lines := [frame.lineno for frame in op.traceback if frame.filename == sys.argv[1]])
}
print(
    json.dumps(
        {
            "ops": {stage: len(graph.node) for stage, graph in graphs.items()},
            "edges": {stage: sum(len(node.input) for node in graph.node) for stage, graph in graphs.items()},
            "user_lines": user_lines,
        }
    )
)
