"""What somebody would take instead, with the same rows, on the same disk, in one run.

Batches of a thousand rows of twenty stations: `bare` tables are the limit, the others
are servers and libraries as they come. What each of them does and does not do stands in
`abilities`.
"""
