"""`wb.connect()`: the same Peer on the client side."""
