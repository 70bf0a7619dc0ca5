CREATE TABLE scope_keys (
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    tenant   TEXT    NOT NULL CHECK (tenant <> ''),
    subject  TEXT    NOT NULL,
    purpose  TEXT    NOT NULL CHECK (purpose <> ''),
    version  INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    state    TEXT    NOT NULL CHECK (state IN ('pending', 'active', 'retiring', 'revoked')),
    state_at INTEGER          CHECK ((state_at IS NULL) = (state IN ('active', 'revoked'))),
    wrapped  BLOB    NOT NULL CHECK (length(wrapped) <= 16384),
    created  INTEGER NOT NULL,
    UNIQUE (tenant, purpose, subject, version)
) STRICT, WITHOUT ROWID;

-- A scope has at most one active key. The empty subject is the tenant itself.
CREATE UNIQUE INDEX scope_keys_active ON scope_keys (tenant, purpose, subject) WHERE state = 'active';
