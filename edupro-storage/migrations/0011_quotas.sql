-- What a teacher has in the store of files (security R21). What was stored before is not written down.
CREATE TABLE stored_files (
    key        TEXT        NOT NULL PRIMARY KEY,
    teacher_id BIGINT      NOT NULL REFERENCES teacher_profiles (id) ON DELETE CASCADE,
    bytes      BIGINT      NOT NULL CHECK (bytes >= 0),
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX stored_files_teacher_idx ON stored_files (teacher_id, bytes);
