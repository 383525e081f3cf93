"""Rebuilds an exported network from an allow-list of Keras's layers, and computes it in NumPy.

Nothing of the student's runs here, and neither does TensorFlow: a layer is its settings, which
are checked, and its arrays, whose shapes must be those that the settings ask for.
"""
