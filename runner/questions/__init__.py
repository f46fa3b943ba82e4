"""A query as files, one for each question about a point and some members, and the answers collected."""
