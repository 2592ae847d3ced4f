"""Studies: spec to plan to trials to store; the only place that loops, times and counts bytes."""
