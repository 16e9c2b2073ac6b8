"""Chances that Grappler missed: found in a graph by rules, without TensorFlow, each with what stood in its way."""
