-- What is known of items, made from the lines. {new} is empty, or marks what is being
-- made anew beside it. name is the digest of the item's key; a line's place is its log
-- and its seq in one number.

-- What is kept of each item that was ever named. number grows in the order in which
-- they were first named. latest is when it was last told anything, 0 where it never was.
-- version is the transaction that wrote it last. What changes with every event is in no
-- index, and pages are half empty, so that a change stays where it is.
CREATE TABLE item{new} (
    name bytea NOT NULL,
    key text NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    latest bigint NOT NULL,
    state bytea NOT NULL,
    heard bytea NOT NULL,
    PRIMARY KEY (name)
) PARTITION BY HASH (name);
CREATE INDEX ON item{new} (number);

-- What items are looked for by: the present, effective answer of all of which anything
-- was ever shown. left_at is when what is gone was last told anything; held_at the same
-- of what is here and in something.
CREATE TABLE listed{new} (
    name bytea NOT NULL,
    key text NOT NULL,
    number bigint NOT NULL,
    status text,
    location text,
    custodian text,
    container text,
    left_at bigint,
    held_at bigint,
    PRIMARY KEY (name)
) PARTITION BY HASH (name);
CREATE INDEX ON listed{new} (status, number) WHERE status IS NOT NULL;
CREATE INDEX ON listed{new} ("left"(location, 200), number) WHERE location IS NOT NULL;
CREATE INDEX ON listed{new} ("left"(custodian, 200), number)
    WHERE custodian IS NOT NULL;
CREATE INDEX ON listed{new} ("left"(container, 200), number)
    WHERE container IS NOT NULL;
CREATE INDEX ON listed{new} (left_at) WHERE left_at IS NOT NULL;
CREATE INDEX ON listed{new} (held_at) WHERE held_at IS NOT NULL;

-- Which events speak of an item, as far as they do not fit into its row any more.
CREATE TABLE heard{new} (
    name bytea NOT NULL,
    first bigint NOT NULL,
    events bytea NOT NULL,
    PRIMARY KEY (name, first)
) PARTITION BY HASH (name);

-- Counts of a location, by its digest.
CREATE TABLE counted{new} (
    location bytea NOT NULL,
    occurred bigint NOT NULL,
    line bigint NOT NULL,
    PRIMARY KEY (location, occurred, line)
);

-- What left a place, by the digests of both, and when: a count from before that may
-- have missed it.
CREATE TABLE moved{new} (
    location bytea NOT NULL,
    occurred bigint NOT NULL,
    name bytea NOT NULL,
    item text NOT NULL,
    PRIMARY KEY (location, occurred, name)
);

-- What was ever expected on a load, by both digests.
CREATE TABLE expected{new} (
    load bytea NOT NULL,
    name bytea NOT NULL,
    item text NOT NULL,
    PRIMARY KEY (load, name)
);

-- What left the site by a scan of its own, and when.
CREATE TABLE departed{new} (
    occurred bigint NOT NULL,
    line bigint NOT NULL,
    name bytea NOT NULL,
    item text NOT NULL,
    PRIMARY KEY (occurred, line)
);

-- Exceptions of items: closed, open, and those that open at since if nothing happens.
CREATE TABLE exception{new} (
    name bytea NOT NULL,
    item text NOT NULL,
    code text NOT NULL,
    since bigint NOT NULL,
    event text NOT NULL,
    text text NOT NULL,
    until bigint,
    closed_by text
);
CREATE INDEX ON exception{new} (name, code, since);
CREATE INDEX ON exception{new} (since) WHERE until IS NULL;
CREATE INDEX ON exception{new} (since) WHERE until IS NOT NULL;
CREATE INDEX ON exception{new} (code, since) WHERE until IS NOT NULL;
