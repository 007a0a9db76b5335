"""The workspaces in `situations/` hold no tests of ours."""

collect_ignore = ["situations"]
