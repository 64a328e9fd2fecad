"""Results in the files and memory layouts of other programs: datasets, Arrow, maps, workbooks.

Each module writes one kind and imports its library when it is called. To add one, write a module here, bind it
in the package's ``__init__`` if results are to have a method of it, and add it to `cli/exporting.py`.
"""
