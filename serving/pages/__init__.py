"""The pages: one module of routes a noun, all rendered on the server and readable without JavaScript."""
