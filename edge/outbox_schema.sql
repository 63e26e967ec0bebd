-- Version 1 of the outbox. A later version is a further file; this one never changes.

-- A station's logs, in the order in which they were begun; the last one is the present.
CREATE TABLE log (
    id        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,            -- a random UUID
    base      INTEGER NOT NULL,                   -- line n has the position base + n
    acked     INTEGER NOT NULL DEFAULT 0,         -- lines that the server has
    backed_up INTEGER NOT NULL DEFAULT 0,         -- lines in a checked copy of its data
    -- Of a log that was left: the server has its lines up to here. Those behind were
    -- recorded again in the log after it, in order, numbered from 1.
    common    INTEGER
) STRICT;

-- One event each, as the bytes that were written, are sent, and are audited. Positions
-- only grow, so that a line is always added at the end of the tree.
CREATE TABLE line (
    position  INTEGER PRIMARY KEY,
    bytes     BLOB NOT NULL,
    head      BLOB NOT NULL                       -- the log's head after this line
) STRICT;
