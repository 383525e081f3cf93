"""How a notebook prepared its images, proved on what it gave to its networks.

What a notebook gave is a *claim*. Each claimed row is matched to one of the grader's own images;
the grader's own family of label-free preparations is fitted to the pairs, proved on pairs that
were kept back, and applied to the grader's own images. A lie can only select another member of
the family, see docs/preparations.md.
"""
