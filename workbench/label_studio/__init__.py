"""The edge to Label Studio: requests, labelling configurations, tasks, annotations. It knows no workspace."""
