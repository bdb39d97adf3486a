"""The whole product on one machine, read from template.yaml: see local/README.md."""
