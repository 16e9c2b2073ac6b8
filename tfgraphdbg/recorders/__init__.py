"""The only folder that imports TensorFlow; its programs run in a process of their own, or in place."""
