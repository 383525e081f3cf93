"""From an accuracy to a grade, with its reasons. `pipeline` is the whole way of one submission."""
