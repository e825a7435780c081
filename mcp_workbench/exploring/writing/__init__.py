"""Traffic as files of others: a recording of some calls, a pytest file, a notebook.

Everything goes through `recordings`, which withholds what is secret as `wb.record` does; `literals` writes values as Python. Nothing
an agent sent becomes code.
"""
