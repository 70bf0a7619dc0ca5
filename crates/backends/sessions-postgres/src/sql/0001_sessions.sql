-- Times are whole milliseconds since 1970. Names are compared byte by byte, whatever the database's collation is.

CREATE TABLE {schema}.sessions (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           bytea  NOT NULL UNIQUE CHECK (length(key) = 16),
    selector      bytea  NOT NULL UNIQUE CHECK (length(selector) = 32),
    current       bytea  NOT NULL CHECK (length(current) = 32),
    previous      bytea  CHECK (length(previous) = 32),
    nonce         bytea  CHECK (length(nonce) = 32),
    grace_until   bigint NOT NULL,
    binding       bytea  CHECK (length(binding) = 32),
    kind          text   NOT NULL CHECK (kind IN ('refresh', 'cookie')),
    tenant        text   COLLATE "C" NOT NULL,
    subject       text   COLLATE "C" NOT NULL,
    subject_epoch bigint NOT NULL CHECK (subject_epoch BETWEEN 0 AND 4294967295),
    global_epoch  bigint NOT NULL CHECK (global_epoch BETWEEN 0 AND 4294967295),
    begun         bigint NOT NULL,
    seen          bigint NOT NULL,
    idle_expires  bigint NOT NULL,
    expires       bigint NOT NULL,
    generation    bigint NOT NULL CHECK (generation >= 0),
    facts         text   NOT NULL,
    ended_at      bigint,
    ended_why     text   CHECK ((ended_why IS NULL) = (ended_at IS NULL)),
    -- The day in which it expires. A column of its own, so that a rotation changes no indexed column but once a day, and Postgres
    -- writes the new row beside the old one without touching an index (HOT): that is what the fill factor leaves room for.
    stale_day     bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX ON {schema}.sessions (tenant, subject);
CREATE INDEX ON {schema}.sessions (stale_day);
CREATE INDEX ON {schema}.sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX ON {schema}.sessions (number) WHERE nonce IS NOT NULL;

-- How often, and when last, everything of a subject was ended. Never deleted: the counters must not begin again.
CREATE TABLE {schema}.ends (
    tenant  text   COLLATE "C" NOT NULL,
    subject text   COLLATE "C" NOT NULL,
    epoch   bigint NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    at      bigint NOT NULL,
    PRIMARY KEY (tenant, subject)
);

-- The same for everybody: one row.
CREATE TABLE {schema}.end_of_all (
    one   boolean PRIMARY KEY CHECK (one),
    epoch bigint  NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    at    bigint
);
INSERT INTO {schema}.end_of_all (one, epoch, at) VALUES (true, 0, NULL);

-- The last position in the feed: one row. Whoever writes to the feed draws its position from here and holds the row until it
-- has committed, so that positions are committed in their order. A sequence would hand them out before that.
CREATE TABLE {schema}.feed (
    one  boolean PRIMARY KEY CHECK (one),
    last bigint  NOT NULL
) WITH (fillfactor = 10);
INSERT INTO {schema}.feed (one, last) VALUES (true, 0);

CREATE TABLE {schema}.revocations (
    position  bigint PRIMARY KEY,
    scope     text   NOT NULL CHECK (scope IN ('token', 'session', 'subject', 'everything')),
    jti       text   COLLATE "C" UNIQUE CHECK ((jti IS NULL) = (scope <> 'token')),
    session   bytea  CHECK ((session IS NULL) = (scope <> 'session') AND length(session) = 16),
    tenant    text   COLLATE "C" CHECK ((tenant IS NULL) = (scope <> 'subject')),
    subject   text   COLLATE "C" CHECK ((subject IS NULL) = (scope <> 'subject')),
    epoch     bigint CHECK ((epoch IS NULL) = (scope IN ('token', 'session')) AND epoch BETWEEN 0 AND 4294967295),
    at        bigint NOT NULL,
    until     bigint NOT NULL
);
CREATE INDEX ON {schema}.revocations (until);

-- A sequence will do: entries are taken away by their number and never passed by.
CREATE TABLE {schema}.outbox (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            bigint NOT NULL,
    happening     text   NOT NULL,
    tenant        text   NOT NULL,
    subject       text   NOT NULL,
    session       bytea  CHECK (length(session) = 16),
    subject_epoch bigint CHECK ((subject_epoch IS NULL) = (session IS NULL)),
    global_epoch  bigint CHECK ((global_epoch IS NULL) = (session IS NULL)),
    about         text   NOT NULL,
    note          text   NOT NULL
);

CREATE TABLE {schema}.api_keys (
    id       bytea  PRIMARY KEY CHECK (length(id) = 16),
    selector bytea  NOT NULL UNIQUE CHECK (length(selector) = 32),
    secret   bytea  NOT NULL CHECK (length(secret) = 32),
    tenant   text   COLLATE "C" NOT NULL,
    subject  text   COLLATE "C" NOT NULL,
    name     text   NOT NULL,
    scopes   text   NOT NULL,
    made     bigint NOT NULL,
    expires  bigint NOT NULL,
    used     bigint,
    ended    bigint
);
CREATE INDEX ON {schema}.api_keys (tenant, subject, made, id);
CREATE INDEX ON {schema}.api_keys (expires);
CREATE INDEX ON {schema}.api_keys (ended) WHERE ended IS NOT NULL;

CREATE TABLE {schema}.once (
    digest        bytea  PRIMARY KEY CHECK (length(digest) = 32),
    purpose       text   COLLATE "C" NOT NULL,
    tenant        text   COLLATE "C" NOT NULL,
    subject       text   COLLATE "C" NOT NULL,
    data          text   NOT NULL,
    expires       bigint NOT NULL,
    subject_epoch bigint NOT NULL CHECK (subject_epoch BETWEEN 0 AND 4294967295),
    global_epoch  bigint NOT NULL CHECK (global_epoch BETWEEN 0 AND 4294967295),
    UNIQUE (tenant, subject, purpose)
);
CREATE INDEX ON {schema}.once (expires);

-- The number as eight bytes, highest first, which compare as numbers do.
CREATE TABLE {schema}.counters (
    tenant  text  COLLATE "C" NOT NULL,
    subject text  COLLATE "C" NOT NULL,
    counter text  COLLATE "C" NOT NULL,
    value   bytea NOT NULL CHECK (length(value) = 8),
    PRIMARY KEY (tenant, subject, counter)
);
