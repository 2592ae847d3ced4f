"""Claims of publications, checked against the results of a study."""
