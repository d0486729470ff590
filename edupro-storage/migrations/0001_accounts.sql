-- One text for both engines. {identity} is the one type that differs; {bytewise} makes PostgreSQL
-- order a text as SQLite does, whatever the database's locale.

CREATE TABLE users (
    id            {identity},
    email         TEXT        NOT NULL,
    username      TEXT        NOT NULL,
    username_key  TEXT        NOT NULL,
    slug          TEXT,
    first_name    TEXT        NOT NULL,
    last_name     TEXT        NOT NULL,
    phone         TEXT,
    parent_phone  TEXT,
    password_hash TEXT        NOT NULL,
    user_type     TEXT        NOT NULL CHECK (user_type IN ('student', 'teacher', 'admin')),
    is_staff      BOOLEAN     NOT NULL,
    is_active     BOOLEAN     NOT NULL,
    avatar        TEXT,
    logo          TEXT,
    last_login    TIMESTAMPTZ,
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL
);
-- E-mail addresses are stored in lower case; a username keeps its case beside its key.
CREATE UNIQUE INDEX users_email_key ON users (email);
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE UNIQUE INDEX users_slug_key ON users (slug);
CREATE UNIQUE INDEX users_phone_key ON users (phone);

CREATE TABLE sessions (
    id         UUID        NOT NULL PRIMARY KEY,
    user_id    BIGINT      NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- How many refreshes it has had: a refresh token carries the number.
    generation BIGINT      NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    rotated_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ,
    user_agent TEXT
);
CREATE INDEX sessions_user_idx ON sessions (user_id, created_at);
CREATE INDEX sessions_expires_idx ON sessions (expires_at);

CREATE TABLE password_resets (
    user_id    BIGINT      NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- The code is computed from this and the school's secret; it stands nowhere.
    nonce      TEXT        NOT NULL,
    tries      BIGINT      NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);

-- A profile has the number of its user.
CREATE TABLE student_profiles (
    id            BIGINT      NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    full_name     TEXT        NOT NULL,
    -- Lower-case twins, made in Rust: SQLite's LOWER knows ASCII only.
    full_name_key TEXT {bytewise} NOT NULL,
    -- Username, e-mail address and full name, a line each: what a teacher searches.
    search_text   TEXT        NOT NULL,
    bio           TEXT,
    picture       TEXT,
    date_of_birth DATE,
    address       TEXT,
    country       TEXT,
    city          TEXT,
    gender        TEXT,
    updated_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE teacher_profiles (
    id                  BIGINT      NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    full_name           TEXT        NOT NULL,
    full_name_key       TEXT        NOT NULL,
    bio                 TEXT,
    picture             TEXT,
    date_of_birth       DATE,
    address             TEXT,
    country             TEXT,
    city                TEXT,
    gender              TEXT,
    specialization      TEXT,
    institution         TEXT,
    experiance          TEXT,
    logo                TEXT,
    primary_color       TEXT,
    primary_color_light TEXT,
    primary_color_dark  TEXT,
    secondary_color     TEXT,
    accent_color        TEXT,
    background_color    TEXT,
    -- The mean rating in hundredths.
    rating              BIGINT      NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL
);

CREATE TABLE teacher_students (
    id         {identity},
    teacher_id BIGINT      NOT NULL REFERENCES teacher_profiles (id) ON DELETE CASCADE,
    student_id BIGINT      NOT NULL REFERENCES student_profiles (id) ON DELETE CASCADE,
    is_active  BOOLEAN     NOT NULL,
    notes      TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX teacher_students_pair_key ON teacher_students (teacher_id, student_id);
CREATE INDEX teacher_students_created_idx ON teacher_students (teacher_id, created_at, student_id);
CREATE INDEX teacher_students_student_idx ON teacher_students (student_id);

CREATE TABLE limits (
    key         TEXT        NOT NULL PRIMARY KEY,
    count       BIGINT      NOT NULL,
    window_ends TIMESTAMPTZ NOT NULL,
    last_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX limits_window_idx ON limits (window_ends);

CREATE TABLE jobs (
    id         UUID        NOT NULL PRIMARY KEY,
    task       JSONB       NOT NULL,
    tries      BIGINT      NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- When it may be claimed: now, after a pause, or when somebody's claim runs out. Given up: NULL.
    due_at     TIMESTAMPTZ,
    expires_at TIMESTAMPTZ,
    failed_at  TIMESTAMPTZ,
    last_error TEXT
);
CREATE INDEX jobs_due_idx ON jobs (due_at);
