CREATE TABLE coupons (
    id         {identity},
    teacher_id BIGINT      NOT NULL REFERENCES teacher_profiles (id) ON DELETE CASCADE,
    code       TEXT        NOT NULL,
    status     TEXT        NOT NULL CHECK (status IN ('full_accessed', 'limited_access')),
    max_uses   BIGINT      NOT NULL CHECK (max_uses >= 1),
    used_count BIGINT      NOT NULL CHECK (used_count >= 0),
    expires_at TIMESTAMPTZ NOT NULL,
    price      BIGINT      NOT NULL CHECK (price >= 0),
    is_active  BOOLEAN     NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- A deleted coupon stays for the ledger; its code works no more.
    deleted_at TIMESTAMPTZ,
    CHECK (used_count <= max_uses)
);
CREATE UNIQUE INDEX coupons_code_key ON coupons (code);
CREATE INDEX coupons_teacher_idx ON coupons (teacher_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- The ledger. Rows are added and never changed or deleted: it holds names and titles as they were,
-- and refers to nothing that could take a row along.
CREATE TABLE sales (
    id           {identity},
    teacher_id   BIGINT      NOT NULL,
    student_id   BIGINT      NOT NULL,
    student_name TEXT        NOT NULL,
    coupon_id    BIGINT,
    coupon_code  TEXT,
    course_id    UUID        NOT NULL,
    course_title TEXT        NOT NULL,
    module_id    UUID,
    module_title TEXT,
    -- What was paid, in hundredths; a refund is negative.
    amount       BIGINT      NOT NULL,
    sold_at      TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX sales_coupon_student_key ON sales (coupon_id, student_id);
CREATE INDEX sales_teacher_idx ON sales (teacher_id, sold_at DESC, id DESC);

CREATE TABLE lesson_progress (
    id           {identity},
    student_id   BIGINT      NOT NULL REFERENCES student_profiles (id) ON DELETE CASCADE,
    lesson_id    UUID        NOT NULL REFERENCES lessons (id) ON DELETE CASCADE,
    is_completed BOOLEAN     NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX lesson_progress_pair_key ON lesson_progress (student_id, lesson_id);
CREATE INDEX lesson_progress_lesson_idx ON lesson_progress (lesson_id);

CREATE TABLE ratings (
    id         {identity},
    uuid       UUID        NOT NULL,
    course_id  UUID        NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    student_id BIGINT      NOT NULL REFERENCES student_profiles (id) ON DELETE CASCADE,
    rating     BIGINT      NOT NULL CHECK (rating BETWEEN 1 AND 5),
    comment    TEXT        NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX ratings_uuid_key ON ratings (uuid);
CREATE UNIQUE INDEX ratings_pair_key ON ratings (course_id, student_id);
CREATE INDEX ratings_student_idx ON ratings (student_id);
CREATE INDEX ratings_course_idx ON ratings (course_id, created_at DESC, id DESC);

-- What was answered to a request that carried a key, so that a repetition gets the same answer.
CREATE TABLE idempotency_keys (
    user_id     BIGINT      NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT        NOT NULL,
    -- What was asked: method, path and body, hashed.
    fingerprint TEXT        NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    -- NULL while the first request is on its way.
    status      BIGINT,
    body        TEXT,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_started_idx ON idempotency_keys (started_at);

CREATE INDEX course_enrollments_ends_idx ON course_enrollments (ends_at) WHERE is_active;
CREATE INDEX module_enrollments_ends_idx ON module_enrollments (ends_at) WHERE is_active;
