"""Small services that a Label Studio server calls: the only door of FastAPI and uvicorn."""
