CREATE TABLE categories (
    id       {identity},
    name     TEXT NOT NULL,
    name_key TEXT NOT NULL,
    icon     TEXT
);
CREATE UNIQUE INDEX categories_name_key ON categories (name_key);

CREATE TABLE courses (
    -- The order of creation, and what the search index of SQLite points to.
    number           {identity},
    id               UUID        NOT NULL,
    teacher_id       BIGINT      NOT NULL REFERENCES teacher_profiles (id) ON DELETE CASCADE,
    category_id      BIGINT      REFERENCES categories (id) ON DELETE SET NULL,
    title            TEXT        NOT NULL,
    description      TEXT        NOT NULL,
    -- Title and description in lower case, a line each: what is searched.
    search_text      TEXT        NOT NULL,
    -- An URL of somebody else's, or a file of ours.
    trailer          TEXT,
    price            BIGINT      NOT NULL CHECK (price >= 0),
    is_free          BOOLEAN     NOT NULL,
    is_published     BOOLEAN     NOT NULL,
    thumbnail        TEXT,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    -- Derived: always what a recount gives.
    total_enrollments BIGINT     NOT NULL,
    total_lessons     BIGINT     NOT NULL,
    total_duration    BIGINT     NOT NULL,
    total_reviews     BIGINT     NOT NULL,
    average_rating    BIGINT     NOT NULL,
    total_revenue     BIGINT     NOT NULL,
    CHECK (NOT is_free OR price = 0)
);
CREATE UNIQUE INDEX courses_id_key ON courses (id);
CREATE INDEX courses_published_idx ON courses (created_at DESC, id) WHERE is_published;
CREATE INDEX courses_teacher_idx ON courses (teacher_id, created_at DESC, id);
CREATE INDEX courses_category_idx ON courses (category_id);

CREATE TABLE modules (
    id             UUID        NOT NULL PRIMARY KEY,
    course_id      UUID        NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    title          TEXT        NOT NULL,
    description    TEXT,
    position       BIGINT      NOT NULL CHECK (position >= 1),
    price          BIGINT      NOT NULL CHECK (price >= 0),
    is_free        BOOLEAN     NOT NULL,
    is_published   BOOLEAN     NOT NULL,
    image          TEXT,
    created_at     TIMESTAMPTZ NOT NULL,
    total_lessons  BIGINT      NOT NULL,
    total_duration BIGINT      NOT NULL,
    CHECK (NOT is_free OR price = 0)
);
CREATE UNIQUE INDEX modules_position_key ON modules (course_id, position);

CREATE TABLE lessons (
    id           UUID        NOT NULL PRIMARY KEY,
    module_id    UUID        NOT NULL REFERENCES modules (id) ON DELETE CASCADE,
    title        TEXT        NOT NULL,
    description  TEXT,
    position     BIGINT      NOT NULL CHECK (position >= 1),
    is_published BOOLEAN     NOT NULL,
    is_free      BOOLEAN     NOT NULL,
    -- Seconds; 0 is unknown.
    duration     BIGINT      NOT NULL CHECK (duration >= 0),
    video        TEXT,
    document     TEXT,
    thumbnail    TEXT,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX lessons_position_key ON lessons (module_id, position);
-- A private file is looked up by its name, to ask who may have it.
CREATE UNIQUE INDEX lessons_video_key ON lessons (video);
CREATE UNIQUE INDEX lessons_document_key ON lessons (document);

CREATE TABLE course_enrollments (
    id            {identity},
    student_id    BIGINT      NOT NULL REFERENCES student_profiles (id) ON DELETE CASCADE,
    course_id     UUID        NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    enrolled_at   TIMESTAMPTZ NOT NULL,
    ends_at       TIMESTAMPTZ,
    status        TEXT        NOT NULL
                  CHECK (status IN ('pending', 'active', 'completed', 'cancelled', 'expired')),
    access_type   TEXT        NOT NULL CHECK (access_type IN ('full_access', 'no_access')),
    is_completed  BOOLEAN     NOT NULL,
    is_active     BOOLEAN     NOT NULL,
    -- Hundredths of a percent.
    progress      BIGINT      NOT NULL CHECK (progress BETWEEN 0 AND 10000),
    last_activity TIMESTAMPTZ
);
CREATE UNIQUE INDEX course_enrollments_pair_key ON course_enrollments (student_id, course_id);
CREATE INDEX course_enrollments_course_idx ON course_enrollments (course_id, enrolled_at DESC, id DESC);

CREATE TABLE module_enrollments (
    id           {identity},
    student_id   BIGINT      NOT NULL REFERENCES student_profiles (id) ON DELETE CASCADE,
    module_id    UUID        NOT NULL REFERENCES modules (id) ON DELETE CASCADE,
    enrolled_at  TIMESTAMPTZ NOT NULL,
    ends_at      TIMESTAMPTZ,
    status       TEXT        NOT NULL
                 CHECK (status IN ('pending', 'active', 'completed', 'cancelled', 'expired')),
    is_completed BOOLEAN     NOT NULL,
    is_active    BOOLEAN     NOT NULL,
    progress     BIGINT      NOT NULL CHECK (progress BETWEEN 0 AND 10000)
);
CREATE UNIQUE INDEX module_enrollments_pair_key ON module_enrollments (student_id, module_id);
CREATE INDEX module_enrollments_module_idx ON module_enrollments (module_id);
