"""What a view asks for and is answered, one module a request; `feeds/catalog` lists them."""
