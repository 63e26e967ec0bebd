-- What is known of items, made from the lines. {new} is empty, or marks what is being
-- made anew beside it.

-- The present, effective answer of each item that was ever named. id grows in the order
-- in which they were first named, so that what is worked on lies together. latest is
-- when it was last told anything, 0 where it never was. state and heard are written by
-- server.store.shelf.
CREATE TABLE item{new} (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    status TEXT,
    location TEXT,
    custodian TEXT,
    container TEXT,
    gone INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    state BLOB NOT NULL,
    heard BLOB NOT NULL
);
CREATE INDEX item{new}_status ON item{new} (status) WHERE status IS NOT NULL;
CREATE INDEX item{new}_location ON item{new} (location) WHERE location IS NOT NULL;
CREATE INDEX item{new}_custodian ON item{new} (custodian) WHERE custodian IS NOT NULL;
CREATE INDEX item{new}_container ON item{new} (container) WHERE container IS NOT NULL;
CREATE INDEX item{new}_gone ON item{new} (latest) WHERE gone = 1;
CREATE INDEX item{new}_held ON item{new} (latest)
    WHERE container IS NOT NULL AND gone = 0;

-- Which events speak of an item, as far as they do not fit into its row any more.
CREATE TABLE heard{new} (
    item INTEGER NOT NULL,
    first INTEGER NOT NULL,
    events BLOB NOT NULL,
    PRIMARY KEY (item, first)
) WITHOUT ROWID;

-- Counts of a location.
CREATE TABLE counted{new} (
    location TEXT NOT NULL,
    occurred INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (location, occurred, position)
) WITHOUT ROWID;

-- What left a place, and when: a count from before that may have missed it.
CREATE TABLE moved{new} (
    location TEXT NOT NULL,
    occurred INTEGER NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (location, occurred, item)
) WITHOUT ROWID;

-- What was ever expected on a load.
CREATE TABLE expected{new} (
    load TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (load, item)
) WITHOUT ROWID;

-- What left the site by a scan of its own, and when.
CREATE TABLE departed{new} (
    occurred INTEGER NOT NULL,
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (occurred, position)
) WITHOUT ROWID;

-- Exceptions of items: closed, open, and those that open at since if nothing happens.
CREATE TABLE exception{new} (
    item TEXT NOT NULL,
    code TEXT NOT NULL,
    since INTEGER NOT NULL,
    event TEXT NOT NULL,
    text TEXT NOT NULL,
    until INTEGER,
    closed_by TEXT
);
CREATE INDEX exception{new}_item ON exception{new} (item, code, since);
CREATE INDEX exception{new}_open ON exception{new} (since, item, code)
    WHERE until IS NULL;
CREATE INDEX exception{new}_closed ON exception{new} (since, item, code)
    WHERE until IS NOT NULL;
CREATE INDEX exception{new}_closed_code ON exception{new} (code, since, item)
    WHERE until IS NOT NULL;
