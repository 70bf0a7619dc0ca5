-- Times are whole nanoseconds since 1970. Names are compared byte by byte, whatever the database's collation is.

-- The last revision: one row. Whoever writes holds it until it has committed, so that revisions are committed in their order
-- and without a gap. A sequence would hand them out before that, and would leave gaps.
CREATE TABLE {schema}.policy_feed (
    one      boolean PRIMARY KEY CHECK (one),
    revision bigint  NOT NULL CHECK (revision >= 0)
) WITH (fillfactor = 10);
INSERT INTO {schema}.policy_feed (one, revision) VALUES (true, 0);

-- One row for each revision. The mark is drawn at random: after a backup was put back, the same number is another commit, and
-- whoever has seen the former one sees by the mark that it has to load everything.
CREATE TABLE {schema}.policy_commits (
    revision bigint  PRIMARY KEY CHECK (revision >= 0),
    mark     bytea   NOT NULL CHECK (length(mark) = 16),
    kind     text    NOT NULL CHECK (kind IN ('changes', 'policy')),
    changes  bigint  NOT NULL CHECK (changes >= 0)
);
INSERT INTO {schema}.policy_commits (revision, mark, kind, changes)
    VALUES (0, uuid_send(gen_random_uuid()), 'policy', 0);

-- What a commit changed, in its order.
CREATE TABLE {schema}.policy_changes (
    revision   bigint  NOT NULL REFERENCES {schema}.policy_commits (revision) ON DELETE CASCADE,
    ordinal    bigint  NOT NULL,
    kind       text    NOT NULL CHECK (kind IN ('assign', 'revoke', 'join', 'leave', 'remove')),
    tenant     text    COLLATE "C" NOT NULL,
    subject    text    COLLATE "C",
    group_name text    COLLATE "C",
    role       text    COLLATE "C" CHECK ((role IS NULL) = (kind NOT IN ('assign', 'revoke'))),
    not_before bigint,
    expires    bigint,
    granted_by text    COLLATE "C",
    reason     text    COLLATE "C",
    PRIMARY KEY (revision, ordinal),
    CHECK (CASE kind
        WHEN 'remove' THEN subject IS NOT NULL AND group_name IS NULL
        WHEN 'join' THEN subject IS NOT NULL AND group_name IS NOT NULL
        WHEN 'leave' THEN subject IS NOT NULL AND group_name IS NOT NULL
        ELSE (subject IS NULL) <> (group_name IS NULL) END)
);

-- The policy file: no row, or one.
CREATE TABLE {schema}.policy_document (
    one  boolean PRIMARY KEY CHECK (one),
    form text    NOT NULL CHECK (form IN ('toml', 'json')),
    text text    COLLATE "C" NOT NULL
);

-- Who holds what now. The tenant is empty for a subject above tenants.
CREATE TABLE {schema}.policy_assignments (
    tenant     text    COLLATE "C" NOT NULL,
    holder     text    COLLATE "C" NOT NULL CHECK (holder <> ''),
    is_group   boolean NOT NULL,
    role       text    COLLATE "C" NOT NULL CHECK (role <> ''),
    not_before bigint,
    expires    bigint,
    granted_by text    COLLATE "C",
    reason     text    COLLATE "C",
    PRIMARY KEY (tenant, holder, is_group, role),
    CHECK (tenant <> '' OR NOT is_group)
);

-- Who is in which group now.
CREATE TABLE {schema}.policy_members (
    tenant     text COLLATE "C" NOT NULL CHECK (tenant <> ''),
    subject    text COLLATE "C" NOT NULL CHECK (subject <> ''),
    group_name text COLLATE "C" NOT NULL CHECK (group_name <> ''),
    PRIMARY KEY (tenant, subject, group_name)
);
