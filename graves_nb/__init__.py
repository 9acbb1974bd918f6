"""Graves (2013), "Generating Sequences With Recurrent Neural Networks", built piece by piece.

Each module holds one idea of the paper and is short enough to be read in a chapter of the book.
"""

__version__ = "0.1.0"
