-- The server's database, version 1. Times are microseconds since 1970, UTC.
-- Kept for ever: meta, station, log, delivery, line. All else can be made from these;
-- what is known of items is in answers.sql.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE station (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('station', 'host')),
    location TEXT,
    created INTEGER NOT NULL,
    joined INTEGER,
    token_hash BLOB UNIQUE,
    token_since INTEGER,
    next_hash BLOB UNIQUE,
    public_key BLOB,
    version TEXT NOT NULL DEFAULT '',
    host TEXT NOT NULL DEFAULT '',
    revoked INTEGER,
    heard INTEGER,
    horizon INTEGER,
    clock_offset INTEGER,
    health BLOB,
    reported INTEGER
);

-- Tokens that were replaced: whoever still shows one is another machine. host is that of
-- the machine that had it, where another has joined under the station's name since.
CREATE TABLE old_token (
    token_hash BLOB PRIMARY KEY,
    station INTEGER NOT NULL REFERENCES station,
    replaced INTEGER NOT NULL,
    host TEXT
) WITHOUT ROWID;

-- What passed in a moment and should be looked at; the latest of each kind.
CREATE TABLE incident (
    station INTEGER NOT NULL REFERENCES station,
    code TEXT NOT NULL,
    since INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    times INTEGER NOT NULL,
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (station, code)
) WITHOUT ROWID;

-- Each restore from a backup: what it held of each log, and what the log's station was
-- told before, once it has come back.
CREATE TABLE restored (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    made_at TEXT NOT NULL
);
CREATE TABLE restored_log (
    restored INTEGER NOT NULL REFERENCES restored,
    log INTEGER NOT NULL REFERENCES log,
    had INTEGER NOT NULL,
    told INTEGER,
    PRIMARY KEY (restored, log)
) WITHOUT ROWID;

-- What a station becomes that joins by it; replaces: also where another has the name.
-- Who made it and when is kept for as long as people may ask: see server.store.joining.
CREATE TABLE station_code (
    code_hash BLOB PRIMARY KEY,
    station INTEGER NOT NULL REFERENCES station,
    expires INTEGER NOT NULL,
    used INTEGER,
    replaces INTEGER NOT NULL,
    kind TEXT NOT NULL,
    location TEXT,
    made INTEGER NOT NULL,
    by TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    station INTEGER NOT NULL REFERENCES station,
    acked INTEGER NOT NULL,
    head BLOB NOT NULL,
    occurred INTEGER NOT NULL,
    backed_up INTEGER NOT NULL DEFAULT 0
);

-- What a station signed, and what its clocks showed, when lines came; in the order of
-- their arrival, each sealed with all before it: see server.seals. signature, public_key
-- and clock are NULL where a file of the archive has them.
CREATE TABLE delivery (
    number INTEGER PRIMARY KEY,
    log INTEGER NOT NULL REFERENCES log,
    last INTEGER NOT NULL,
    head BLOB NOT NULL,
    signature BLOB,
    public_key BLOB,
    clock TEXT,
    received INTEGER NOT NULL,
    seal BLOB NOT NULL,
    UNIQUE (log, last)
);

-- Exchanges in each boot of a station's machine, about one an hour. heard is what this
-- server's clock showed; received never goes back.
CREATE TABLE anchor (
    station INTEGER NOT NULL REFERENCES station,
    boot TEXT NOT NULL,
    mono INTEGER NOT NULL,
    clock TEXT NOT NULL,
    heard INTEGER NOT NULL,
    received INTEGER NOT NULL,
    PRIMARY KEY (station, boot, mono)
) WITHOUT ROWID;

-- position is the server's own order. occurred, lo, hi, basis come from timing. line is
-- NULL where a file of the archive has it.
CREATE TABLE line (
    position INTEGER PRIMARY KEY,
    log INTEGER NOT NULL REFERENCES log,
    seq INTEGER NOT NULL,
    received INTEGER NOT NULL,
    occurred INTEGER NOT NULL,
    lo INTEGER NOT NULL,
    hi INTEGER NOT NULL,
    basis TEXT NOT NULL,
    quarantined TEXT,
    line BLOB,
    UNIQUE (log, seq)
);
CREATE INDEX line_quarantined ON line (log, received) WHERE quarantined IS NOT NULL;

-- Files of archived lines, from the position first to last; up to the position taken the
-- lines are in the database no more, but for those that something was said by.
CREATE TABLE archive (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    lines INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    taken INTEGER NOT NULL
);

CREATE TABLE voided (
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    received INTEGER NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (log, seq, received, by)
) WITHOUT ROWID;

-- Up to where each webhook's receiver has taken events.
CREATE TABLE hook (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

-- Which lines say something that no scan shows, and of what: see shared.hosts.Topic.
CREATE TABLE said (
    topic INTEGER NOT NULL,
    key TEXT NOT NULL,
    occurred INTEGER NOT NULL,
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (topic, key, occurred, log, seq)
) WITHOUT ROWID;
CREATE INDEX said_position ON said (position, topic);

-- The words of every title that was ever given, by the position of the line that gave it;
-- which of them holds is in said. Words come from server.titles, parted by blanks.
CREATE VIRTUAL TABLE title USING fts5 (
    words, content='', detail='none', columnsize=0, prefix='2 3', tokenize='ascii'
);

-- The same of every remark on an item.
CREATE VIRTUAL TABLE remark USING fts5 (
    words, content='', detail='none', columnsize=0, prefix='2 3', tokenize='ascii'
);
