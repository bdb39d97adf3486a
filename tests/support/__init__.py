"""What tests see of the product from outside: its published documents, HTTP answers, tables and bus."""
