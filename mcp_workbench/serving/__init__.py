"""One module per method family: request -> bind -> run -> render -> reply. The only room that sees execution and live together."""
