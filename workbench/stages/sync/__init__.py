"""The stages between a workspace and a Label Studio project: tables in, tables out, the server in between."""
