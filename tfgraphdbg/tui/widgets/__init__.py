"""The parts of the screens: each takes data, posts messages, and knows nothing of the others."""
