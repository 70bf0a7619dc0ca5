-- Times are whole milliseconds since 1970. Every name begins with `bartizan_`, as the file may be the service's own.

CREATE TABLE bartizan_sessions (
    number        INTEGER NOT NULL PRIMARY KEY,
    key           BLOB    NOT NULL UNIQUE CHECK (length(key) = 16),
    selector      BLOB    NOT NULL UNIQUE CHECK (length(selector) = 32),
    current       BLOB    NOT NULL CHECK (length(current) = 32),
    previous      BLOB             CHECK (length(previous) = 32),
    nonce         BLOB             CHECK (length(nonce) = 32),
    grace_until   INTEGER NOT NULL,
    binding       BLOB             CHECK (length(binding) = 32),
    kind          TEXT    NOT NULL CHECK (kind IN ('refresh', 'cookie')),
    tenant        TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    subject_epoch INTEGER NOT NULL CHECK (subject_epoch BETWEEN 0 AND 4294967295),
    global_epoch  INTEGER NOT NULL CHECK (global_epoch BETWEEN 0 AND 4294967295),
    begun         INTEGER NOT NULL,
    seen          INTEGER NOT NULL,
    idle_expires  INTEGER NOT NULL,
    expires       INTEGER NOT NULL,
    generation    INTEGER NOT NULL CHECK (generation >= 0),
    facts         TEXT    NOT NULL,
    ended_at      INTEGER,
    ended_why     TEXT             CHECK ((ended_why IS NULL) = (ended_at IS NULL)),
    -- The day in which it expires. A column of its own, so that a rotation moves an index entry once a day and not every time.
    stale_day     INTEGER NOT NULL
) STRICT;
CREATE INDEX bartizan_sessions_owner ON bartizan_sessions (tenant, subject);
CREATE INDEX bartizan_sessions_stale ON bartizan_sessions (stale_day);
CREATE INDEX bartizan_sessions_ended ON bartizan_sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX bartizan_sessions_windows ON bartizan_sessions (number) WHERE nonce IS NOT NULL;

-- How often, and when last, everything of a subject was ended. Never deleted: the counters must not begin again.
CREATE TABLE bartizan_session_ends (
    tenant  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    epoch   INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject)
) STRICT, WITHOUT ROWID;

-- The same for everybody: one row.
CREATE TABLE bartizan_session_end_of_all (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    at    INTEGER
) STRICT;
INSERT INTO bartizan_session_end_of_all (one, epoch, at) VALUES (1, 0, NULL);

-- AUTOINCREMENT: a position that was given is not given again after its row is gone.
CREATE TABLE bartizan_session_revocations (
    position  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    scope     TEXT    NOT NULL CHECK (scope IN ('token', 'session', 'subject', 'everything')),
    jti       TEXT    CHECK ((jti IS NULL) = (scope <> 'token')),
    session   BLOB    CHECK ((session IS NULL) = (scope <> 'session') AND length(session) = 16),
    tenant    TEXT    CHECK ((tenant IS NULL) = (scope <> 'subject')),
    subject   TEXT    CHECK ((subject IS NULL) = (scope <> 'subject')),
    epoch     INTEGER CHECK ((epoch IS NULL) = (scope IN ('token', 'session')) AND epoch BETWEEN 0 AND 4294967295),
    at        INTEGER NOT NULL,
    until     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX bartizan_session_revocations_jti ON bartizan_session_revocations (jti) WHERE jti IS NOT NULL;
CREATE INDEX bartizan_session_revocations_until ON bartizan_session_revocations (until);

CREATE TABLE bartizan_session_outbox (
    number    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    happening TEXT    NOT NULL,
    tenant    TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    session   TEXT,
    about     TEXT    NOT NULL,
    note      TEXT    NOT NULL
) STRICT;

CREATE TABLE bartizan_api_keys (
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    selector BLOB    NOT NULL UNIQUE CHECK (length(selector) = 32),
    secret   BLOB    NOT NULL CHECK (length(secret) = 32),
    tenant   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    scopes   TEXT    NOT NULL,
    made     INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    used     INTEGER,
    ended    INTEGER
) STRICT;
CREATE INDEX bartizan_api_keys_owner ON bartizan_api_keys (tenant, subject, made, id);
CREATE INDEX bartizan_api_keys_expires ON bartizan_api_keys (expires);
CREATE INDEX bartizan_api_keys_ended ON bartizan_api_keys (ended) WHERE ended IS NOT NULL;

CREATE TABLE bartizan_once (
    digest        BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    purpose       TEXT    NOT NULL,
    tenant        TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    data          TEXT    NOT NULL,
    expires       INTEGER NOT NULL,
    subject_epoch INTEGER NOT NULL CHECK (subject_epoch BETWEEN 0 AND 4294967295),
    global_epoch  INTEGER NOT NULL CHECK (global_epoch BETWEEN 0 AND 4294967295),
    UNIQUE (tenant, subject, purpose)
) STRICT;
CREATE INDEX bartizan_once_expires ON bartizan_once (expires);

-- The number as eight bytes, highest first, which compare as numbers do.
CREATE TABLE bartizan_counters (
    tenant  TEXT NOT NULL,
    subject TEXT NOT NULL,
    counter TEXT NOT NULL,
    value   BLOB NOT NULL CHECK (length(value) = 8),
    PRIMARY KEY (tenant, subject, counter)
) STRICT, WITHOUT ROWID;
