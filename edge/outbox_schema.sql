-- Version 1 of the outbox. A later version is a further file; this one never changes.

-- A station's logs, in the order in which they were begun; the last one is the present.
-- A log that was put together again after damage is there once for each of its parts.
CREATE TABLE log (
    id        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL,                   -- a random UUID
    first     INTEGER NOT NULL DEFAULT 0,         -- lines up to here are not here
    head      BLOB    NOT NULL,                   -- the log's head after line `first`
    last      INTEGER,                            -- of a log that was left: its end
    acked     INTEGER NOT NULL DEFAULT 0,         -- lines that the server has
    backed_up INTEGER NOT NULL DEFAULT 0,         -- lines in a checked copy of its data
    epoch     TEXT    NOT NULL DEFAULT '',        -- the server's history that has them
    -- Of a log that was left in a fork: the server has its lines up to `common`. Those
    -- behind were recorded again in the log `moved_to`, in order, numbered from 1.
    common    INTEGER,
    moved_to  TEXT,
    UNIQUE (name, first)
) STRICT;

-- One event each, as the bytes that were written, are sent, and are audited. Line n of
-- a log has the position id * 2^40 + n, so that a line is added at the end of the tree.
CREATE TABLE line (
    position  INTEGER PRIMARY KEY,
    bytes     BLOB NOT NULL,
    head      BLOB NOT NULL                       -- the log's head after this line
) STRICT;

-- Files that were set aside as damaged, and whose lines have been taken in from there.
CREATE TABLE aside (
    name      TEXT    PRIMARY KEY                 -- the file, beside the outbox
) STRICT;
